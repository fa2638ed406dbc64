internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// The input gradients of a trained model, or their means over noisy copies of the images, by batches of a dataset.
final class ModelGradients<Scalar: NetworkScalar> {
    private let making: MaskMaking
    private let parameters: Parameters<Scalar>
    private let workers: Workers
    private let explainer: InputGradients<Scalar>
    private let noise: GaussianNoise?
    /// Whether one class a sample is differentiated for, settled before the gradient and the same for every noisy copy.
    private let isOfOneClass: Bool
    /// The sums of the gradients of noisy copies.
    private var sums: [Scalar] = []

    /// - Throws: `ExplanationError` where the model does not have the class that masks are made for; `TrainingError` where
    ///   labels are needed that the dataset does not have.
    init(
        _ making: MaskMaking, network: Network<Scalar>, parameters: Parameters<Scalar>
    ) throws {
        if let classIndex = making.classIndex, !(0..<network.model.classCount ~= classIndex) {
            throw ExplanationError(
                .labelOutOfRange,
                "there is no class \(classIndex): the model has the classes 0 to \(network.model.classCount - 1)"
            )
        }
        guard making.dataset.labels != nil || making.target != .label else {
            throw TrainingError(
                .unsuitableDataset, .file(making.dataset.path),
                "has no labels, which \(option: .target) label needs")
        }
        self.making = making
        self.parameters = parameters
        workers = Workers(count: making.threadCount)
        noise = making.smoothing.map {
            GaussianNoise(seed: $0.seed, deviation: $0.deviation, range: making.dataset.valueRange)
        }
        isOfOneClass = making.classIndex != nil || (making.target == .predicted && noise != nil)
        explainer = InputGradients(
            network: network, target: isOfOneClass ? .label : making.target, threadCount: workers.count)
    }

    /// Makes the masks of all samples.
    ///
    /// - Parameters:
    ///   - masks: takes the gradients from as many threads as the making has.
    ///   - attributions: keeps them; nil where nobody wants them.
    ///   - progress: is told of the samples done and of all.
    /// - Throws: `ExplanationError` with the code `batchMismatch`, `labelOutOfRange` or `gradientNotFinite`;
    ///   `DatasetError` where a sample is damaged or the split is unknown; `FormatError` where masks go to a file that
    ///   cannot be written.
    func add(
        to masks: GradientMasks<Scalar>, saving attributions: AttributionFile<Scalar>? = nil,
        _ progress: (Int, Int) -> Void
    ) throws {
        let stream = try BatchStream(
            dataset: making.dataset, masks: nil,
            options: StreamOptions(batchSize: making.batchSize, split: making.split))
        var done = 0
        while let batch = try stream.next() {
            let labels =
                isOfOneClass
                ? try classes(of: batch)
                : making.target == .label ? batch.labels : Self.noLabels(count: batch.count)
            if let smoothing = making.smoothing, let noise {
                try sum(batch, labels: labels, copyCount: smoothing.copyCount, noise: noise)
                try addSums(of: batch, to: masks, copyCount: smoothing.copyCount, saving: attributions)
            } else {
                let labelled = try LabelledBatch(
                    imageShape: batch.imageShape,
                    images: making.normalization?.scaled(
                        batch.images, pixelCount: batch.imageShape.pixelCount)
                        ?? batch.images, labels: labels)
                try masks.add(indices: batch.indices) { select throws(ExplanationError) in
                    try explainer.forEachSample(of: labelled, at: parameters, withGradient: true) {
                        select($0.worker, $0.position, $0.gradient)
                        attributions?.keep($0.gradient, position: $0.position)
                    }
                }
            }
            try attributions?.write(sampleCount: batch.count)
            done += batch.count
            progress(done, stream.samplesPerEpoch)
        }
    }

