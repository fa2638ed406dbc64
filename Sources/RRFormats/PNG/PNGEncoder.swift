internal import CPNGShim
internal import Glibc

/// Samples to PNG files.
package enum PNGEncoder {
    /// Encodes an image; the same image gives the same bytes under one release of libpng and zlib.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where the samples do not fill the extents, or there is
    ///   no PNG of such channels and bits.
    package static func encode(_ image: PNGImage) throws(FormatError) -> [UInt8] {
        let extents = 1...PNGHeader.largestExtent
        guard extents ~= image.width, extents ~= image.height, 1...4 ~= image.channels,
            image.bitDepth == 8 || image.bitDepth == 16,
            image.samples.count == image.height * image.width * image.channels * (image.bitDepth / 8)
        else {
            throw FormatError(
                .unsupported, path: "PNG image",
                "\(image.samples.count) bytes are no \(image.bitDepth)-bit image of "
                    + "\(image.width)×\(image.height) with \(image.channels) channels")
        }
        var message = rr_png_message()
        var (bytes, count): (UnsafeMutablePointer<UInt8>?, Int) = (nil, 0)
        let status = rr_png_encode(
            image.samples, UInt32(image.width), UInt32(image.height), Int32(image.channels),
            Int32(image.bitDepth), &bytes, &count, &message)
        defer { free(bytes) }
        guard status == RR_PNG_OK, let bytes else {
            throw FormatError(.cannotWrite, path: "PNG image", "libpng: \(text(of: message))")
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }

    /// The text of a message that C has filled.
    static func text(of message: rr_png_message) -> String {
        withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
