internal import RRExplanation
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// Watches what becomes of predictions as the pixels that input gradients rank highest are deleted and inserted.
final class CurveObserver<Scalar: NetworkScalar> {
    private let predictor: BatchPredictor<Scalar>
    private let stepCount: Int

    init(_ predictor: BatchPredictor<Scalar>, stepCount: Int) {
        self.predictor = predictor
        self.stepCount = stepCount
    }

    /// Adds the samples of a batch to curves.
    ///
    /// - Parameters:
    ///   - seen: the images as the network sees them.
    ///   - orders: of the pixels of each sample; nil for one that is left out.
    ///   - predictions: the class that each was taken for.
    /// - Throws: `ExplanationError` with the code `batchMismatch` or `labelOutOfRange`.
    func observe(
        _ seen: LabelledBatch, orders: [PixelOrder?], predictions: [Int], into curves: inout PixelCurves
    ) throws(ExplanationError) {
        let samples = orders.indices.filter { orders[$0] != nil }
        let imageCount = 2 * (stepCount + 1)
        let count = max(1, Evaluation.batchSize(for: predictor.input) / imageCount)
        for start in stride(from: 0, to: samples.count, by: count) {
            let chosen = Array(samples[start..<min(start + count, samples.count)])
            let probabilities = try probabilities(of: chosen, seen, orders, predictions)
            for number in chosen.indices {
                let values = probabilities[number * imageCount..<(number + 1) * imageCount]
                curves.add(
                    deletion: Array(values.prefix(stepCount + 1)),
                    insertion: Array(values.suffix(stepCount + 1)))
            }
        }
    }

    /// The probability of the predicted class after each step of the deletion, then of the insertion, sample by sample.
    private func probabilities(
        of samples: [Int], _ seen: LabelledBatch, _ orders: [PixelOrder?], _ predictions: [Int]
    ) throws(ExplanationError) -> [Double] {
        let (stepCount, imageCount, shape) = (stepCount, 2 * (stepCount + 1), predictor.input)
        let size = shape.elementCount
        let blurred = seen.images.withUnsafeBufferPointer { images in
            samples.map {
                PixelOrder.blur(
                    UnsafeBufferPointer(rebasing: images[$0 * size..<($0 + 1) * size]), shape: shape)
            }
        }
        let rows = samples.flatMap { repeatElement($0, count: imageCount) }
        var probabilities = Array(repeating: 0.0, count: rows.count)
        try probabilities.withUnsafeMutableBufferPointer { probabilities throws(ExplanationError) in
            let results = UncheckedSendable(probabilities)
            try predictor.predict(
                rows, of: seen.images, labels: seen.labels, isSeen: true,
                changedBy: { image, place, _ in
                    let (number, rest) = place.quotientAndRemainder(dividingBy: imageCount)
                    let (curve, step) = rest.quotientAndRemainder(dividingBy: stepCount + 1)
                    guard let order = orders[rows[place]] else { return }
                    if curve == 0 {
                        order.delete(image, step: step, of: stepCount)
                    } else {
                        blurred[number].withUnsafeBufferPointer {
                            order.insert(image, step: step, of: stepCount, blurred: $0)
                        }
                    }
                }
            ) { sample in
                results.value[sample.position] = sample.probabilities[predictions[rows[sample.position]]]
            }
        }
        return probabilities
    }
}
