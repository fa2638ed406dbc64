internal import RRFormats
internal import RRTensor

extension Dataset {
    /// The bytes of an image as it is stored.
    package var imageSize: Int { imageShape.elementCount * elementType.size }

    /// Reads an image as the float32 that reaches a network: uint8 / 255, uint16 / 65,535, float32 as it is.
    ///
    /// The image's checksum is verified the first time it is read.
    ///
    /// - Parameter image: `imageShape.elementCount` elements to fill, `(C, H, W)`.
    /// - Throws: `DatasetError` with the code `indexOutOfRange` or `checksumMismatch`, which names the sample;
    ///   `FormatError` where the file is damaged.
    package func readImage(at index: Int, into image: UnsafeMutableBufferPointer<Float>) throws {
        precondition(image.count == imageShape.elementCount)
        // The stored bytes are read into the end of the buffer that they are spread out over.
        let bytes = UnsafeMutableRawBufferPointer(image)
        let stored = UnsafeMutableRawBufferPointer(rebasing: bytes.suffix(imageSize))
        try readStored(at: index, into: stored)
        switch elementType {
        case .uint8: ImageScaling.spread(UInt8.self, maximum: 255, over: image)
        case .uint16: ImageScaling.spread(UInt16.self, maximum: 65535, over: image)
        case .float32: break
        }
    }

    /// Reads the stored bytes of an image, verifying its checksum the first time.
    ///
    /// - Parameter bytes: `imageSize` bytes to fill, C order, little-endian.
    /// - Throws: as `readImage(at:into:)`.
    package func readStored(at index: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        guard index >= 0, index < sampleCount else {
            throw DatasetError(
                .indexOutOfRange, path: path,
                "there is no sample \(index); the samples are 0 to \(sampleCount - 1)")
        }
        precondition(bytes.count == imageSize)
        try source.read(rows: index..<index + 1, into: bytes)
        try verify(UnsafeRawBufferPointer(bytes), at: index)
    }

    /// Verifies the checksum of an image, unless that was done before, or by the source as it decoded the image.
    func verify(_ bytes: UnsafeRawBufferPointer, at index: Int) throws(DatasetError) {
        guard pngs == nil else { return }
        guard parts.isEmpty else {
            var first = 0
            for part in parts {
                if index < first + part.sampleCount { return try part.verify(bytes, at: index - first) }
                first += part.sampleCount
            }
            return
        }
        guard !verified.contains(index) else { return }
        let checksum = CRC32.checksum(of: bytes)
        guard checksum == storedChecksums[index] else { throw checksumMismatch(at: index, found: checksum) }
        verified.insert(index)
    }

    /// Reads the stored bytes of several images without verifying them.
    ///
    /// - Parameter bytes: `imageSize` bytes for each row to fill.
    /// - Throws: `FormatError` where the file is damaged.
    package func readStored(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws {
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= sampleCount && bytes.count == rows.count * imageSize)
        try source.read(rows: rows, into: bytes)
    }

    private func checksumMismatch(at index: Int, found: UInt32) -> DatasetError {
        let id = (try? ids()[index]).map { "“\($0)”" } ?? "without an id"
        return DatasetError(
            .checksumMismatch, path: "\(path):/images",
            "sample \(index) (\(id)) is corrupt: its bytes have the checksum \(found), "
                + "but \(storedChecksums[index]) was stored. Import the dataset anew")
    }
}
