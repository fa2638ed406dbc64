public import RRNetworks
internal import RRTensor

/// The explanation loss of Ross, Hughes and Doshi-Velez (2017) and its gradient in the network's parameters.
///
///     L = (1/N) Σ_n CE(z_n, y_n) + λ1 · R,   R = (1/N) Σ_n Σ_d (A_nd g_nd)²,   g_n = ∂T_n/∂x_n
///
/// With a weight w_k for each class the first term is Σ_n w_{y_n} CE(z_n, y_n) / Σ_n w_{y_n}, as in PyTorch's
/// `CrossEntropyLoss(weight=w)`; R is as it was. With a label smoothing ε (Szegedy et al., 2016) the target of a
/// sample is (1 − ε) y + ε / K, as in `CrossEntropyLoss(weight=w, label_smoothing=ε)`:
///
///     Σ_n [(1 − ε) w_{y_n} (−log p_{n,y_n}) + (ε / K) Σ_k w_k (−log p_nk)] / Σ_n w_{y_n}
///
/// The gradient of R comes by forward over reverse: one reverse pass for g, a tangent pass along
/// v = ∂(λ1 R)/∂g, and the reverse pass that the cross-entropy needs anyway. The passes for the penalty run only
/// for annotated samples; where there are none, or λ1 is 0, the result is that of plain cross-entropy bit for
/// bit. It does not depend on the number of threads.
///
/// A loss keeps its memory from batch to batch; one caller at a time uses it.
public final class ExplanationLoss<Scalar: NetworkScalar> {
    public let network: Network<Scalar>
    /// λ1, at least 0; it may change from batch to batch.
    public var lambda1: Double
    /// The target of the input gradient; with `Guidance.inputGradient` the label.
    public let target: PenaltyTarget
    public let reduction: PenaltyReduction
    /// The weight of each class in the cross-entropy; nil where all are alike.
    public let classWeights: [Double]?
    /// ε, from 0 to 1: how much of each label is spread over all classes.
    public let labelSmoothing: Double
    /// What R is; the formulas above are those of `rightReasons`.
    public let guidance: Guidance
    /// What stands in the place of g in `rightReasons`, where it is not the input gradient.
    public let attribution: Attribution

    /// What groups weigh in the cross-entropy, beside class weights; nil for what their samples do. Robust weights are those
    /// after the last batch.
    public var groupWeighting: GroupWeighting?

    /// The values of the parameters' flat list whose gradient is wanted; elsewhere it may be zero.
    package var trainedRanges: [Range<Int>] {
        didSet {
            if trainedRanges != oldValue { demand = network.gradientDemand(trained: trainedRanges) }
        }
    }

    private var demand: GradientDemand
    private let seed: UInt64
    private let imageRanges: [ClosedRange<Float>]
    private let imageMoments: [ChannelMoments]
    private let workers: Workers
    private var memory: LossMemory<Scalar>?

    /// - Parameters:
    ///   - network: the network that is judged.
    ///   - lambda1: the weight λ1 of the penalty.
    ///   - target: the quantity whose input gradient is penalised.
    ///   - reduction: how the penalties of samples become one of the batch.
    ///   - classWeights: a weight for each class; nil for 1 each.
    ///   - labelSmoothing: the share of each label that is spread over all classes, from 0 to below 1.
    ///   - guidance: how the masks keep the network from what is no valid reason.
    ///   - attribution: what of the network's answer is held against the masks by `Guidance.rightReasons`.
    ///   - seed: decides the random values of counterexamples and the directions of `PenaltyTarget.logitJacobian`.
    ///   - imageRanges: the values in each channel that uniform ones are drawn from; nil for 0 to 1.
    ///   - imageMoments: of each channel, for normal values and means; nil for those of values from 0 to 1.
    ///   - threadCount: the number of threads; nil for one a processor core.
    public init(
        network: Network<Scalar>, lambda1: Double, target: PenaltyTarget = .sumLogProbability,
        reduction: PenaltyReduction = .mean, classWeights: [Double]? = nil, labelSmoothing: Double = 0,
        guidance: Guidance = .rightReasons, attribution: Attribution = .inputGradient, seed: UInt64 = 0,
        imageRanges: [ClosedRange<Float>]? = nil,
        imageMoments: [ChannelMoments]? = nil, threadCount: Int? = nil
    ) {
        self.network = network
        self.lambda1 = lambda1
        self.target = guidance == .inputGradient ? .label : target
        self.reduction = reduction
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.guidance = guidance
        self.attribution = guidance == .rightReasons ? attribution : .inputGradient
        self.seed = seed
        self.imageRanges =
            imageRanges ?? Array(repeating: 0...1, count: network.model.input.channels)
        self.imageMoments =
            imageMoments ?? Array(repeating: .ofUnit, count: network.model.input.channels)
        workers = Workers(count: threadCount)
        trainedRanges = network.parameterLayout.trainedRanges()
        demand = network.gradientDemand(trained: trainedRanges)
    }

