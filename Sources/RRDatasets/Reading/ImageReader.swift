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

    /// Where an image goes, and as what.
    package enum Target {
        /// `imageShape.elementCount` elements `(C, H, W)` as they reach a network: uint8 / 255, uint16 / 65,535, float32 as
        /// it is, bit for bit NumPy's.
        case floats(UnsafeMutableBufferPointer<Float>)
        /// The bytes as they are stored, `(C, H, W)`, little-endian.
        case stored(UnsafeMutableRawBufferPointer)
    }

    /// Reads an image, whose checksum is verified the first time.
    ///
    /// - Parameter target: as large as the image.
    /// - Throws: `DatasetError` with the code `checksumMismatch`, which names the sample; `FormatError` where the file
    ///   is damaged or cannot be read.
    package func readImage(at index: Int, into target: Target) throws {
        var held: BlockCache.Held?
        defer { if let held { cache?.blocks.release(held) } }
        let image: UnsafeRawBufferPointer
        if let cache {
            let (number, row) = index.quotientAndRemainder(dividingBy: cache.rowsPerBlock)
            let rows = index - row..<min(index - row + cache.rowsPerBlock, sampleCount)
            let block = try cache.blocks.hold(number) { bytes in
                try reader.read(
                    rows: rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(rows.count * size)]))
            }
            held = block
            image = UnsafeRawBufferPointer(rebasing: block.bytes[row * size..<(row + 1) * size])
        } else {
            try reader.read(rows: index..<index + 1, into: stored)
            image = UnsafeRawBufferPointer(stored)
        }
        if !verified.contains(index) {
            try source.verify(image, at: index)
            verified.insert(index)
        }
        switch (target, elementType) {
        case (.stored(let bytes), _):
            precondition(bytes.count == size)
            bytes.copyMemory(from: image)
        case (.floats(let floats), .uint8):
            precondition(image.count == floats.count)
            rr_scale_bytes(image.bindMemory(to: UInt8.self).baseAddress, floats.count, floats.baseAddress)
        case (.floats(let floats), .uint16):
            let integers = image.bindMemory(to: UInt16.self)
            precondition(integers.count == floats.count)
            for position in 0..<floats.count { floats[position] = Float(Int32(integers[position])) / 65535 }
        case (.floats(let floats), .float32): UnsafeMutableRawBufferPointer(floats).copyMemory(from: image)
        }
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
