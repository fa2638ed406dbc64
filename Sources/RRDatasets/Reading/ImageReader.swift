internal import CStoredElements
internal import RRFormats
internal import RRTensor
internal import Synchronization

/// Reads images of a dataset on one thread, with memory of its own that is used again and again.
package final class ImageReader {
    private let source: any DatasetSource
    private let verified: SampleFlags
    private let elementType: ImageElementType
    private let sampleCount: Int
    /// The bytes of an image.
    private let size: Int
    private let cache: ImageCache?
    private let reader: any ImageRowReader
    private let stored: UnsafeMutableRawBufferPointer

    /// - Parameter cache: shared by the readers of a stream; nil for none.
    /// - Throws: `FormatError` where the file is not there any more or is damaged.
    package init(_ dataset: Dataset, cache: ImageCache?) throws {
        (source, verified) = (dataset.source, dataset.verified)
        (elementType, sampleCount, size) = (dataset.elementType, dataset.sampleCount, dataset.imageSize)
        self.cache = cache
        reader = try source.makeReader()
        stored = .allocate(byteCount: size, alignment: 64)
    }

    deinit { stored.deallocate() }

    /// Reads an image as the float32 that reaches a network: uint8 / 255, uint16 / 65,535, float32 as it is, bit for bit
    /// NumPy's.
    ///
    /// The image's checksum is verified the first time it is read.
    ///
    /// - Parameter image: `imageShape.elementCount` elements to fill, `(C, H, W)`.
    /// - Throws: `DatasetError` with the code `checksumMismatch`, which names the sample; `FormatError` where the file
    ///   is damaged or cannot be read.
    package func readImage(at index: Int, into image: UnsafeMutableBufferPointer<Float>) throws {
        try withStored(at: index) { [elementType] bytes in
            switch elementType {
            case .uint8:
                precondition(bytes.count == image.count)
                rr_scale_bytes(bytes.bindMemory(to: UInt8.self).baseAddress, image.count, image.baseAddress)
            case .uint16:
                let integers = bytes.bindMemory(to: UInt16.self)
                precondition(integers.count == image.count)
                for position in 0..<image.count { image[position] = Float(Int32(integers[position])) / 65535 }
            case .float32: UnsafeMutableRawBufferPointer(image).copyMemory(from: bytes)
            }
        }
    }

    /// Reads the stored bytes of an image, `(C, H, W)`, little-endian.
    ///
    /// - Throws: as `readImage(at:into:)`.
    package func readStored(at index: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        precondition(bytes.count == size)
        try withStored(at: index) { bytes.copyMemory(from: $0) }
    }

    /// Asks for an image that is read soon, where it is in memory.
    package func prefetchImage(at index: Int) {
        guard let cache else { return }
        let (block, row) = index.quotientAndRemainder(dividingBy: cache.rowsPerBlock)
        guard let start = cache.blocks.keptBlock(block)?.baseAddress else { return }
        rr_prefetch(start + row * size, size)
    }

    /// Checks that nobody has written to the file since it was opened; after a read, that what was read is right.
    ///
    /// - Throws: `FormatError` with the code `changed`.
    package func checkUnchanged() throws { try source.checkUnchanged() }

    private func withStored(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        guard let cache else {
            try reader.read(rows: index..<index + 1, into: stored)
            try verify(UnsafeRawBufferPointer(stored), at: index)
            return body(UnsafeRawBufferPointer(stored))
        }
        let (block, row) = index.quotientAndRemainder(dividingBy: cache.rowsPerBlock)
        try cache.blocks.withBlock(block) { [reader, sampleCount, size] bytes in
            let first = block * cache.rowsPerBlock
            let rows = first..<min(first + cache.rowsPerBlock, sampleCount)
            try reader.read(
                rows: rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(rows.count * size)]))
        } _: { bytes in
            let image = UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size])
            try verify(image, at: index)
            body(image)
        }
    }

    /// Verifies an image's checksum, unless that was done before.
    private func verify(_ image: UnsafeRawBufferPointer, at index: Int) throws {
        guard !verified.contains(index) else { return }
        try source.verify(image, at: index)
        verified.insert(index)
    }
}

/// Readers of a dataset for those who read an image now and then, on whatever thread.
///
/// Unchecked: all that changes is touched under `lock`, and a reader is had by one thread from `take` to `giveBack`.
final class ImageReaderPool: @unchecked Sendable {
    /// The memory that images take which can only be fetched by whole blocks.
    private static let memory = 64 << 20

    private let lock = Mutex(())
    private var spare: [ImageReader] = []
    private var cache: ImageCache?

    /// - Throws: as `ImageReader.init`.
    func take(for dataset: Dataset) throws -> ImageReader {
        try lock.withLock { _ in
            if let reader = spare.popLast() { return reader }
            if cache == nil, dataset.source.block.isIndivisible {
                cache = ImageCache(of: dataset, memory: Self.memory)
            }
            return try ImageReader(dataset, cache: cache)
        }
    }

    func giveBack(_ reader: ImageReader) { lock.withLock { _ in spare.append(reader) } }
}
