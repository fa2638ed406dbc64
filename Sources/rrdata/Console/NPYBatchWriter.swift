import RRDatasets
import RRFormats
import RRPreparation
import RRStreaming
import RRTensor

/// Writes batches on standard output as NPY arrays, four a batch.
struct NPYBatchWriter {
    /// The type of images as they are stored; nil for float32.
    let storedType: ImageElementType?
    private var output = StandardOutput()

    init(storedType: ImageElementType?) { self.storedType = storedType }

    /// The bytes written so far.
    var byteCount: Int { output.byteCount }

    /// Writes images, labels, index and masks of a batch.
    ///
    /// - Returns: whether the reader still reads; false once it has closed the pipe.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func write(_ batch: Batch) throws -> Bool {
        let images = [batch.count] + batch.imageShape.dimensions
        let type = storedType?.npyDescriptor ?? "<f4"
        let isRead =
            storedType == nil
            ? try write(batch.images, shape: images, type: type)
            : try write(batch.storedImages, shape: images, type: type)
        return try isRead && write(batch.labels, shape: [batch.count], type: "<i8")
            && write(batch.indices, shape: [batch.count], type: "<i8")
            && write(batch.masks, shape: images, type: "|u1")
    }

    private mutating func write<Element>(_ elements: SharedElements<Element>, shape: [Int], type: String)
        throws -> Bool
    {
        let header = NPYHeader.bytes(shape: shape, descriptor: type)
        return try header.withUnsafeBytes { try output.write($0) }
            && elements.withUnsafeBytes { try output.write($0) }
    }
}
