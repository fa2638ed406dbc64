internal import RRDatasets
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRTensor

/// The input gradients that masks are made of, on their way to a file: HDF5 with the one array `/attributions`, `(N, C, H, W)`
/// float32, a row for each sample of the split in the order of the dataset. `make-masks --gradients` takes it as it is.
///
/// `@unchecked Sendable`: threads keep gradients of different samples, and nobody writes before all are kept.
final class AttributionFile<Scalar: NetworkScalar>: @unchecked Sendable {
    private let output: AtomicOutput
    private let file: HDF5File
    private let array: HDF5Dataset
    private let size: Int
    /// The gradients of a batch.
    private let batch: UnsafeMutableBufferPointer<Float>
    private var rowCount = 0

    /// - Parameters:
    ///   - path: the file, which appears once its output is committed.
    ///   - force: whether a file that is there is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `DatasetError` with the code `unknownSplit`;
    ///   `TensorError` where there are more elements than memory can address.
    init(_ path: String, force: Bool, for making: MaskMaking) throws {
        let output = try AtomicOutput(path: path, force: force)
        let image = making.dataset.imageShape
        let shape = try TensorShape(
            [making.dataset.indices(inSplit: making.split).count] + image.dimensions)
        self.output = output
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
        array = try file.createDataset("/attributions", type: .float32, shape: shape)
        size = image.elementCount
        batch = .allocate(capacity: size * making.batchSize)
        batch.initialize(repeating: 0)
    }

    deinit { batch.deallocate() }

    /// Keeps the gradient of a sample of the batch, divided by a number of copies that it is the sum over.
    func keep(_ gradient: UnsafeBufferPointer<Scalar>, position: Int, copyCount: Int = 1) {
        let row = UnsafeMutableBufferPointer(rebasing: batch[position * size..<(position + 1) * size])
        for index in 0..<size { row[index] = Float(gradient[index] / Scalar(copyCount)) }
    }

    /// Writes what was kept of a batch.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func write(sampleCount: Int) throws(FormatError) {
        try array.write(
            batch.span.extracting(first: sampleCount * size), rows: rowCount..<rowCount + sampleCount)
        rowCount += sampleCount
    }

    /// Closes the file.
    ///
    /// - Returns: the output, to be committed with that of the masks.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func finish(datasetFingerprint: String, provenance: JSONValue) throws -> AtomicOutput {
        try file.setAttribute("dataset_fingerprint", of: "/", to: .string(datasetFingerprint))
        try file.setAttribute("provenance", of: "/", to: .string(provenance.serialized()))
        try file.close()
        return output
    }
}
