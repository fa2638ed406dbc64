internal import RRDatasets
internal import RRExplanation
internal import RRNetworks
internal import RRTensor

/// Turns the input gradients of batches into masks of a set, joined with those of an older one, in memory that is used
/// again for the next batch.
final class GradientMasks<Scalar: NetworkScalar> {
    /// Takes the number of the thread, the sample's position in the batch and its gradient; several threads call it at
    /// once.
    typealias Selection = @Sendable (Int, Int, UnsafeBufferPointer<Scalar>) -> Void

    /// The elements of a mask as it is selected, all of which are ranked: one channel's where channels are summed.
    let maskSize: Int
    /// The number of samples since the last `removeAll()`.
    private(set) var sampleCount = 0

    private let dataset: Dataset
    private let makeBuilder: () throws -> MaskSetBuilder
    /// Where the masks go.
    private(set) var builder: MaskSetBuilder
    private var zeroGradientCount = 0
    /// The masks of a batch, (samples, elements of a mask), 0 or 1.
    private var masks: [UInt8] = []
    private var outcomes: [MaskOutcome] = []
    private var selectors: [MaskSelector<Scalar>]

    /// Gathers masks in memory, in whatever order the samples come, or writes them to a file as they come, in the order of
    /// the dataset.
    ///
    /// As many threads as the making has may hand over gradients.
    ///
    /// - Parameter output: the file, and whether it replaces one; nil for memory.
    /// - Throws: `ExplanationError` where the selection is impossible; `TensorError` where the masks have more elements
    ///   than memory can address; for a file also `FormatError` with the code `outputExists` or `cannotWrite`, and
    ///   `DatasetError` with the code `unknownSplit`.
    init(_ making: MaskMaking, output: (path: String, force: Bool)? = nil) throws {
        let (dataset, union) = (making.dataset, making.union)
        let image = dataset.imageShape
        let plane = try ImageShape(channels: 1, height: image.height, width: image.width)
        // Whole pixels take the channels of older masks that tell channels apart.
        let written = making.isPerPixel && (union?.maskShape.channels ?? 1) == 1 ? plane : image
        makeBuilder = {
            guard let output else {
                return try MaskSetBuilder(
                    maskShape: written, sampleCount: dataset.sampleCount, capacity: dataset.sampleCount,
                    union: union)
            }
            return try MaskSetBuilder(
                path: output.path, force: output.force, maskShape: written, sampleCount: dataset.sampleCount,
                samples: dataset.indices(inSplit: making.split), union: union)
        }
        builder = try makeBuilder()
        self.dataset = dataset
        let elementCount = (making.isPerPixel ? plane : image).elementCount
        try making.selection.check(elementCount: elementCount)
        maskSize = elementCount
        selectors = (0..<Workers(count: making.threadCount).count).map { _ in MaskSelector(making.selection) }
    }

    /// Adds the masks of a batch.
    ///
    /// - Parameters:
    ///   - indices: the sample that each mask belongs to.
    ///   - notFinite: the error for the gradient of a sample that cannot be ranked; nil for an `ExplanationError` with
    ///     the code `gradientNotFinite`.
    ///   - body: hands over the gradient of each sample, which has as many elements as a mask or a multiple, whole
    ///     channels.
    /// - Throws: what `body` throws, and the error for a gradient that is not finite.
    func add<Failure: Error, Result>(
        indices: SharedElements<Int64>, notFinite: ((Int) throws -> any Error)? = nil,
        _ body: (@escaping Selection) throws(Failure) -> Result
    ) throws -> Result {
        let size = maskSize
        if outcomes.count != indices.count {
            masks = Array(repeating: 0, count: indices.count * size)
            outcomes = Array(repeating: .zeroGradient, count: indices.count)
        }
        let result = try masks.withUnsafeMutableBufferPointer { masks throws(Failure) in
            try outcomes.withUnsafeMutableBufferPointer { outcomes throws(Failure) in
                try selectors.withUnsafeMutableBufferPointer { selectors throws(Failure) in
                    let memory = UncheckedSendable((masks, outcomes, selectors))
                    return try body { worker, position, gradient in
                        let (masks, outcomes, selectors) = memory.value
                        let mask = masks[position * size..<(position + 1) * size]
                        outcomes[position] = selectors[worker].select(
                            gradient, into: UnsafeMutableBufferPointer(rebasing: mask))
                    }
                }
            }
        }
        try masks.withUnsafeMutableBufferPointer { masks in
            try indices.withUnsafeBufferPointer { indices in
                for (position, outcome) in outcomes.enumerated() {
                    let index = Int(indices[position])
                    sampleCount += 1
                    switch outcome {
                    case .zeroGradient: zeroGradientCount += 1
                    case .notFinite: throw try notFinite?(index) ?? self.notFinite(sample: index)
                    case .mask:
                        let mask = UnsafeMutableBufferPointer(
                            rebasing: masks[position * size..<(position + 1) * size])
                        if size == builder.maskShape.elementCount {
                            try builder.add(mask, for: index)
                        } else {
                            try builder.add(repeating: UnsafeBufferPointer(mask), for: index)
                        }
                    }
                }
            }
        }
        return result
    }

    /// Forgets the masks so far.
    func removeAll() throws {
        builder = try makeBuilder()
        (sampleCount, zeroGradientCount) = (0, 0)
    }

    /// The masks that were gathered in memory, joined with the older ones, without samples that have none.
    func finish() throws -> (masks: MaskSet, summary: MaskMakingSummary) {
        let (bits, rows) = try builder.finish()
        let masks = try MaskSet(
            bits: bits, rows: rows, maskShape: builder.maskShape, datasetFingerprint: dataset.fingerprint)
        return (masks, summary)
    }

    /// What came of the masks so far.
    var summary: MaskMakingSummary {
        MaskMakingSummary(
            maskShape: builder.maskShape, sampleCount: sampleCount, zeroGradientCount: zeroGradientCount,
            annotatedCount: builder.annotatedCount, oneCount: builder.oneCount)
    }

    private func notFinite(sample index: Int) throws -> ExplanationError {
        ExplanationError(
            .gradientNotFinite,
            "the input gradient of sample \(index) (\(try dataset.ids()[index])) is not finite: the weights are of "
                + "no use")
    }
}
