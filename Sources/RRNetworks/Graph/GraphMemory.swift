import RRTensor

/// What the passes of a graph over one group of samples leave to each other.
final class GraphMemory<Scalar: NetworkScalar> {
    let plan: MemoryPlan
    /// Which of the plan's segments the maps that lie in shared memory belong to.
    var held = HeldMaps()
    private let maps: Buffer<Scalar>
    private let capacity: Int
    /// Each node's own.
    let scratch: [LayerScratch<Scalar>]
    /// What a node computes to be added.
    let spare: UnsafeMutablePointer<Scalar>
    private let spareMemory: Buffer<Scalar>

    /// - Parameters:
    ///   - segments: those of the graph.
    ///   - capacity: the largest number of samples in a group.
    init(_ graph: LayerGraph<Scalar>, _ segments: GraphSegments, capacity: Int) {
        plan = graph.memoryPlan(segments)
        maps = Buffer(count: plan.elementCount * capacity)
        self.capacity = capacity
        scratch = LayerScratch.memory(graph.scratchCounts(capacity: capacity))
        spareMemory = Buffer(count: graph.returns.spareCount * capacity)
        spare = spareMemory.start
    }

    /// The graph's input or its output, which lie where no other map does.
    func value(_ value: Int) -> UnsafeMutablePointer<Scalar> { map(plan.values[value], 0) }
    func tangent(_ value: Int) -> UnsafeMutablePointer<Scalar> { map(plan.tangents[value], 0) }

    @inline(__always)
    func value(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.values[value], sampleCount)
    }

    @inline(__always)
    func tangent(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.tangents[value], sampleCount)
    }

    @inline(__always)
    func cotangent(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.cotangents[value], sampleCount)
    }

    @inline(__always)
    func cotangent(at place: GraphPlace, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.cotangents[place.value], sampleCount) + place.offset &* sampleCount
    }

    @inline(__always)
    func adjoint(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.adjoints[value], sampleCount)
    }

    @inline(__always)
    func adjoint(at place: GraphPlace, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        map(plan.adjoints[place.value], sampleCount) + place.offset &* sampleCount
    }

    @inline(__always)
    private func map(_ place: MemoryPlan.Place, _ sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        maps.start + (place.start &* capacity &+ place.offset &* sampleCount)
    }
}

extension LayerGraph {
    /// The bytes that a group takes.
    ///
    /// - Parameters:
    ///   - columns: those of the group's matrices.
    ///   - hasPenalty: whether all four passes run, or the first and the last alone.
    ///   - isMeasured: whether logits alone are wanted.
    func byteCount(_ segments: GraphSegments, columns: Int, hasPenalty: Bool, isMeasured: Bool = false) -> Int
    {
        let passes: [MemoryPlan.Pass] =
            isMeasured ? [.value] : hasPenalty ? MemoryPlan.Pass.allCases : [.value, .adjoint]
        let elements = memoryPlan(segments).elementCount(of: passes) + returns.spareCount
        return elements * columns * MemoryLayout<Scalar>.stride
            + LayerScratch<Scalar>.byteCount(scratchCounts(capacity: columns))
    }

    fileprivate func scratchCounts(capacity: Int) -> [ScratchCounts] {
        nodes.map { node in
            if case .layer(let layer) = node.operation {
                layer.scratchCounts(capacity: capacity)
            } else {
                ScratchCounts()
            }
        }
    }
}
