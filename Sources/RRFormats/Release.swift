internal import CExpat
internal import CHDF5Filters
internal import CJPEGShim
internal import CLibCrypto
internal import CLibDeflate
internal import CPNGShim

/// The release that all modules of a program are of.
package enum Release {
    /// What files name as their `creator`, and by which a program knows the process that reads HDF5 files for it.
    package static let name = "rrdata 0.1.0"

    /// The libraries that read and write files, with their versions, as far as they say them.
    package static var libraries: [(name: String, version: String)] {
        func text(_ pointer: UnsafePointer<CChar>?) -> String {
            pointer.map { String(cString: $0) } ?? "unknown"
        }
        return [
            ("libpng", text(rr_png_version())), ("libjpeg-turbo", text(rr_jpeg_version())),
            ("HDF5", HDF5Library.version), ("libdeflate", LIBDEFLATE_VERSION_STRING),
            ("Blosc", text(rr_blosc_version())), ("Zstandard", text(rr_zstd_version())),
            ("OpenSSL", text(OpenSSL_version(OPENSSL_VERSION_STRING))),
            ("Expat", String(text(XML_ExpatVersion()).drop { !$0.isNumber })),
        ]
    }
}