    /// The one class of each sample whose probability is differentiated: that of the masks, or the prediction for the
    /// clean image.
    private func classes(of batch: Batch) throws(ExplanationError) -> SharedElements<Int64> {
        if let classIndex = making.classIndex {
            return SharedElements(repeatElement(Int64(classIndex), count: batch.count))
        }
        var predictions = Array(repeating: Int64(0), count: batch.count)
        let clean = try LabelledBatch(
            imageShape: batch.imageShape,
            images: making.normalization?.scaled(batch.images, pixelCount: batch.imageShape.pixelCount)
                ?? batch.images, labels: Self.noLabels(count: batch.count))
        try predictions.withUnsafeMutableBufferPointer { predictions throws(ExplanationError) in
            let results = UncheckedSendable(predictions)
            try explainer.forEachSample(of: clean, at: parameters, withGradient: false) {
                results.value[$0.position] = Int64($0.prediction)
            }
        }
        return SharedElements(predictions)
    }

    /// Labels that nobody looks at: the dataset's may be of classes that the model does not have.
    private static func noLabels(count: Int) -> SharedElements<Int64> {
        SharedElements(repeatElement(0, count: count))
    }

    /// Adds up the gradients of noisy copies.
    private func sum(
        _ batch: Batch, labels: SharedElements<Int64>, copyCount: Int, noise: GaussianNoise
    ) throws(ExplanationError) {
        let size = batch.imageShape.elementCount
        if sums.count != batch.count * size {
            sums = Array(repeating: 0, count: batch.count * size)
        } else {
            for index in sums.indices { sums[index] = 0 }
        }
        for copy in 1...max(copyCount, 1) {
            let images = SharedElements<Float>(count: batch.images.count) { images in
                _ = images.update(fromContentsOf: batch.images)
                let memory = UncheckedSendable(images)
                workers.run(parts: batch.count) { _, position in
                    noise.apply(
                        to: UnsafeMutableBufferPointer(
                            rebasing: memory.value[position * size..<(position + 1) * size]),
                        index: batch.indices[position], copy: copy)
                }
                making.normalization?.scale(images, pixelCount: batch.imageShape.pixelCount)
            }
            let labelled = try LabelledBatch(imageShape: batch.imageShape, images: images, labels: labels)
            try sums.withUnsafeMutableBufferPointer { sums throws(ExplanationError) in
                let memory = UncheckedSendable(sums)
                try explainer.forEachSample(of: labelled, at: parameters, withGradient: true) { sample in
                    ModelGradients.add(
                        sample.gradient,
                        to: UnsafeMutableBufferPointer(
                            rebasing: memory.value[sample.position * size..<(sample.position + 1) * size]))
                }
            }
        }
    }

    /// Ranks the sums of a batch.
    private func addSums(
        of batch: Batch, to masks: GradientMasks<Scalar>, copyCount: Int,
        saving attributions: AttributionFile<Scalar>?
    ) throws {
        let size = batch.imageShape.elementCount
        try masks.add(indices: batch.indices) { select in
            sums.withUnsafeBufferPointer { sums in
                let memory = UncheckedSendable(sums)
                workers.run(parts: batch.count) { worker, position in
                    let sum = UnsafeBufferPointer(
                        rebasing: memory.value[position * size..<(position + 1) * size])
                    // The sum of the copies ranks as their mean does.
                    select(worker, position, sum)
                    attributions?.keep(sum, position: position, copyCount: copyCount)
                }
            }
        }
    }

    private static func add(
        _ gradient: UnsafeBufferPointer<Scalar>, to sum: UnsafeMutableBufferPointer<Scalar>
    ) {
        for index in 0..<sum.count { sum[index] += gradient[index] }
    }
}

/// Gradients that are means over noisy copies of the image, which are steadier than the gradient at the image: SmoothGrad
/// (Smilkov, Thorat, Kim, Viégas and Wattenberg, 2017).
public struct GradientSmoothing: Equatable, Sendable {
    /// The number of copies, at least 1.
    public var copyCount: Int
    /// The standard deviation of the normal noise as a share of the range of values: 0 to 1 for integers, from the
    /// smallest to the largest value of each image for floating-point numbers.
    public var deviation: Double
    /// Decides the noise, together with the sample and the number of the copy.
    public var seed: UInt64

    public init(copyCount: Int, deviation: Double = 0.15, seed: UInt64 = 0) {
        self.copyCount = copyCount
        self.deviation = deviation
        self.seed = seed
    }
}
