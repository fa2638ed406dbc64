internal import CPNGShim

/// PNG files to samples (W3C, Portable Network Graphics, third edition).
///
/// Every colour type and depth is served, interlaced or not. Palettes become RGB, a transparent colour or palette
/// entry (tRNS) becomes alpha, and gray of 1, 2 or 4 bits is scaled to 8. Beyond that samples are taken as they stand:
/// gamma and colour profiles are ignored. Every checksum is verified.
package enum PNGDecoder {
    /// Reads what the chunks before the pixels tell, and checks it against the limits and the length of the file.
    ///
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` for images that are too large.
    package static func storage(of bytes: UnsafeRawBufferPointer, path: String) throws(FormatError)
        -> PNGStorage
    {
        try read(bytes, fileSize: bytes.count, path: path).storage
    }

    /// Reads the same from the beginning of a file; nil where that ends before the pixels do begin.
    ///
    /// - Parameter fileSize: the bytes of the whole file.
    /// - Throws: as `storage(of:path:)`.
    package static func storage(
        ofStart bytes: UnsafeRawBufferPointer, fileSize: Int, path: String
    ) throws(FormatError) -> PNGStorage? {
        let (storage, end) = try read(bytes, fileSize: fileSize, path: path)
        guard bytes.count < fileSize else { return storage }
        guard end <= bytes.count - 8 else { return nil }
        let type = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: end + 4, as: UInt32.self))
        return type == PNGChunk.imageData ? storage : nil
    }

    /// What the chunks before the pixels tell, and where the last that was read ends.
    private static func read(
        _ bytes: UnsafeRawBufferPointer, fileSize: Int, path: String
    ) throws(FormatError) -> (storage: PNGStorage, end: Int) {
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        guard bytes.count >= 8, UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) == wholeSignature
        else {
            let isCut = !bytes.isEmpty && signature.starts(with: bytes.prefix(8))
            throw FormatError(
                .malformed, path: path, isCut ? "the file is cut short" : "this is not a PNG file")
        }
        guard bytes.count >= 33, let chunk = PNGChunk(bytes, at: 8) else {
            throw FormatError(.malformed, path: path, "the file is cut short")
        }
        guard chunk.type == PNGChunk.header, chunk.data.count == 13 else {
            throw FormatError(
                .malformed, path: path, "the file does not begin with an IHDR chunk of 13 bytes")
        }
        guard chunk.hasRightChecksum(in: bytes) else {
            throw FormatError(.malformed, path: path, "the PNG is damaged: IHDR: CRC error")
        }
        func bigEndian(at offset: Int) -> Int {
            Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        let (width, height) = (bigEndian(at: 16), bigEndian(at: 20))
        guard width > 0, height > 0 else {
            throw FormatError(.malformed, path: path, "the image is empty: \(width)×\(height)")
        }
        let bitDepth = Int(bytes[24])
        guard let colorType = PNGStorage.ColorType(rawValue: bytes[25]),
            PNGStorage.exists(colorType, bitDepth: bitDepth)
        else {
            throw FormatError(
                .malformed, path: path, "there is no PNG of colour type \(bytes[25]) with \(bitDepth) bits")
        }
        guard bytes[26] == 0, bytes[27] == 0, bytes[28] <= 1 else {
            throw FormatError(
                .malformed, path: path,
                "there is no PNG of compression method \(bytes[26]), filter method \(bytes[27]) and interlace "
                    + "method \(bytes[28])")
        }
        var (hasTransparency, hasColorSpace) = (false, false)
        var offset = 33
        while let next = PNGChunk(bytes, at: offset), next.type != PNGChunk.imageData {
            if next.type == PNGChunk.transparency { hasTransparency = true }
            if PNGChunk.namesColorSpace(next.type) { hasColorSpace = true }
            offset = next.end
        }
        let storage = PNGStorage(
            width: width, height: height, colorType: colorType, bitDepth: bitDepth,
            isInterlaced: bytes[28] == 1, hasTransparency: hasTransparency, hasColorSpace: hasColorSpace)
        try checkSize(storage, fileSize: fileSize, path: path)
        return (storage, offset)
    }

    /// Reads what decoding will make of a file.
    ///
    /// - Throws: as `storage(of:path:)`.
    package static func header(of bytes: UnsafeRawBufferPointer, path: String) throws(FormatError)
        -> PNGHeader
    {
        try storage(of: bytes, path: path).header
    }

    /// Decodes a whole file.
    ///
    /// - Throws: as `storage(of:path:)`; `malformed` also for damaged data.
    package static func decode(_ bytes: [UInt8], path: String) throws(FormatError) -> PNGImage {
        try image(of: bytes, path: path, isStored: false)
    }

    /// Decodes a whole file to what it stores: numbers of the palette, and gray of 1, 2 or 4 bits as numbers up to
    /// 1, 3 or 15. A transparent colour is ignored.
    ///
    /// - Throws: as `decode(_:path:)`.
    package static func decodeStored(_ bytes: [UInt8], path: String) throws(FormatError) -> PNGImage {
        try image(of: bytes, path: path, isStored: true)
    }

    /// Decodes a whole file into memory of the caller.
    ///
    /// - Parameters:
    ///   - storage: what `storage(of:path:)` says of the file.
    ///   - samples: as many bytes as `storage.header.byteCount`.
    /// - Throws: as `decode(_:path:)`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, storage: PNGStorage, path: String, arrangement: PNGArrangement,
        workspace: PNGWorkspace, into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        if PNGFastDecoder.decode(
            bytes, storage: storage, arrangement: arrangement, workspace: workspace, into: samples)
        {
            return
        }
        let header = storage.header
        guard arrangement == .planar, header.channels > 1, samples.count == header.byteCount else {
            return try decodeWithLibPNG(bytes, path: path, into: samples)
        }
        let pixels = workspace.memory(header.byteCount)
        try decodeWithLibPNG(bytes, path: path, into: pixels)
        let count = header.height * header.width
        if header.bitDepth == 16 {
            separate(pixels, as: UInt16.self, channels: header.channels, count: count, into: samples)
        } else {
            separate(pixels, as: UInt8.self, channels: header.channels, count: count, into: samples)
        }
    }

    /// Decodes a whole file by libpng, interleaved: the reference that all else is compared with.
    ///
    /// - Parameter isStored: whether to leave palettes, transparent colours and small samples as they stand.
    /// - Throws: as `decode(_:path:)`.
    package static func decodeWithLibPNG(
        _ bytes: UnsafeRawBufferPointer, path: String, isStored: Bool = false,
        into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        var message = rr_png_message()
        let status = rr_png_decode(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, isStored,
            samples.assumingMemoryBound(to: UInt8.self).baseAddress, samples.count, &message)
        switch status {
        case RR_PNG_OK: return
        case RR_PNG_OUT_OF_MEMORY:
            throw FormatError(.cannotRead, path: path, "there is not enough memory to decode the image")
        default:
            throw FormatError(.malformed, path: path, "the PNG is damaged: \(text(of: message))")
        }
    }
}

extension PNGDecoder {
    private static let wholeSignature: UInt64 = 0x8950_4E47_0D0A_1A0A

    private static func checkSize(_ storage: PNGStorage, fileSize: Int, path: String) throws(FormatError) {
        let (width, height, header) = (storage.width, storage.height, storage.header)
        guard max(width, height) <= PNGHeader.largestExtent,
            width * height <= PNGHeader.largestByteCount / (header.channels * header.bitDepth / 8)
        else {
            throw FormatError(
                .unsupported, path: path, "an image of \(width)×\(height) (width × height) is too large")
        }
        // Deflate makes data at most 1,032 times smaller.
        let storedBits = storage.storedHeader.channels * storage.bitDepth
        guard width * height / 8 * storedBits <= fileSize * 1100 else {
            throw FormatError(
                .malformed, path: path,
                "an image of \(width)×\(height) (width × height) cannot be in \(fileSize) bytes")
        }
    }

    private static func image(
        of bytes: [UInt8], path: String, isStored: Bool
    ) throws(FormatError) -> PNGImage {
        let result: Result<PNGImage, FormatError> = bytes.withUnsafeBytes { bytes in
            do throws(FormatError) {
                let storage = try storage(of: bytes, path: path)
                let header = isStored ? storage.storedHeader : storage.header
                var samples = [UInt8](repeating: 0, count: header.byteCount)
                let result: Result<Void, FormatError> = samples.withUnsafeMutableBytes { samples in
                    Result { () throws(FormatError) in
                        if isStored {
                            try decodeWithLibPNG(bytes, path: path, isStored: true, into: samples)
                        } else {
                            try decode(
                                bytes, storage: storage, path: path, arrangement: .interleaved,
                                workspace: PNGWorkspace(), into: samples)
                        }
                    }
                }
                try result.get()
                return .success(
                    PNGImage(
                        width: header.width, height: header.height, channels: header.channels,
                        bitDepth: header.bitDepth, samples: samples))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    @specialized(where Sample == UInt8)
    @specialized(where Sample == UInt16)
    private static func separate<Sample: BitwiseCopyable>(
        _ pixels: UnsafeMutableRawBufferPointer, as type: Sample.Type, channels: Int, count: Int,
        into samples: UnsafeMutableRawBufferPointer
    ) {
        guard let source = pixels.assumingMemoryBound(to: type).baseAddress,
            let target = samples.assumingMemoryBound(to: type).baseAddress
        else { return }
        PixelPlanes.separateAny(source, channels: channels, count: count, into: target, planeSize: count)
    }

    /// The text of a message that C has filled.
    private static func text(of message: rr_png_message) -> String {
        withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
