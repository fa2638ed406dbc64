internal import CJPEGShim

/// How a JPEG file stores its image, as far as what stands before its first scan tells.
package struct JPEGStorage: Sendable, Hashable {
    /// What decoding makes of the image: gray or RGB of 8 bits.
    package let header: PNGHeader
    /// Whether the pixels are CMYK, or YCCK.
    package let isInk: Bool
    package let isProgressive: Bool
    /// How the image is to be turned for the eye.
    package let orientation: PNGOrientation
    /// Whether there is an ICC profile, which decoding ignores.
    package let hasColorProfile: Bool
    /// Whether all that stands before the first scan was there to be read; if not, the rest is made up.
    package let reachesPixels: Bool

    /// Of a file whose beginning alone is there.
    fileprivate static let unread = JPEGStorage(
        header: PNGHeader(width: 1, height: 1, channels: 1, bitDepth: 8), isInk: false, isProgressive: false,
        orientation: .topLeft,
        hasColorProfile: false, reachesPixels: false)
}

/// JPEG files to samples, by libjpeg (ITU-T T.81; JFIF 1.02; Exif 2.32).
///
/// Baseline, extended and progressive files of 8 bits are served, gray, RGB, YCbCr, CMYK and YCCK, with any subsampling.
/// The inverse transform is the accurate one and colour is upsampled smoothly, libjpeg's defaults and Pillow's. CMYK is taken
/// as Adobe's programs write it, inverted, and becomes RGB as Pillow's `convert("RGB")` makes it. Profiles are ignored, and
/// so is all behind the first image. Damage that libjpeg would read over with a warning is an error.
package enum JPEGDecoder {
    /// Whether bytes begin as a JPEG file does.
    package static func isJPEG(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: [0xFF, 0xD8, 0xFF])
    }

    /// Reads what stands before the first scan, and checks it against the limits and the length of the file.
    ///
    /// - Parameters:
    ///   - bytes: the file, or its beginning.
    ///   - fileSize: the bytes of the whole file; nil where it is there.
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` for kinds that are not served and images that are
    ///   too large.
    package static func storage(
        of bytes: UnsafeRawBufferPointer, fileSize: Int? = nil, path: String
    ) throws(FormatError) -> JPEGStorage {
        var (header, isCut, message) = (rr_jpeg_header(), false, rr_jpeg_message())
        let status = rr_jpeg_read_header(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, &header, &isCut, &message)
        if status != RR_JPEG_OK, isCut, let fileSize, fileSize > bytes.count { return .unread }
        try check(status, message, path)
        let (width, height) = (Int(header.width), Int(header.height))
        let channels = header.kind == RR_JPEG_GRAY ? 1 : 3
        guard width * height <= PNGHeader.largestByteCount / channels else {
            throw FormatError(
                .unsupported, path: path, "an image of \(width)×\(height) (width × height) is too large")
        }
        let fileSize = fileSize ?? bytes.count
        guard header.least_bits / 8 <= fileSize else {
            throw FormatError(
                .malformed, path: path,
                "an image of \(width)×\(height) (width × height) cannot be in \(fileSize) bytes")
        }
        let exif = header.exif_offset..<header.exif_offset + header.exif_size
        return JPEGStorage(
            header: PNGHeader(width: width, height: height, channels: channels, bitDepth: 8),
            isInk: header.kind == RR_JPEG_INK, isProgressive: header.is_progressive,
            orientation: PNGOrientation(exif: UnsafeRawBufferPointer(rebasing: bytes[exif])) ?? .topLeft,
            hasColorProfile: header.has_color_profile, reachesPixels: true)
    }

    /// Decodes a whole file into memory of the caller.
    ///
    /// - Parameters:
    ///   - completes: whether a file that is cut short is filled up with gray.
    ///   - samples: as many bytes as the `header.byteCount` that `storage(of:path:)` says.
    /// - Returns: the faults that were read over.
    /// - Throws: `FormatError` with the code `malformed` where the file is cut short or its data damaged, `unsupported` or
    ///   `cannotRead`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, completes: Bool = false,
        arrangement: PNGArrangement, into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> PNGFaults {
        var (faults, message) = (UInt32(0), rr_jpeg_message())
        let status = rr_jpeg_decode(
            bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, completes,
            arrangement == .planar, samples.assumingMemoryBound(to: UInt8.self).baseAddress, samples.count,
            &faults, &message)
        try check(status, message, path)
        var found: PNGFaults = []
        if faults & RR_JPEG_SURPLUS.rawValue != 0 { found.insert(.strayBytes) }
        if faults & RR_JPEG_COMPLETED.rawValue != 0 { found.insert(.cutShort) }
        return found
    }

    private static func check(
        _ status: rr_jpeg_status, _ message: rr_jpeg_message, _ path: String
    ) throws(FormatError) {
        let text = withUnsafeBytes(of: message.text) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        switch status {
        case RR_JPEG_OK: return
        case RR_JPEG_OUT_OF_MEMORY:
            throw FormatError(.cannotRead, path: path, "there is not enough memory to decode the image")
        case RR_JPEG_UNSUPPORTED:
            throw FormatError(.unsupported, path: path, "JPEG files of this kind are not read: \(text)")
        default: throw FormatError(.malformed, path: path, "the JPEG is damaged: \(text)")
        }
    }
}