    /// Computes the loss of a batch, and its gradient in the order of the parameters' flat list.
    ///
    /// - Parameters:
    ///   - batch: the samples with their labels and masks.
    ///   - parameters: the network's parameters.
    ///   - dropout: the training step that dropout draws its masks for; nil leaves nothing out. The directions of
    ///     `PenaltyTarget.logitJacobian` are drawn for the same step, and without it for the batch's epoch.
    ///   - gradient: takes the gradient; it is replaced whole.
    /// - Throws: `ExplanationError` with the code `batchMismatch`, `labelOutOfRange` or
    ///   `unsuitableClassWeights`.
    public func compute(
        _ batch: LabelledBatch, at parameters: Parameters<Scalar>, dropout: DropoutKey? = nil,
        gradient: inout [Scalar]
    ) throws(ExplanationError) -> LossTerms {
        try compute(batch, at: parameters, dropout: dropout, gradient: &gradient, visitor: nil)
    }

    /// Computes the same, and shows the input gradient of every sample, annotated or not, on the way.
    ///
    /// - Parameter visitor: is called once for each sample, from several threads at once; nil for the passes that
    ///   the loss needs alone. It changes no bit of the result. It must be nil where the attribution is about a feature map.
    /// - Throws: `ExplanationError` as `compute(_:at:dropout:gradient:)`.
    package func compute(
        _ batch: LabelledBatch, at parameters: Parameters<Scalar>, dropout: DropoutKey?,
        gradient: inout [Scalar], visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?
    ) throws(ExplanationError) -> LossTerms {
        let count = network.parameterLayout.count
        if gradient.count != count { gradient = Array(repeating: 0, count: count) }
        return try gradient.withUnsafeMutableBufferPointer { gradient throws(ExplanationError) in
            let (terms, parts) = try compute(
                batch, at: parameters, dropout: dropout, into: gradient.baseAddress, visitor: visitor)
            _ = parts.collect()
            return terms
        }
    }

    /// Computes the same, and leaves the gradient in pieces that are yet to be taken.
    ///
    /// - Parameter sum: as long as the parameters, for the gradient; nil for memory of the loss, which lasts until it is
    ///   next computed.
    /// - Throws: `ExplanationError` as `compute(_:at:dropout:gradient:)`.
    package func compute(
        _ batch: LabelledBatch, at parameters: Parameters<Scalar>, dropout: DropoutKey?,
        into sum: UnsafeMutablePointer<Scalar>? = nil,
        visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?
    ) throws(ExplanationError) -> (terms: LossTerms, gradient: BatchGradient<Scalar>) {
        try batch.check(against: network.model.input, classCount: network.model.classCount)
        guard batch.count > 0 else {
            throw ExplanationError(.batchMismatch, "the batch has no samples")
        }
        let labelWeights = try LabelWeights(
            labels: batch.labels, classWeights: classWeights, labelSmoothing: labelSmoothing,
            classCount: network.model.classCount)
        let coversImages = guidance == .inputGradient
        let annotated = batch.annotatedSamples()
        let guided =
            lambda1 > 0
            ? (coversImages ? Array(0..<batch.count) : guidedSamples(of: batch, among: annotated)) : []
        let divisor = divisor(labelWeights, batch, guided)
        var plan = LossPlan(
            schedule: GroupSchedule(
                sampleCount: batch.count, penalizedCount: guided.count, limits: network.groupLimits),
            order: BatchOrder(sampleCount: batch.count, annotated: guided),
            target: target,
            directions: SampleDraws(.projection, seed: seed, time: dropout?.step ?? batch.epoch),
            dropout: dropout,
            demand: demand,
            labelWeights: labelWeights,
            tangentScale: guided.isEmpty ? 0 : 2 * lambda1 / divisor,
            coversImages: coversImages,
            sampleWeights: nil,
            counterexamples: guided.isEmpty
                ? nil : counterexamples(of: batch, scale: lambda1 * labelWeights.sum / divisor))
        if !guided.isEmpty, needsGivenCounterexamples, batch.counterexamples == nil {
            throw ExplanationError(
                .batchMismatch,
                "the batch has no counterexamples, which the guidance takes from other samples: give them")
        }
        let memory = memory(for: plan.schedule)
        plan.sampleWeights = try sampleWeights(of: batch) {
            plan.looksOnly = true
            defer { plan.looksOnly = false }
            _ = memory.run(
                batch, plan, parameters: parameters.values, visitor: nil, into: sum, workers: workers)
            return memory.terms.crossEntropies[..<batch.count].map { $0 }
        }?.map { $0 * labelWeights.sum }
        let gradient = memory.run(
            batch, plan, parameters: parameters.values, visitor: visitor, into: sum, workers: workers)
        let terms = memory.terms
        let losses = LossTerms(
            crossEntropy: terms.crossEntropies[..<batch.count].reduce(0, +) / labelWeights.sum,
            penalty: guided.isEmpty || guidance.counterexamples?.place == .instead
                ? nil : guided.reduce(0) { $0 + terms.penalties[$1] } / divisor,
            lambda1: lambda1,
            sampleCount: batch.count,
            annotatedCount: annotated.count,
            correctCount: terms.isCorrect[..<batch.count].count { $0 })
        return (losses, gradient)
    }

