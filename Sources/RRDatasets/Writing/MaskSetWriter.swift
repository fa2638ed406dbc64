package import RRFormats
package import RRSchemas
public import RRTensor

/// Writes a mask set file, sample by sample in any order; the same masks make the same bytes.
///
/// Memory does not grow with the number of masks. The file appears when it is finished, whole or not at all; a writer
/// that is let go before leaves nothing behind. It is used by one thread at a time.
public final class MaskSetWriter {
    /// The shape `(C or 1, H, W)` of each mask.
    public let maskShape: ImageShape

    private let path: String
    private let dataset: Dataset
    private var builder: MaskSetBuilder?

    /// Starts a file of masks for a dataset.
    ///
    /// - Parameters:
    ///   - path: where the mask set appears.
    ///   - dataset: the dataset whose samples get masks.
    ///   - perChannel: whether each channel of an image has a mask of its own, (C, H, W), else one, (1, H,
    ///     W), is for all.
    ///   - force: whether an existing file is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `TensorError` where the masks have more
    ///   elements than memory can address.
    public init(path: String, for dataset: Dataset, perChannel: Bool = false, force: Bool = false) throws {
        let image = dataset.imageShape
        maskShape =
            perChannel ? image : try ImageShape(channels: 1, height: image.height, width: image.width)
        self.path = path
        self.dataset = dataset
        builder = try MaskSetBuilder(
            path: path, force: force, maskShape: maskShape, sampleCount: dataset.sampleCount,
            samples: 0..<dataset.sampleCount)
    }

    /// Writes the mask of a sample; one without a 1 leaves the sample unannotated.
    ///
    /// - Parameters:
    ///   - mask: (C or 1, H, W) as `maskShape` says, or (H, W) where C is 1; 0 and 1 only, 1 for "no valid reason".
    ///   - index: the sample's place in the dataset.
    /// - Throws: `DatasetError` with the code `wrongMaskSize`, `nonBinaryMask`, `indexOutOfRange`, or `duplicateMask`
    ///   where the sample has a mask already; `FormatError` with the code `cannotWrite`, also after `finish`.
    public func write(_ mask: Tensor<UInt8>, forSample index: Int) throws {
        guard let builder else { throw Self.finished(path) }
        guard 0..<dataset.sampleCount ~= index else {
            throw DatasetError(
                .indexOutOfRange, path: path,
                "there is no sample \(index): \(dataset.path) has the samples 0 to \(dataset.sampleCount - 1)"
            )
        }
        let extents = mask.shape.dimensions
        guard
            extents == maskShape.dimensions
                || (maskShape.channels == 1 && extents == [maskShape.height, maskShape.width])
        else {
            throw DatasetError(
                .wrongMaskSize, path: path,
                "the mask of sample \(index) has the shape \(mask.shape), where \(maskShape) is needed")
        }
        try mask.elements.withUnsafeBufferPointer { bytes in
            Result {
                if let place = MaskRows.firstNonBinary(in: bytes) {
                    throw DatasetError(
                        .nonBinaryMask, path: path,
                        "the mask of sample \(index) has the value \(bytes[place]) at element \(place); masks hold 0 "
                            + "and 1 only")
                }
                try builder.add(repeating: bytes, for: index)
            }
        }.get()
    }

    /// Finishes the file, and opens it.
    ///
    /// - Parameter provenance: how the masks were made, kept in the file by name.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`, also where it is finished already.
    public func finish(provenance: [String: String] = [:]) throws -> MaskSet {
        guard let builder else { throw Self.finished(path) }
        self.builder = nil
        try builder.finish(
            datasetFingerprint: try dataset.fingerprint,
            provenance: .object(provenance.mapValues { .string($0) }))
        return try MaskSet(path: path, for: dataset)
    }

    private static func finished(_ path: String) -> FormatError {
        FormatError(.cannotWrite, path: path, "the mask set is finished already")
    }

    /// Writes a mask set that is in memory.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    package static func write(_ masks: MaskSet, provenance: JSONValue, path: String, force: Bool) throws {
        let output = try AtomicOutput(path: path, force: force)
        try write(masks, provenance: provenance, to: output)
        try output.commit()
    }

    /// Writes a mask set to an output that the caller commits, so that it appears together with another.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ masks: MaskSet, provenance: JSONValue, to output: AtomicOutput) throws {
        try write(masks, provenanceText: provenance.serialized(), to: output)
    }

    /// Writes a mask set whose provenance is text already.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func write(_ masks: MaskSet, provenanceText: String, to output: AtomicOutput) throws {
        let maskCount = masks.bits.rowCount - 1
        let file = try MaskSetFile(output, capacity: maskCount, maskShape: masks.maskShape)
        for row in 0..<maskCount { masks.bits.expandRow(row, into: try file.addMask()) }
        try file.finish(
            rows: masks.rows.map { Int64($0) }, datasetFingerprint: masks.datasetFingerprint,
            provenance: provenanceText)
    }
}
