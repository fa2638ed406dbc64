internal import RRNetworks

/// The order in which a batch's samples go through the network: annotated ones first, so that only their groups
/// run the passes of the penalty. Without any, the batch's own.
struct BatchOrder {
    let samples: [Int]
    let annotatedCount: Int

    init(sampleCount: Int, annotated: [Int]) {
        annotatedCount = annotated.count
        guard !annotated.isEmpty else {
            samples = Array(0..<sampleCount)
            return
        }
        var isAnnotated = Array(repeating: false, count: sampleCount)
        for sample in annotated { isAnnotated[sample] = true }
        samples = annotated + (0..<sampleCount).filter { !isAnnotated[$0] }
    }
}

/// What the workers need to know of a batch.
struct LossPlan {
    let schedule: GroupSchedule
    let order: BatchOrder
    let target: PenaltyTarget
    /// What `PenaltyTarget.logitJacobian` draws from.
    let directions: SampleDraws
    let dropout: DropoutKey?
    let demand: GradientDemand
    let labelWeights: LabelWeights
    /// 2 λ1 over the reduction's divisor: v = tangentScale · A ∘ g.
    let tangentScale: Double
    /// Whether A is 1 for every pixel of every sample, whatever the masks.
    let coversImages: Bool
    /// What each sample of the batch weighs beside its label's weight; nil where all weigh 1.
    var sampleWeights: [Double]?
    /// Whether cross-entropies alone are wanted, and no gradient.
    var looksOnly = false
    /// How images are changed where R is their cross-entropy; nil elsewhere.
    let counterexamples: CounterexamplePlan?

    /// The samples, in the order of the batch, whose penalty is taken by passes of its own.
    var penalizedCount: Int { counterexamples == nil ? order.annotatedCount : 0 }

    /// The images that add to the gradient: the samples, and behind them changed copies of the annotated ones.
    var gradientCount: Int { order.samples.count + (hasCopies ? order.annotatedCount : 0) }

    /// The most that a batch of the same size and guidance has.
    var gradientCapacity: Int { order.samples.count * (hasCopies ? 2 : 1) }

    private var hasCopies: Bool { counterexamples?.options.place == .beside }

    func weight(of sample: Int) -> Double { sampleWeights?[sample] ?? 1 }
}
