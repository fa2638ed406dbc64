internal import CStoredElements
internal import RRFormats
internal import RRTensor

/// Reads images of a dataset on one thread, with memory of its own that is used again and again.
package final class ImageReader {
    private let dataset: Dataset
    private let cache: ImageCache?
    private let reader: any ImageRowReader
    private let stored: UnsafeMutableRawBufferPointer

    /// - Parameter cache: shared by the readers of a stream; nil for none.
    /// - Throws: `FormatError` where the file is not there any more or is damaged.
    package init(_ dataset: Dataset, cache: ImageCache?) throws {
        self.dataset = dataset
        self.cache = cache
        reader = try dataset.source.makeReader()
        stored = .allocate(byteCount: dataset.imageSize, alignment: 64)
    }

    deinit { stored.deallocate() }

    /// Reads an image as the float32 that reaches a network: uint8 / 255, uint16 / 65,535, float32 as it is.
    ///
    /// The image's checksum is verified the first time it is read.
    ///
    /// - Parameter image: `imageShape.elementCount` elements to fill, `(C, H, W)`.
    /// - Throws: `DatasetError` with the code `checksumMismatch`, which names the sample; `FormatError` where the file
    ///   is damaged or cannot be read.
    package func readImage(at index: Int, into image: UnsafeMutableBufferPointer<Float>) throws {
        let elementType = dataset.elementType
        try withStored(at: index) { bytes in
            switch elementType {
            case .uint8: ImageScaling.scale(bytes.bindMemory(to: UInt8.self), into: image)
            case .uint16: ImageScaling.scale(bytes.bindMemory(to: UInt16.self), into: image)
            case .float32: UnsafeMutableRawBufferPointer(image).copyMemory(from: bytes)
            }
        }
    }

    /// Reads the stored bytes of an image, `(C, H, W)`, little-endian.
    ///
    /// - Throws: as `readImage(at:into:)`.
    package func readStored(at index: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        precondition(bytes.count == dataset.imageSize)
        try withStored(at: index) { bytes.copyMemory(from: $0) }
    }

    /// Asks for an image that is read soon, where it is in memory.
    package func prefetchImage(at index: Int) {
        guard let cache else { return }
        let (block, row) = index.quotientAndRemainder(dividingBy: cache.rowsPerBlock)
        guard let start = cache.blocks.keptBlock(block)?.baseAddress else { return }
        rr_prefetch(start + row * dataset.imageSize, dataset.imageSize)
    }

    /// Checks that nobody has written to the file since it was opened; after a read, that what was read is right.
    ///
    /// - Throws: `FormatError` with the code `changed`.
    package func checkUnchanged() throws { try dataset.source.checkUnchanged() }

    private func withStored(at index: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        let size = dataset.imageSize
        guard let cache else {
            try reader.read(rows: index..<index + 1, into: stored)
            try dataset.verify(UnsafeRawBufferPointer(stored), at: index)
            return body(UnsafeRawBufferPointer(stored))
        }
        let (block, row) = index.quotientAndRemainder(dividingBy: cache.rowsPerBlock)
        try cache.blocks.withBlock(block) { [dataset, reader] bytes in
            let first = block * cache.rowsPerBlock
            let rows = first..<min(first + cache.rowsPerBlock, dataset.sampleCount)
            try reader.read(
                rows: rows, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(rows.count * size)]))
        } _: { bytes in
            let image = UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size])
            try dataset.verify(image, at: index)
            body(image)
        }
    }
}
