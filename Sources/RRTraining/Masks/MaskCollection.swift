internal import RRDatasets
internal import RRExplanation
public import RRTensor

/// Masks that were made for the samples of a dataset.
public struct CollectedMasks: Sendable {
    /// The rows of A, the last of them all zero.
    public let bits: MaskBits
    /// The row of A for each sample of the dataset; the last for a sample without a mask.
    public let rows: [Int]
    /// The shape of one mask; one channel where channels were summed.
    public let maskShape: ImageShape
    /// The samples that were looked at.
    public let sampleCount: Int
    /// Of those, the samples whose input gradient is zero throughout and which got no mask for it.
    public let zeroGradientCount: Int

    /// The samples of the dataset with a mask, those of the union included.
    public var annotatedCount: Int { bits.rowCount - 1 }

    /// The number of ones in all masks together.
    public var oneCount: Int { (0..<bits.rowCount).reduce(0) { $0 + bits.count(row: $1) } }
}

/// Masks in the making: one for each sample that is added, joined with those of an older mask set.
struct MaskCollection {
    /// The shape of a mask as it is added, before it is joined with a mask of more channels.
    let maskShape: ImageShape
    private(set) var sampleCount = 0

    private let dataset: Dataset
    private let union: MaskSet?
    private let outputShape: ImageShape
    /// A row for each sample of the dataset, so that masks may come in any order.
    private var bits: MaskBits
    private var zeroGradientCount = 0

    /// - Throws: `TensorError` where the masks have more elements than memory can address.
    init(_ dataset: Dataset, isPerPixel: Bool, union: MaskSet?) throws {
        (maskShape, outputShape) = try Self.shapes(of: dataset, isPerPixel: isPerPixel, union: union)
        bits = try MaskBits(rowCount: dataset.sampleCount, elementsPerRow: outputShape.elementCount)
        self.dataset = dataset
        self.union = union
    }

    /// The shapes of a mask as it is added, and joined with an older one.
    static func shapes(
        of dataset: Dataset, isPerPixel: Bool, union: MaskSet?
    ) throws(TensorError) -> (added: ImageShape, written: ImageShape) {
        let image = dataset.imageShape
        let plane = try ImageShape(channels: 1, height: image.height, width: image.width)
        return (
            isPerPixel ? plane : image,
            isPerPixel && union.map { $0.maskShape.channels == 1 } ?? true ? plane : image
        )
    }

    /// The error for a gradient that cannot be ranked.
    static func notFinite(sample index: Int, of dataset: Dataset) throws -> ExplanationError {
        ExplanationError(
            .gradientNotFinite,
            "the input gradient of sample \(index) (\(try dataset.ids()[index])) is not finite: the weights are of "
                + "no use")
    }

    /// Forgets the masks that were added.
    mutating func removeAll() throws {
        bits = try MaskBits(rowCount: dataset.sampleCount, elementsPerRow: outputShape.elementCount)
        sampleCount = 0
        zeroGradientCount = 0
    }

    /// Adds the masks of a batch.
    ///
    /// - Parameters:
    ///   - masks: (samples, elements of `maskShape`), 0 or 1.
    ///   - indices: the sample that each mask belongs to.
    /// - Throws: `ExplanationError` with the code `gradientNotFinite`, naming the sample.
    mutating func add(_ masks: [UInt8], _ outcomes: [MaskOutcome], indices: [Int64]) throws {
        let copies = outputShape.channels / maskShape.channels
        let count = maskShape.elementCount
        for (position, outcome) in outcomes.enumerated() {
            let index = Int(indices[position])
            sampleCount += 1
            switch outcome {
            case .zeroGradient: zeroGradientCount += 1
            case .notFinite: throw try Self.notFinite(sample: index, of: dataset)
            case .mask:
                let mask = masks[position * count..<(position + 1) * count]
                let repeated = copies == 1 ? mask : ArraySlice((0..<copies).flatMap { _ in mask })
                repeated.withUnsafeBufferPointer { bits.setRow(index, from: $0) }
            }
        }
    }

    /// Joins the masks with the older ones, and leaves out samples without any.
    func finish() throws -> CollectedMasks {
        var joined = bits
        if let union {
            var bytes = Array(repeating: UInt8(0), count: outputShape.elementCount)
            var older = try MaskBits(rowCount: 1, elementsPerRow: bytes.count)
            for index in 0..<dataset.sampleCount {
                let isAnnotated = bytes.withUnsafeMutableBufferPointer {
                    union.expandMask(ofSample: index, channels: outputShape.channels, into: $0)
                }
                guard isAnnotated else { continue }
                bytes.withUnsafeBufferPointer { older.setRow(0, from: $0) }
                joined.formUnion(row: index, with: older, row: 0)
            }
        }
        let annotated = (0..<dataset.sampleCount).filter { joined.count(row: $0) > 0 }
        var kept = try MaskBits(rowCount: annotated.count + 1, elementsPerRow: outputShape.elementCount)
        var rows = Array(repeating: annotated.count, count: dataset.sampleCount)
        for (row, index) in annotated.enumerated() {
            rows[index] = row
            kept.formUnion(row: row, with: joined, row: index)
        }
        return CollectedMasks(
            bits: kept, rows: rows, maskShape: outputShape, sampleCount: sampleCount,
            zeroGradientCount: zeroGradientCount)
    }
}
