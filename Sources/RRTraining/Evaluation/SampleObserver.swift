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
    var explanation = ExplanationOutcome.unannotated
    /// The class with the largest logit after the pixels in A were randomised; nil for an unannotated sample.
    var randomizedPrediction: Int?
}

/// Watches what a model does with batches of samples, and where masks are given, for which reasons.
final class SampleObserver<Scalar: NetworkScalar> {
    private let parameters: Parameters<Scalar>
    private let normalization: InputNormalization?
    private let explainer: InputGradients<Scalar>
    private let randomization: MaskRandomization
    private let workers: Workers
    private var meters: [ExplanationMeter<Scalar>]
    private var observations: [SampleObservation] = []

    /// - Throws: `ExplanationError` with the code `impossibleSelection` where k is no number of elements.
    init(
        network: Network<Scalar>, parameters: Parameters<Scalar>, normalization: InputNormalization?,
        dataset: Dataset, measurement: ExplanationMeasurement, threadCount: Int?
    ) throws(ExplanationError) {
        let elementCount = network.model.input.elementCount
        if let count = measurement.topCount {
            try MaskSelection.top(count: count).check(elementCount: elementCount)
        }
        self.parameters = parameters
        self.normalization = normalization
        workers = Workers(count: threadCount)
        explainer = InputGradients(network: network, target: measurement.target, threadCount: workers.count)
        randomization = MaskRandomization(seed: measurement.seed, range: dataset.valueRange)
        meters = (0..<workers.count).map { _ in
            ExplanationMeter(elementCount: elementCount, topCount: measurement.topCount)
        }
    }

    /// Watches a batch.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`.
    func observe(_ batch: Batch) throws(ExplanationError) -> [SampleObservation] {
        observations.removeAll(keepingCapacity: true)
        observations.append(contentsOf: repeatElement(SampleObservation(), count: batch.count))
        let annotated = (0..<batch.count).filter { batch.annotated[$0] }
        try measure(LabelledBatch(batch, normalization))
        if !annotated.isEmpty { try measureRandomized(annotated, of: batch) }
        return observations
    }

    private func measure(_ batch: LabelledBatch) throws(ExplanationError) {
        let masks = batch.masks ?? []
        try masks.withUnsafeBufferPointer { masks throws(ExplanationError) in
            try observations.withUnsafeMutableBufferPointer { observations throws(ExplanationError) in
                try meters.withUnsafeMutableBufferPointer { meters throws(ExplanationError) in
                    let memory = UncheckedSendable((masks, observations, meters))
                    try explainer.forEachSample(of: batch, at: parameters, withGradient: !masks.isEmpty) {
                        sample in
                        let (masks, observations, meters) = memory.value
                        observations[sample.position].prediction = sample.prediction
                        observations[sample.position].crossEntropy = sample.crossEntropy
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
        let count = batch.imageShape.elementCount
        let images = SharedElements<Float>(count: samples.count * count) { randomized in
            batch.images.withUnsafeBufferPointer { images in
                batch.masks.withUnsafeBufferPointer { masks in
                    let memory = UncheckedSendable((images, masks, randomized))
                    let randomization = randomization
                    workers.run(parts: samples.count) { _, position in
                        let (images, masks, randomized) = memory.value
                        let sample = samples[position]
                        let elements = sample * count..<(sample + 1) * count
                        let image = UnsafeMutableBufferPointer(
                            rebasing: randomized[position * count..<(position + 1) * count])
                        _ = image.update(fromContentsOf: images[elements])
                        randomization.apply(
                            to: image, mask: UnsafeBufferPointer(rebasing: masks[elements]),
                            index: batch.indices[sample])
                    }
                }
            }
            normalization?.scale(randomized, pixelCount: batch.imageShape.pixelCount)
        }
        let randomized = try LabelledBatch(
            imageShape: batch.imageShape, images: images,
            labels: SharedElements(samples.map { batch.labels[$0] }))
        try observations.withUnsafeMutableBufferPointer { observations throws(ExplanationError) in
            let results = UncheckedSendable(observations)
            try explainer.forEachSample(of: randomized, at: parameters, withGradient: false) { sample in
                results.value[samples[sample.position]].randomizedPrediction = sample.prediction
            }
        }
    }
}

extension Dataset {
    /// The range that an image's values could come from.
    var valueRange: ImageValueRange { elementType == .float32 ? .ofImage : .unit }
}
