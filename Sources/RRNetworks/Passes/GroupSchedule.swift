internal import RRTensor

/// How the samples of a batch are cut into groups, and the groups into lanes.
///
/// A group goes through the network as one. A lane is a list of groups whose gradients are added one after
/// the other; the lanes' sums are then added along a binary tree. None of it depends on the number of threads, so no
/// result does: a thread only takes lanes.
package struct GroupSchedule: Equatable, Sendable {
    package let sampleCount: Int
    /// The groups' samples, as positions in the batch.
    package let groups: [Range<Int>]
    /// Each lane's groups; the lanes that cost most come first.
    package let lanes: [[Range<Int>]]
    /// The most samples that a group of so large a batch has, and the most lanes, whatever the number of penalised
    /// samples.
    package let groupCapacity: Int
    package let laneCapacity: Int

    /// At most this many threads find work in one batch.
    private static let largestLaneCount = 8

    /// - Parameters:
    ///   - penalizedCount: the samples at the batch's beginning that also take the passes of the penalty, and so cost
    ///     twice as much. They are cut apart from the others, so that few of them do not burden a whole group.
    ///   - limits: what the network wants.
    package init(sampleCount: Int, penalizedCount: Int = 0, limits: GroupLimits) {
        self.sampleCount = sampleCount
        groupCapacity = limits.groupCapacity(for: sampleCount)
        let evenCut = Self.cut(
            0..<sampleCount, shares: limits.evenLaneCount, of: sampleCount, limits)
        laneCapacity = min(evenCut.count, Self.largestLaneCount)

        let boundary = min(Self.round(penalizedCount, upTo: limits.grain), sampleCount)
        let cost = max(sampleCount + boundary, 1)
        let shares = (limits.evenLaneCount * 2 * boundary + cost / 2) / cost
        let penalized = Self.cut(0..<boundary, shares: shares, of: sampleCount, limits)
        let others = Self.cut(
            boundary..<sampleCount, shares: limits.evenLaneCount - shares, of: sampleCount, limits)
        groups = penalized + others
        lanes = Self.deal(
            penalized.map { ($0, limits.cost(of: $0) * 2) } + others.map { ($0, limits.cost(of: $0)) },
            laneCount: laneCapacity)
    }

    /// Cuts samples into so many groups, or into more where these would be too large.
    private static func cut(
        _ samples: Range<Int>, shares: Int, of batchCount: Int, _ limits: GroupLimits
    ) -> [Range<Int>] {
        let shares = max(shares, 1)
        let share =
            limits.smallestGroup == 1
            ? limits.groupCapacity(for: batchCount)
            : round((samples.count + shares - 1) / shares, upTo: limits.smallestGroup)
        let size = min(limits.largestGroup, max(share, limits.smallestGroup))
        return stride(from: samples.lowerBound, to: samples.upperBound, by: size).map {
            $0..<min($0 + size, samples.upperBound)
        }
    }

    /// Deals groups out, the most expensive first, each to the lane that costs the least so far.
    private static func deal(
        _ groups: [(samples: Range<Int>, cost: Int)], laneCount: Int
    ) -> [[Range<Int>]] {
        var lanes = Array(repeating: (groups: [Range<Int>](), cost: 0), count: laneCount)
        for group in groups.stablySorted(by: \.cost) {
            var cheapest = 0
            for lane in lanes.indices where lanes[lane].cost < lanes[cheapest].cost { cheapest = lane }
            lanes[cheapest].groups.append(group.samples)
            lanes[cheapest].cost += group.cost
        }
        return lanes.stablySorted(by: \.cost).map(\.groups).filter { !$0.isEmpty }
    }

    fileprivate static func round(_ count: Int, upTo multiple: Int) -> Int {
        (count + multiple - 1) / multiple * multiple
    }
}

extension Array {
    /// The elements by falling cost, and those of one cost in the order that they have.
    fileprivate func stablySorted(by cost: KeyPath<Element, Int>) -> [Element] {
        enumerated().sorted {
            let (first, second) = ($0.element[keyPath: cost], $1.element[keyPath: cost])
            return first == second ? $0.offset < $1.offset : first > second
        }.map(\.element)
    }
}

/// What a network wants of the groups that a batch is cut into.
package struct GroupLimits: Equatable, Sendable {
    /// The most samples in a group: as many as keep a group's feature maps near the core.
    package let largestGroup: Int
    /// The fewest that a batch is cut into while it can be.
    package let smallestGroup: Int
    /// The lanes that a batch which fills no more is shared out to evenly.
    package let evenLaneCount: Int
    /// The most groups on their way at once: memory is for as many, whatever the number of threads.
    package var largestPlaceCount: Int
    /// The shares that every layer's passes are cut into where they can be; nil for what the threads at hand are worth. It
    /// has no effect on any result, which a test may want to see.
    package var fixedShareCount: Int?

    /// Limits for small maps, whose kernels' vectors run over samples.
    package init(largestGroup: Int, evenLaneCount: Int) {
        self.largestGroup = largestGroup
        // Fewer samples, or a number that is no multiple, leave the widest vectors idle.
        smallestGroup = 16
        self.evenLaneCount = evenLaneCount
        largestPlaceCount = 8
    }

    private init(largestPlaceCount: Int) {
        largestGroup = 2
        smallestGroup = 1
        evenLaneCount = 8
        self.largestPlaceCount = largestPlaceCount
    }

    /// Limits for large maps: vectors run over pixels, and one or two samples fill them.
    package static var largeMaps: GroupLimits { GroupLimits(largestPlaceCount: 8) }

    /// The finest cut: half of the widest vector, where vectors run over samples.
    var grain: Int { smallestGroup == 1 ? 1 : 8 }

    /// What a network wants whose maps have so many elements for a sample, the input's among them.
    init(featureCount: Int, parameterCount: Int, elementSize: Int) {
        guard featureCount < Self.manyFeatures else {
            // Each group on its way has a gradient of its own too: of 140 million parameters, VGG's, that is half a gigabyte.
            let gradientBytes = max(parameterCount * elementSize, 1)
            self.init(largestPlaceCount: min(max(Self.gradientBytes / gradientBytes, 2), 8))
            return
        }
        let bytes = max(featureCount * elementSize, 1)
        // A lane costs a gradient, which is cleared and added up. A network whose parameters are many for its
        // features, as a perceptron's are, spends more on that than on few samples.
        self.init(
            largestGroup: min(128, max(16, Self.groupBytes / bytes / 16 * 16)),
            evenLaneCount: parameterCount > 16 * featureCount ? 4 : 8)
    }

    private static let groupBytes = 1 << 21
    private static let gradientBytes = 1 << 30
    /// From so many elements on, sixteen samples at once are far more than any cache holds.
    private static let manyFeatures = 1 << 20

    /// The most samples in a group of a batch.
    func groupCapacity(for sampleCount: Int) -> Int {
        // On large maps as few samples at once as leave no lane without any, whatever passes they take.
        let most =
            smallestGroup == 1
            ? max(sampleCount / evenLaneCount, 1) : GroupSchedule.round(sampleCount, upTo: smallestGroup)
        return min(largestGroup, most)
    }

    /// The columns of a group's matrices.
    func columnCount(for sampleCount: Int) -> Int { GroupSchedule.round(sampleCount, upTo: grain) }

    /// The time of a group in that of a sample: what it costs whatever its size was measured to be that of six, on small
    /// maps.
    func cost(of group: Range<Int>) -> Int { columnCount(for: group.count) + (grain == 1 ? 0 : 6) }
}
