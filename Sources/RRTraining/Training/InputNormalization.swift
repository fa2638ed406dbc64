public import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRStreaming
internal import RRTensor

/// The scaling of images, channel by channel, before they reach a network: (x − mean) / standard deviation.
///
/// A run stores it, and every command that uses the run applies it again.
public struct InputNormalization: Hashable, Sendable {
    /// The mean of each channel.
    public let means: [Float]
    /// The standard deviation of each channel, above 0.
    public let standardDeviations: [Float]

    /// The rounding of E[x²] − E[x]² reaches deviations of this share of the mean.
    private static let constantShare = 1e-6

    /// - Throws: `TrainingError` with the code `invalidOption` where the lists differ in length, or a number is not
    ///   finite or a standard deviation not above 0.
    public init(means: [Float], standardDeviations: [Float]) throws(TrainingError) {
        guard !means.isEmpty, means.count == standardDeviations.count, means.allSatisfy(\.isFinite),
            standardDeviations.allSatisfy({ $0.isFinite && $0 > 0 })
        else {
            throw TrainingError(
                .invalidOption, .option(.normalization),
                "needs a mean and a standard deviation above 0 for each channel, as in 0.49,0.48,0.45,0.2,0.2,0.2"
            )
        }
        self.means = means
        self.standardDeviations = standardDeviations
    }

    /// That of the networks which torchvision and timm have trained on ImageNet.
    public static let imageNet = InputNormalization(
        known: [0.485, 0.456, 0.406], standardDeviations: [0.229, 0.224, 0.225])

    private init(known means: [Float], standardDeviations: [Float]) {
        self.means = means
        self.standardDeviations = standardDeviations
    }

    /// Measures the samples of a split.
    ///
    /// A channel that is the same throughout, but for the rounding of the sums, keeps its scale.
    ///
    /// - Throws: `DatasetError` where a sample is damaged or the split is unknown.
    public init(measuring dataset: Dataset, split: String?) throws {
        let shape = dataset.imageShape
        var sums = Array(repeating: 0.0, count: shape.channels)
        var squares = sums
        var count = 0.0
        let stream = try BatchStream(
            dataset: dataset, options: StreamOptions(batchSize: 256, split: split))
        while let batch = try stream.next() {
            count += Double(batch.count * shape.pixelCount)
            batch.images.withUnsafeBufferPointer { images in
                for start in stride(from: 0, to: images.count, by: shape.pixelCount) {
                    let channel = start / shape.pixelCount % shape.channels
                    var (sum, square) = (0.0, 0.0)
                    for value in images[start..<start + shape.pixelCount] {
                        sum += Double(value)
                        square += Double(value) * Double(value)
                    }
                    sums[channel] += sum
                    squares[channel] += square
                }
            }
        }
        let means = sums.map { $0 / max(count, 1) }
        let deviations = zip(squares, means).map { square, mean in
            max(0, square / max(count, 1) - mean * mean).squareRoot()
        }
        try self.init(
            means: means.map { Float($0) },
            standardDeviations: zip(deviations, means).map { deviation, mean in
                deviation > max(1e-12, Self.constantShare * mean.magnitude) ? Float(deviation) : 1
            })
    }

    /// Scales the range of each channel.
    func ranges(_ ranges: [ClosedRange<Float>]) -> [ClosedRange<Float>] {
        zip(ranges, zip(means, standardDeviations)).map { range, scale in
            (range.lowerBound - scale.0) / scale.1...(range.upperBound - scale.0) / scale.1
        }
    }

    /// Scales the mean and the standard deviation of each channel.
    func moments(_ moments: [ChannelMoments]) -> [ChannelMoments] {
        zip(moments, zip(means, standardDeviations)).map { moments, scale in
            ChannelMoments(
                mean: (moments.mean - scale.0) / scale.1,
                standardDeviation: moments.standardDeviation / scale.1)
        }
    }

    /// Images (N, C, H, W) with a pixel count H · W as a network shall see them.
    func scaled(_ images: SharedElements<Float>, pixelCount: Int) -> SharedElements<Float> {
        SharedElements(count: images.count) { scaled in
            images.withUnsafeBufferPointer { scale($0, into: scaled, pixelCount: pixelCount) }
        }
    }

    /// Scales images (N, C, H, W) with a pixel count H · W where they are.
    func scale(_ images: UnsafeMutableBufferPointer<Float>, pixelCount: Int) {
        scale(UnsafeBufferPointer(images), into: images, pixelCount: pixelCount)
    }

    private func scale(
        _ images: UnsafeBufferPointer<Float>, into scaled: UnsafeMutableBufferPointer<Float>, pixelCount: Int
    ) {
        var start = 0
        var channel = 0
        while start < images.count {
            let mean = means[channel]
            let deviation = standardDeviations[channel]
            for index in start..<start + pixelCount { scaled[index] = (images[index] - mean) / deviation }
            start += pixelCount
            channel = channel + 1 == means.count ? 0 : channel + 1
        }
    }
}

/// How a training run comes by its normalisation.
public enum NormalizationChoice: Hashable, Sendable {
    case none
    /// Means and standard deviations of the training split.
    case automatic
    case fixed(InputNormalization)
}
