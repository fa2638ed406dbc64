internal import RRExplanation
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// Predicts classes of samples whose images were changed.
final class BatchPredictor<Scalar: NetworkScalar> {
    let workers: Workers
    let explainer: InputGradients<Scalar>
    let parameters: Parameters<Scalar>
    private let normalization: InputNormalization?

    /// The shape `(C, H, W)` of images.
    var input: ImageShape { explainer.network.model.input }

    init(
        network: Network<Scalar>, parameters: Parameters<Scalar>, normalization: InputNormalization?,
        target: PenaltyTarget, threadCount: Int?
    ) {
        workers = Workers(count: threadCount)
        explainer = InputGradients(network: network, target: target, threadCount: workers.count)
        self.parameters = parameters
        self.normalization = normalization
    }

    /// Images as the network sees them, with their labels and masks.
    ///
    /// - Throws: `ExplanationError` with the code `batchMismatch`.
    func seen(_ batch: Batch) throws(ExplanationError) -> LabelledBatch {
        try LabelledBatch(batch, normalization)
    }

    /// Calls a body with what the model says of copies of images that were changed, from several threads at once.
    ///
    /// - Parameters:
    ///   - samples: rows of the batch, any number of times each.
    ///   - images: `(N, C, H, W)` of the batch.
    ///   - isSeen: whether these are as the network sees them; else they are scaled once they were changed.
    ///   - change: changes the copy of the sample at a place in `samples`; called from several threads, no two at once with
    ///     the same number of a worker.
    ///   - body: is given a sample whose position is its place in `samples`.
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`.
    func predict(
        _ samples: [Int], of images: SharedElements<Float>, labels: SharedElements<Int64>, isSeen: Bool,
        changedBy change: (
            _ image: UnsafeMutableBufferPointer<Float>, _ place: Int, _ worker: Int
        ) -> Void,
        _ body: @Sendable (ExplainedSample<Scalar>) -> Void
    ) throws(ExplanationError) {
        let count = input.elementCount
        let copies = SharedElements<Float>(count: samples.count * count) { copies in
            images.withUnsafeBufferPointer { images in
                withoutActuallyEscaping(change) { change in
                    let memory = UncheckedSendable((images, copies, change))
                    workers.run(parts: samples.count) { worker, place in
                        let (images, copies, change) = memory.value
                        let image = UnsafeMutableBufferPointer(
                            rebasing: copies[place * count..<(place + 1) * count])
                        let sample = samples[place]
                        _ = image.update(fromContentsOf: images[sample * count..<(sample + 1) * count])
                        change(image, place, worker)
                    }
                }
            }
            if !isSeen { normalization?.scale(copies, pixelCount: input.pixelCount) }
        }
        let changed = try LabelledBatch(
            imageShape: input, images: copies, labels: SharedElements(samples.map { labels[$0] }))
        try explainer.forEachSample(of: changed, at: parameters, withGradient: false, body)
    }

    /// Predicts the classes of copies of images that were changed as they are before they are scaled.
    ///
    /// - Returns: the class with the largest logit, one for each of `samples`.
    /// - Throws: as `predict(_:of:labels:isSeen:changedBy:_:)`.
    func predictions(
        of samples: [Int], of batch: Batch,
        changedBy change: (
            _ image: UnsafeMutableBufferPointer<Float>, _ sample: Int, _ worker: Int
        ) -> Void
    ) throws(ExplanationError) -> [Int] {
        var predictions = Array(repeating: 0, count: samples.count)
        try predictions.withUnsafeMutableBufferPointer { predictions throws(ExplanationError) in
            let results = UncheckedSendable(predictions)
            try predict(
                samples, of: batch.images, labels: batch.labels, isSeen: false,
                changedBy: { change($0, samples[$1], $2) }
            ) { results.value[$0.position] = $0.prediction }
        }
        return predictions
    }
}
