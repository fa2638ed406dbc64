import RRDatasets
import RRFormats
import RRPreparation
import RRStreaming
import RRTensor

/// Writes batches on standard output as a tar archive as WebDataset reads it: four members a sample, `image.npy`,
/// `mask.npy`, `cls` and `index`, under the number of the sample in the stream.
///
/// Source: the WebDataset format, github.com/webdataset/webdataset, `docs/webdataset-format`.
struct WebDatasetBatchWriter {
    /// The type of images as they are stored; nil for float32.
    let storedType: ImageElementType?

    private var sampleCount = 0
    private var pending: [UInt8] = []
    private var output = StandardOutput()

    /// The bytes written so far.
    var byteCount: Int { output.byteCount }

    init(storedType: ImageElementType?) { self.storedType = storedType }

    /// Writes the samples of a batch.
    ///
    /// - Returns: whether the reader still reads; false once it has closed the pipe.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func write(_ batch: Batch) throws -> Bool {
        let shape = batch.imageShape
        let imageHeader = NPYHeader.bytes(
            shape: shape.dimensions, descriptor: storedType?.npyDescriptor ?? "<f4")
        let maskHeader = NPYHeader.bytes(shape: shape.dimensions, descriptor: "|u1")
        let (labels, indices, masks) = (batch.labels, batch.indices, batch.masks)
        let (images, storedImages) = (batch.images, batch.storedImages)
        for row in 0..<batch.count {
            let digits = String(sampleCount)
            let key = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
            sampleCount += 1
            if storedType == nil {
                images.withUnsafeBytes { add("\(key).image.npy", imageHeader, part(row, of: $0, batch)) }
            } else {
                storedImages.withUnsafeBytes {
                    add("\(key).image.npy", imageHeader, part(row, of: $0, batch))
                }
            }
            masks.withUnsafeBytes { add("\(key).mask.npy", maskHeader, part(row, of: $0, batch)) }
            "\(labels[row])".utf8CString.dropLast().withUnsafeBytes { add("\(key).cls", [], $0) }
            "\(indices[row])".utf8CString.dropLast().withUnsafeBytes { add("\(key).index", [], $0) }
            if pending.count > 1 << 20, try !flush() { return false }
        }
        return try flush()
    }

    /// Writes the end of the archive.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func finish() throws -> Bool {
        pending += TarWriter.end
        return try flush()
    }

    private func part(
        _ row: Int, of bytes: UnsafeRawBufferPointer, _ batch: Batch
    ) -> UnsafeRawBufferPointer {
        let size = bytes.count / batch.count
        return UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size])
    }

    private mutating func add(_ name: String, _ header: [UInt8], _ bytes: UnsafeRawBufferPointer) {
        let size = header.count + bytes.count
        pending += TarWriter.memberHeader(name: name, size: size)
        pending += header
        pending.append(contentsOf: bytes)
        pending += TarWriter.padding(after: size)
    }

    private mutating func flush() throws -> Bool {
        defer { pending.removeAll(keepingCapacity: true) }
        return try pending.withUnsafeBytes { try output.write($0) }
    }
}