    /// What each sample weighs by its group; nil where groups do not count.
    ///
    /// - Parameter losses: gives the cross-entropy of each sample.
    private func sampleWeights(
        of batch: LabelledBatch, losses: () -> [Double]
    ) throws(ExplanationError) -> [Double]? {
        guard var weighting = groupWeighting else { return nil }
        guard let groups = batch.groups, groups.count == batch.count,
            groups.allSatisfy({ 0..<weighting.count ~= $0 })
        else {
            throw ExplanationError(
                .batchMismatch,
                "each sample of the batch needs the number of one of the \(weighting.count) groups that are weighed"
            )
        }
        defer { groupWeighting = weighting }
        return weighting.sampleWeights(groups, losses: losses)
    }

    /// Gives back what the loss keeps from batch to batch.
    package func releaseMemory() { memory = nil }

    /// What R is divided by.
    private func divisor(_ labelWeights: LabelWeights, _ batch: LabelledBatch, _ guided: [Int]) -> Double {
        switch reduction {
        case .mean: return guidance.counterexamples != nil ? labelWeights.sum : Double(batch.count)
        case .sum: return 1
        case .annotated:
            guard guidance.counterexamples != nil else { return Double(guided.count) }
            let weight = guided.reduce(0) { $0 + labelWeights.ofClass[Int(batch.labels[$1])] }
            // Where no annotated sample weighs anything, R is 0 whatever it is divided by.
            return weight > 0 ? weight : 1
        }
    }

    /// The annotated samples that have a penalty or a counterexample in the batch's epoch.
    private func guidedSamples(of batch: LabelledBatch, among annotated: [Int]) -> [Int] {
        guard let options = guidance.counterexamples, options.share < 1 else { return annotated }
        let draws = SampleDraws(.share, seed: seed, time: batch.epoch)
        return annotated.filter {
            let state = draws.state(sample: batch.indices?[$0] ?? Int64($0))
            return Double(SampleDraws.unit(state: state, element: 0)) < options.share
        }
    }

    private var needsGivenCounterexamples: Bool {
        if case .counterexamples(let options) = guidance { options.fill == .swap } else { false }
    }

    private func counterexamples(of batch: LabelledBatch, scale: Double) -> CounterexamplePlan? {
        guard let options = guidance.counterexamples else { return nil }
        let change: CounterexampleChange
        switch (guidance, options.fill) {
        case (.adversarial(let adversary), _): change = .search(adversary)
        case (_, .uniform): change = .uniform(imageRanges)
        case (_, .noise): change = .normal(imageMoments)
        case (_, .mean):
            change = .normal(imageMoments.map { ChannelMoments(mean: $0.mean, standardDeviation: 0) })
        case (_, .swap):
            guard let images = batch.counterexamples else { return nil }
            change = .given(images)
        }
        return CounterexamplePlan(
            change: change, draws: SampleDraws(.counterexample, seed: seed, time: batch.epoch),
            options: options, scale: scale)
    }

    private func memory(for schedule: GroupSchedule) -> LossMemory<Scalar> {
        if let memory, memory.fits(schedule) { return memory }
        let fresh = LossMemory(
            network: network, guidance: guidance, attribution: attribution, schedule: schedule,
            workerCount: workers.count)
        memory = fresh
        return fresh
    }
}

/// The explanation loss of a batch in its parts; weight decay is the optimiser's and not in it.
public struct LossTerms: Equatable, Sendable {
    /// CE: the mean over the batch of −log p_y, weighted where classes are.
    public let crossEntropy: Double
    /// R: the penalty before λ1, or whatever the guidance has in its place; nil where it was not computed, because λ1 is 0 or no sample is annotated.
    public let penalty: Double?
    public let lambda1: Double
    /// The number of samples in the batch.
    public let sampleCount: Int
    /// The number of samples with a mask that is not all zero.
    public let annotatedCount: Int
    /// The number of samples whose largest logit is the label's.
    public let correctCount: Int

    /// L = CE + λ1 · R.
    public var loss: Double { crossEntropy + lambda1 * (penalty ?? 0) }
}
