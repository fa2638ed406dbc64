internal import CPNGShim

/// PNG files to samples (W3C, Portable Network Graphics, third edition).
///
/// Served are 8- and 16-bit gray, gray-alpha, RGB and RGBA, interlaced or not. Samples are taken as they
/// stand: gamma and colour profiles are ignored. Every checksum is verified.
package enum PNGDecoder {
    /// Reads the header and checks it against the limits and the length of the file.
    ///
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` for palettes, samples of 1, 2 or 4 bits
    ///   and images that are too large.
    package static func header(of bytes: UnsafeRawBufferPointer, path: String) throws(FormatError)
        -> PNGHeader
    {
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        guard bytes.prefix(8).elementsEqual(signature.prefix(max(1, bytes.count))) else {
            throw FormatError(.malformed, path: path, "this is not a PNG file")
        }
        guard bytes.count >= 33 else { throw FormatError(.malformed, path: path, "the file is cut short") }
        func bigEndian(at offset: Int) -> Int {
            bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        guard bigEndian(at: 8) == 13, bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw FormatError(
                .malformed, path: path, "the file does not begin with an IHDR chunk of 13 bytes")
        }
        guard CRC32.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[12..<29])) == bigEndian(at: 29) else {
            throw FormatError(.malformed, path: path, "the PNG is damaged: IHDR: CRC error")
        }
        let (width, height) = (bigEndian(at: 16), bigEndian(at: 20))
        let (bitDepth, colorType) = (Int(bytes[24]), bytes[25])
        guard width > 0, height > 0 else {
            throw FormatError(.malformed, path: path, "the image is empty: \(width)×\(height)")
        }
        let channels = try channels(colorType: colorType, bitDepth: bitDepth, path: path)
        guard max(width, height) <= PNGHeader.largestExtent,
            width * height <= PNGHeader.largestByteCount / (channels * bitDepth / 8)
        else {
            throw FormatError(
                .unsupported, path: path, "an image of \(width)×\(height) (width × height) is too large")
        }
        let header = PNGHeader(width: width, height: height, channels: channels, bitDepth: bitDepth)
        // Deflate makes data at most 1,032 times smaller.
        guard header.byteCount <= bytes.count * 1100 else {
            throw FormatError(
                .malformed, path: path,
                "an image of \(width)×\(height) (width × height) cannot be in \(bytes.count) bytes")
        }
        return header
    }

    /// Decodes a whole file.
    ///
    /// - Throws: as `header(of:path:)`; `malformed` also for damaged data, `unsupported` also for a transparent
    ///   colour (tRNS).
    package static func decode(_ bytes: [UInt8], path: String) throws(FormatError) -> PNGImage {
        let result: Result<PNGImage, FormatError> = bytes.withUnsafeBytes { bytes in
            do throws(FormatError) {
                let header = try header(of: bytes, path: path)
                var samples = [UInt8](repeating: 0, count: header.byteCount)
                let failure = samples.withUnsafeMutableBytes { samples in
                    failureToDecode(bytes, path: path, into: samples)
                }
                if let failure { throw failure }
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

    /// Decodes a whole file into memory of the caller.
    ///
    /// - Parameter samples: as many bytes as the header's `byteCount`.
    /// - Throws: as `decode(_:path:)`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        if let failure = failureToDecode(bytes, path: path, into: samples) { throw failure }
    }
}

extension PNGDecoder {
    private static func channels(
        colorType: UInt8, bitDepth: Int, path: String
    ) throws(FormatError) -> Int {
        switch (colorType, bitDepth) {
        case (0, 8), (0, 16): return 1
        case (4, 8), (4, 16): return 2
        case (2, 8), (2, 16): return 3
        case (6, 8), (6, 16): return 4
        case (0, 1), (0, 2), (0, 4):
            throw FormatError(
                .unsupported, path: path, "this is a PNG of \(bitDepth)-bit gray; \(servedKinds)")
        case (3, 1), (3, 2), (3, 4), (3, 8):
            throw FormatError(
                .unsupported, path: path, "this is a PNG of \(bitDepth)-bit palette; \(servedKinds)")
        default:
            throw FormatError(
                .malformed, path: path, "there is no PNG of colour type \(colorType) with \(bitDepth) bits")
        }
    }

    private static let servedKinds = "served are 8- and 16-bit gray, gray-alpha, RGB and RGBA"

    private static func failureToDecode(
        _ bytes: UnsafeRawBufferPointer, path: String, into samples: UnsafeMutableRawBufferPointer
    ) -> FormatError? {
        var message = rr_png_message()
        let status = rr_png_decode(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count,
            samples.assumingMemoryBound(to: UInt8.self).baseAddress, samples.count, &message)
        switch status {
        case RR_PNG_OK: return nil
        case RR_PNG_TRANSPARENT_COLOR:
            return FormatError(
                .unsupported, path: path, "this is a PNG with a transparent colour (tRNS); \(servedKinds)")
        case RR_PNG_OUT_OF_MEMORY:
            return FormatError(.cannotRead, path: path, "there is not enough memory to decode the image")
        default:
            return FormatError(.malformed, path: path, "the PNG is damaged: \(text(of: message))")
        }
    }

    /// The text of a message that C has filled.
    private static func text(of message: rr_png_message) -> String {
        withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
