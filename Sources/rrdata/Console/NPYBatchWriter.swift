import Glibc
import RRFormats
import RRStreaming
import RRTensor

/// Writes batches on standard output as NPY arrays, four a batch.
struct NPYBatchWriter {
    /// The bytes of the batches written so far.
    private(set) var byteCount = 0

    /// Writes images, labels, index and masks of a batch.
    ///
    /// - Returns: whether the reader still reads; false once it has closed the pipe.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func write(_ batch: Batch) throws -> Bool {
        let images = [batch.count] + batch.imageShape.dimensions
        return try write(batch.images, shape: images, type: .float32)
            && write(batch.labels, shape: [batch.count], type: .int64)
            && write(batch.indices, shape: [batch.count], type: .int64)
            && write(batch.masks, shape: images, type: .uint8)
    }

    private mutating func write<Element>(_ elements: [Element], shape: [Int], type: NPYElementType) throws -> Bool {
        let header = NPYHeader.bytes(shape: shape, type: type)
        return try header.withUnsafeBytes { try write($0) } && elements.withUnsafeBytes { try write($0) }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
                byteCount += count
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                throw FormatError(.cannotWrite, path: "standard output", String(cString: strerror(errno)))
            }
        }
        return true
    }
}
