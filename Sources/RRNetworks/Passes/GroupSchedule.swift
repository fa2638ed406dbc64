/// How the samples of a batch are cut into groups, and the groups into lanes.
///
/// A group goes through the network as one. A lane is a list of groups whose gradients are added one after
/// the other; the lanes' sums are then added in order. Neither depends on the number of threads, so no result
/// does: a thread only takes lanes.
package struct GroupSchedule: Equatable, Sendable {
    package let sampleCount: Int
    package let groupSize: Int

    /// At most this many threads find work in one batch.
    private static let largestLaneCount = 8
    /// Fewer samples leave vector instructions idle, and so does a number that is no multiple.
    private static let smallestGroup = 16

    /// - Parameter largestGroup: what the network wants in a group at most, so that a group's feature maps
    ///   stay in the cache.
    package init(sampleCount: Int, largestGroup: Int) {
        self.sampleCount = sampleCount
        let evenShare = (sampleCount + Self.largestLaneCount - 1) / Self.largestLaneCount
        let rounded = (evenShare + Self.smallestGroup - 1) / Self.smallestGroup * Self.smallestGroup
        groupSize = max(1, min(largestGroup, max(rounded, Self.smallestGroup)))
    }

    package var groupCount: Int { (sampleCount + groupSize - 1) / groupSize }

    package var laneCount: Int { min(groupCount, Self.largestLaneCount) }

    /// The groups of a lane, dealt out in turn so that expensive neighbours are shared among lanes.
    package func groups(ofLane lane: Int) -> StrideTo<Int> {
        stride(from: lane, to: groupCount, by: laneCount)
    }

    /// The samples of a group, as positions in the batch; the last group may be smaller than the others.
    package func samples(ofGroup group: Int) -> Range<Int> {
        group * groupSize..<min((group + 1) * groupSize, sampleCount)
    }
}
