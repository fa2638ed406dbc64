internal import Glibc
internal import RRTensor

extension Network {
    /// Checks that the machine has the memory for a group of samples and for the sums of gradients, which is taken at once.
    ///
    /// A description of a few lines can ask for a terabyte, and a process that is refused memory ends by a signal.
    ///
    /// - Throws: `NetworkError` with the code `insufficientMemory`.
    package func checkMemory() throws(NetworkError) {
        // The maps of the samples on their way, a group a core where groups are small; parameters, gradient, moments and
        // the sums of lanes on their way.
        let samples = min(groupLimits.largestGroup * min(Workers.coreCount, 8), 16)
        let elements =
            samples * graph.memoryPlan(segments).elementCount + 8 * parameterLayout.count
        let needed = elements * MemoryLayout<Scalar>.stride
        guard needed > Self.availableMemory else { return }
        throw NetworkError(
            .insufficientMemory, "layers",
            "take \(needed >> 30) GiB for a group of samples and its gradients, and there are "
                + "\(Self.availableMemory >> 30) GiB of memory")
    }

    /// The fewest segments first: ways to keep less of the graph in memory and compute more of it again.
    package var segmentations: [GraphSegments] { graph.segmentations }

    /// The memory of the machine, or less where the process may have less, in bytes.
    private static var availableMemory: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return machine }
        return min(machine, Int(clamping: limit.rlim_cur))
    }
}
