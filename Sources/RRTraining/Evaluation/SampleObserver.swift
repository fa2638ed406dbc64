internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// What one sample adds to an evaluation.
struct SampleObservation: Sendable {
    var prediction = 0
    var crossEntropy = 0.0
    /// Softmax of the logits.
    var probabilities: [Double] = []
    /// Of the pixels by their input gradient; nil where curves are not measured, or it says nothing.
    var pixelOrder: PixelOrder?
    var explanation = ExplanationOutcome.unannotated
    /// The class with the largest logit after the pixels in A were randomised; nil for an unannotated sample.
    var randomizedPrediction: Int?
    /// What became of the prediction when regions were swapped.
    var swaps = SwapOutcome()
}

/// Watches what a model does with batches of samples, and where masks are given, for which reasons.
final class SampleObserver<Scalar: NetworkScalar> {
    private let predictor: BatchPredictor<Scalar>
    private let randomization: MaskRandomization
    private let swaps: SwapObserver<Scalar>?
    private let curveObserver: CurveObserver<Scalar>?
    /// What became of the predictions of all samples so far; nil where it is not measured.
    private(set) var curves: PixelCurves?
    private var meters: [ExplanationMeter<Scalar>]
    private var observations: [SampleObservation] = []

    /// - Parameters:
    ///   - masks: those of the dataset; nil to leave explanations out.
    ///   - rows: the samples that are watched, in the order in which they come.
    ///   - options: the batches in which they come.
    /// - Throws: `ExplanationError` with the code `impossibleSelection` where k is no number of elements, `TrainingError`
    ///   where groups are asked for that are not there; as `SwapObserver.init`.
    init(
        _ predictor: BatchPredictor<Scalar>, dataset: Dataset, masks: MaskSet?, rows: [Int],
        options: StreamOptions, measurement: ExplanationMeasurement, predictions: PredictionMeasurement
    ) throws {
        self.predictor = predictor
        curveObserver = predictions.curveStepCount.map { CurveObserver(predictor, stepCount: $0) }
        curves = predictions.curveStepCount.map { PixelCurves(stepCount: $0) }
        let elementCount = predictor.input.elementCount
        if let count = measurement.topCount {
            try MaskSelection.top(count: count).check(elementCount: elementCount)
        }
        randomization = MaskRandomization(seed: measurement.seed, range: dataset.valueRange)
        meters = (0..<predictor.workers.count).map { _ in
            ExplanationMeter(elementCount: elementCount, topCount: measurement.topCount)
        }
        guard let masks, measurement.hasSwapTest, rows.contains(where: masks.isAnnotated) else {
            swaps = nil
            return
        }
        let groups = try measurement.place(in: dataset) == .group ? dataset.groups?.numbers : nil
        let donors = SwapDonors(
            rows: rows, labels: dataset.labels ?? [], groups: groups, masks: masks, seed: measurement.seed)
        swaps = try SwapObserver(
            predictor, donors: donors, dataset: dataset, masks: masks, rows: rows, options: options)
    }

    /// Watches a batch.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`; as `SwapObserver.observe`.
    func observe(_ batch: Batch) throws -> [SampleObservation] {
        observations.removeAll(keepingCapacity: true)
        observations.append(contentsOf: repeatElement(SampleObservation(), count: batch.count))
        let annotated = (0..<batch.count).filter { batch.annotated[$0] }
        let seen = try predictor.seen(batch)
        try measure(seen)
        if let curveObserver, var sums = curves {
            try curveObserver.observe(
                seen, orders: observations.map(\.pixelOrder), predictions: observations.map(\.prediction),
                into: &sums)
            curves = sums
        }
        if !annotated.isEmpty { try measureRandomized(annotated, of: batch) }
        if let swaps {
            let outcomes = try swaps.observe(batch, predictions: observations.map(\.prediction))
            for (sample, outcome) in outcomes.enumerated() { observations[sample].swaps = outcome }
        }
        return observations
    }

    private func measure(_ seen: LabelledBatch) throws(ExplanationError) {
        let masks = seen.masks ?? []
        let (shape, ordersPixels) = (predictor.input, curveObserver != nil)
        try observations.withUnsafeMutableBufferPointer { observations throws(ExplanationError) in
            try meters.withUnsafeMutableBufferPointer { meters throws(ExplanationError) in
                try masks.withUnsafeBufferPointer { masks throws(ExplanationError) in
                    let memory = UncheckedSendable((masks, observations, meters))
                    try predictor.explainer.forEachSample(
                        of: seen, at: predictor.parameters, withGradient: !masks.isEmpty || ordersPixels
                    ) { sample in
                        let (masks, observations, meters) = memory.value
                        observations[sample.position].prediction = sample.prediction
                        observations[sample.position].crossEntropy = sample.crossEntropy
                        observations[sample.position].probabilities = sample.probabilities
                        if ordersPixels {
                            observations[sample.position].pixelOrder = PixelOrder(sample.gradient, of: shape)
                        }
                        guard !masks.isEmpty else { return }
                        let count = sample.gradient.count
                        let mask = masks[sample.position * count..<(sample.position + 1) * count]
                        observations[sample.position].explanation = meters[sample.worker].measure(
                            gradient: sample.gradient, mask: UnsafeBufferPointer(rebasing: mask))
                    }
                }
            }
        }
    }

    /// Predicts once more, with the pixels in A randomised.
    private func measureRandomized(_ samples: [Int], of batch: Batch) throws(ExplanationError) {
        let randomized = try predictor.predictions(of: samples, of: batch) { image, sample, _ in
            batch.masks.withUnsafeBufferPointer { masks in
                randomization.apply(
                    to: image,
                    mask: UnsafeBufferPointer(
                        rebasing: masks[sample * image.count..<(sample + 1) * image.count]),
                    index: batch.indices[sample])
            }
        }
        for (sample, prediction) in zip(samples, randomized) {
            observations[sample].randomizedPrediction = prediction
        }
    }
}

extension Dataset {
    /// The range that an image's values could come from.
    var valueRange: ImageValueRange { elementType == .float32 ? .ofImage : .unit }
}
