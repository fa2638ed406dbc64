internal import RRNetworks
internal import RRTensor
internal import Synchronization

/// The gradients of the lanes of a batch, which are added along one binary tree.
///
/// With lanes numbered from 0 the sums are ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)), whoever is ready first: where the
/// last lanes are absent, so are the additions of what they would give. Two neighbours are added as soon as both are
/// there, so that few copies of the gradient exist at once: one for each thread and one for each level of the tree, not
/// one for each lane.
///
/// `@unchecked Sendable`: a copy belongs to the one caller that took it, or lies in `state` behind its lock; `pieces` is written
/// by `begin` alone, before any lane.
final class LaneGradients<Scalar: NetworkScalar>: @unchecked Sendable {
    private let count: Int
    /// The pieces of the gradient that lanes have parts of, each for one thread.
    private var pieces: [Range<Int>] = []
    private let state = Mutex(State())

    /// - Parameter count: the number of parameters.
    init(count: Int) { self.count = count }

    deinit { state.withLock { $0.free.forEach { $0.value.deallocate() } } }

    /// Begins a batch.
    ///
    /// - Parameters:
    ///   - ranges: the parameters that lanes have parts of. Others' memory is never touched, and so takes none.
    ///   - result: takes the sum of all lanes, at least one.
    func begin(laneCount: Int, ranges: [Range<Int>], into result: UnsafeMutablePointer<Scalar>) {
        pieces = ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceSize).map {
                $0..<min($0 + Self.pieceSize, range.upperBound)
            }
        }
        state.withLock { $0.begin(laneCount: laneCount, result: Sum(value: result)) }
    }

    /// Lets `body` add to the gradient of a lane, which starts at zero, and adds up what has both its parts.
    ///
    /// - Parameter place: where other threads help with what is long.
    func add(lane: Int, at place: WorkPlace?, _ body: (UnsafeMutablePointer<Scalar>) -> Void) {
        var sum = state.withLock { $0.take(lane: lane) } ?? Sum(value: .allocate(capacity: count))
        let start = sum.value
        share(at: place) { (start + $0.lowerBound).clear(count: $0.count) }
        body(sum.value)
        var node = Node(first: lane, width: 1)
        while let (next, other) = state.withLock({ $0.meet(sum, at: node) }) {
            if let other {
                let (left, right) = other.isLeft ? (other.sum, sum) : (sum, other.sum)
                share(at: place) { GradientSum.add(right.value, to: left.value, $0) }
                state.withLock { $0.free.append(right) }
                sum = left
            }
            node = next
        }
    }

    /// Memory as long as the parameters that nothing is in between two batches; nil where no lane needed a copy.
    var spare: UnsafeMutablePointer<Scalar>? { state.withLock { $0.free.last?.value } }

    private func share(at place: WorkPlace?, _ body: (Range<Int>) -> Void) {
        guard let place else { return pieces.forEach(body) }
        place.share(pieces.count) { _, piece in body(pieces[piece]) }
    }

    /// Some tens of microseconds of adding.
    private static var pieceSize: Int { 1 << 18 }

    /// A copy of the gradient.
    private struct Sum: @unchecked Sendable {
        let value: UnsafeMutablePointer<Scalar>
    }

    /// The lanes from `first` on, as many as `width`, a power of two.
    private struct Node: Hashable {
        var first: Int
        var width: Int

        var isLeft: Bool { first & width == 0 }
        var sibling: Node { Node(first: first ^ width, width: width) }
        var parent: Node { Node(first: first & ~width, width: 2 * width) }
    }

    private struct State {
        var laneCount = 0
        /// The first lane's, whose sum is that of all in the end.
        var result: Sum?
        var free: [Sum] = []
        /// Sums whose siblings are not there yet.
        var waiting: [Node: Sum] = [:]

        mutating func begin(laneCount: Int, result: Sum) {
            self.laneCount = laneCount
            self.result = result
            waiting.removeAll(keepingCapacity: true)
        }

        /// Memory for a lane; nil where there is none left.
        mutating func take(lane: Int) -> Sum? { lane == 0 ? result : free.popLast() }

        /// Brings the sum of a node: returns its parent with the sum of its sibling, or with nil where the sibling has no
        /// lanes. Returns nil where the sibling's sum is yet to come, and where the node is the whole tree.
        mutating func meet(_ sum: Sum, at node: Node) -> (parent: Node, other: (sum: Sum, isLeft: Bool)?)? {
            guard node.width < laneCount else { return nil }
            let sibling = node.sibling
            guard sibling.first < laneCount else { return (node.parent, nil) }
            guard let other = waiting.removeValue(forKey: sibling) else {
                waiting[node] = sum
                return nil
            }
            return (node.parent, (other, sibling.isLeft))
        }
    }
}

private enum GradientSum {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func add<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, to sum: UnsafeMutablePointer<Scalar>, _ range: Range<Int>
    ) {
        for index in range { sum[index] += values[index] }
    }
}
