internal import CPNGShim

/// How a PNG file stores its image, as far as the chunks before the pixels tell.
package struct PNGStorage: Sendable, Hashable {
    /// What the pixels are (PNG, 11.2.1).
    package enum ColorType: UInt8, Sendable {
        case gray = 0
        case rgb = 2
        case palette = 3
        case grayAlpha = 4
        case rgba = 6

        /// The channels of the image that decoding makes: palettes become RGB, transparency becomes alpha.
        func channels(hasTransparency: Bool) -> Int {
            switch self {
            case .gray: hasTransparency ? 2 : 1
            case .grayAlpha: 2
            case .rgb, .palette: hasTransparency ? 4 : 3
            case .rgba: 4
            }
        }

        /// Whether there are images of this type with such a depth.
        func exists(bitDepth: Int) -> Bool {
            switch self {
            case .gray: [1, 2, 4, 8, 16].contains(bitDepth)
            case .palette: [1, 2, 4, 8].contains(bitDepth)
            case .rgb, .grayAlpha, .rgba: bitDepth == 8 || bitDepth == 16
            }
        }
    }

    /// What decoding makes of the image: palettes become RGB, transparency becomes alpha, and gray of fewer than
    /// 8 bits is scaled to 8.
    package let header: PNGHeader
    package let colorType: ColorType
    /// The bits of a sample, or of a number of the palette: 1, 2, 4, 8 or 16.
    package let bitDepth: Int
    package let isInterlaced: Bool
    /// Whether a tRNS chunk makes colours transparent.
    package let hasTransparency: Bool
    /// Whether gamma or a colour space is given (gAMA, cHRM, sRGB, iCCP or cICP), which decoding ignores.
    package let hasColorSpace: Bool
    /// Whether all chunks before the pixels were there to be read.
    package let reachesPixels: Bool

    /// What stands in the file: numbers of the palette, and gray of fewer than 8 bits unscaled, one a byte.
    package var storedHeader: PNGHeader {
        let channels =
            switch colorType {
            case .gray, .palette: 1
            case .grayAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        return PNGHeader(
            width: header.width, height: header.height, channels: channels, bitDepth: header.bitDepth)
    }
}

/// PNG files to samples (W3C, Portable Network Graphics, third edition).
///
/// Every colour type and depth is served, interlaced or not. Palettes become RGB, a transparent colour or palette
/// entry (tRNS) becomes alpha, and gray of 1, 2 or 4 bits is scaled to 8. Beyond that samples are taken as they stand:
/// gamma and colour profiles are ignored. Every checksum is verified; a file whose only faults are `PNGFaults` is decoded
/// all the same.
package enum PNGDecoder {
    /// Reads what the chunks before the pixels tell, and checks it against the limits and the length of the file.
    ///
    /// - Parameters:
    ///   - bytes: the file, or its beginning.
    ///   - fileSize: the bytes of the whole file; nil where it is there.
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` for images that are too large.
    package static func storage(
        of bytes: UnsafeRawBufferPointer, fileSize: Int? = nil, path: String
    ) throws(FormatError) -> PNGStorage {
        guard bytes.count >= 8, UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) == signature else {
            throw noSignature(bytes, path: path)
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
        let width = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)))
        let height = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 20, as: UInt32.self)))
        guard width > 0, height > 0 else {
            throw FormatError(.malformed, path: path, "the image is empty: \(width)×\(height)")
        }
        let bitDepth = Int(bytes[24])
        guard let colorType = PNGStorage.ColorType(rawValue: bytes[25]), colorType.exists(bitDepth: bitDepth)
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
        var paletteCount = 0
        var offset = 33
        while let next = PNGChunk(bytes, at: offset), next.type != PNGChunk.imageData {
            if next.type == PNGChunk.palette { paletteCount = next.data.count / 3 }
            // One that is damaged counts for nothing, as in other programs; decoding tells of it.
            if next.type == PNGChunk.transparency,
                next.isTransparency(of: bytes[25], bitDepth: bytes[24], paletteCount: paletteCount),
                next.hasRightChecksum(in: bytes)
            {
                hasTransparency = true
            }
            if PNGChunk.namesColorSpace(next.type) { hasColorSpace = true }
            offset = next.end
        }
        let fileSize = fileSize ?? bytes.count
        let storage = PNGStorage(
            header: PNGHeader(
                width: width, height: height, channels: colorType.channels(hasTransparency: hasTransparency),
                bitDepth: max(8, bitDepth)),
            colorType: colorType, bitDepth: bitDepth, isInterlaced: bytes[28] == 1,
            hasTransparency: hasTransparency, hasColorSpace: hasColorSpace,
            reachesPixels: bytes.count >= fileSize
                || PNGChunk.type(in: bytes, at: offset) == PNGChunk.imageData)
        try checkSize(storage, fileSize: fileSize, path: path)
        return storage
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
    /// - Returns: the faults that were read over.
    /// - Throws: as `decode(_:path:)`.
    @discardableResult package static func decode(
        _ bytes: UnsafeRawBufferPointer, storage: PNGStorage, path: String, arrangement: PNGArrangement,
        workspace: PNGWorkspace, into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> PNGFaults {
        if PNGFastDecoder.decode(
            bytes, storage: storage, arrangement: arrangement, workspace: workspace, into: samples)
        {
            return []
        }
        let header = storage.header
        guard arrangement == .planar, header.channels > 1, samples.count == header.byteCount else {
            return try decodeWithLibPNG(bytes, path: path, into: samples)
        }
        let pixels = workspace.memory(header.byteCount)
        let faults = try decodeWithLibPNG(bytes, path: path, into: pixels)
        let count = header.height * header.width
        if header.bitDepth == 16 {
            separate(pixels, as: UInt16.self, channels: header.channels, count: count, into: samples)
        } else {
            separate(pixels, as: UInt8.self, channels: header.channels, count: count, into: samples)
        }
        return faults
    }

    /// Decodes a whole file by libpng, interleaved: the reference that all else is compared with.
    ///
    /// - Parameters:
    ///   - isStored: whether to leave palettes, transparent colours and small samples as they stand.
    ///   - isMended: whether the file has been mended already.
    /// - Returns: the faults that were read over.
    /// - Throws: as `decode(_:path:)`.
    @discardableResult package static func decodeWithLibPNG(
        _ bytes: UnsafeRawBufferPointer, path: String, isStored: Bool = false, isMended: Bool = false,
        into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> PNGFaults {
        var message = rr_png_message()
        let status = rr_png_decode(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, isStored,
            samples.assumingMemoryBound(to: UInt8.self).baseAddress, samples.count, &message)
        switch status {
        case RR_PNG_OK: return []
        case RR_PNG_OUT_OF_MEMORY:
            throw FormatError(.cannotRead, path: path, "there is not enough memory to decode the image")
        default:
            if !isMended, let mended = PNGMending.mend(bytes) {
                _ = try mended.bytes.withUnsafeBytes { bytes in
                    Result { () throws(FormatError) in
                        try decodeWithLibPNG(
                            bytes, path: path, isStored: isStored, isMended: true, into: samples)
                    }
                }.get()
                return mended.faults
            }
            throw FormatError(.malformed, path: path, "the PNG is damaged: \(text(of: message))")
        }
    }
}

extension PNGDecoder {
    private static let signature: UInt64 = 0x8950_4E47_0D0A_1A0A

    /// The error for a file that does not begin as a PNG does.
    private static func noSignature(_ bytes: UnsafeRawBufferPointer, path: String) -> FormatError {
        let isCut =
            !bytes.isEmpty && withUnsafeBytes(of: signature.bigEndian) { $0.starts(with: bytes.prefix(8)) }
        return FormatError(.malformed, path: path, isCut ? "the file is cut short" : "this is not a PNG file")
    }

    private static func checkSize(_ storage: PNGStorage, fileSize: Int, path: String) throws(FormatError) {
        let header = storage.header
        let (width, height) = (header.width, header.height)
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
                try checkData(bytes, storage, path: path)
                var result: Result<PNGFaults, FormatError> = .success([])
                let samples = [UInt8](unsafeUninitializedCapacity: header.byteCount) { buffer, count in
                    let samples = UnsafeMutableRawBufferPointer(
                        start: buffer.baseAddress, count: header.byteCount)
                    result = Result { () throws(FormatError) in
                        if isStored {
                            try decodeWithLibPNG(bytes, path: path, isStored: true, into: samples)
                        } else {
                            try decode(
                                bytes, storage: storage, path: path, arrangement: .interleaved,
                                workspace: PNGWorkspace(), into: samples)
                        }
                    }
                    if case .success = result { count = header.byteCount }
                }
                let faults = try result.get()
                var image = PNGImage(
                    width: header.width, height: header.height, channels: header.channels,
                    bitDepth: header.bitDepth, samples: samples)
                image.faults = faults
                return .success(image)
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
