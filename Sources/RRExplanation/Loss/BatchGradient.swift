package import RRNetworks
internal import RRTensor

/// The gradient of a batch, in the order of the parameters' flat list: it lasts until the loss is next computed.
///
/// What lanes have added up lies in its place. What is taken of the whole batch at once is made a piece at a time, by whoever
/// asks: an optimiser that moves the parameters of one piece before it takes the next never holds most of a large network's
/// gradient.
package struct BatchGradient<Scalar: NetworkScalar> {
    /// As long as the parameters, of which only `laneRanges` were touched.
    private let sum: UnsafeMutablePointer<Scalar>
    /// As long, for pieces; nil for memory of their own.
    private let spare: UnsafeMutablePointer<Scalar>?
    private let parameterCount: Int
    private let laneRanges: [Range<Int>]
    private let gathered: GatheredMaps<Scalar>?
    private let plan: LossPlan
    private let features: FeatureMap?
    private let workers: Workers

    init(
        sum: UnsafeMutablePointer<Scalar>, spare: UnsafeMutablePointer<Scalar>?, parameterCount: Int,
        laneRanges: [Range<Int>],
        gathered: GatheredMaps<Scalar>?, plan: LossPlan, features: FeatureMap?, workers: Workers
    ) {
        self.sum = sum
        self.spare = spare
        self.parameterCount = parameterCount
        self.laneRanges = laneRanges
        self.gathered = gathered
        self.plan = plan
        self.features = features
        self.workers = workers
    }

    /// Visits ranges of parameters with their gradients: all parameters together, each once.
    ///
    /// - Parameter body: takes a range, and its gradient from the range's first parameter on.
    package func forEachPiece(_ body: (Range<Int>, UnsafeMutablePointer<Scalar>) -> Void) {
        for range in laneRanges { body(range, sum + range.lowerBound) }
        guard let gathered else { return }
        let memory = spare ?? .allocate(capacity: gathered.layers.largestPieceCount)
        defer { if spare == nil { memory.deallocate() } }
        forEachGatheredPiece(in: { _ in memory }, body)
    }

    /// Takes all pieces to their places, and so holds the gradient whole.
    package func collect() -> UnsafeMutableBufferPointer<Scalar> {
        forEachGatheredPiece(in: { sum + $0.lowerBound }) { _, _ in }
        return UnsafeMutableBufferPointer(start: sum, count: parameterCount)
    }

    private func forEachGatheredPiece(
        in memory: (Range<Int>) -> UnsafeMutablePointer<Scalar>,
        _ body: (Range<Int>, UnsafeMutablePointer<Scalar>) -> Void
    ) {
        gathered?.forEachPiece(
            count: plan.gradientCount, penalizedCount: plan.penalizedCount, features: features,
            workers: workers, in: memory, body)
    }
}
