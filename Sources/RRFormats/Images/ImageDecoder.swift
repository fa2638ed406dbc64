/// How a file stores its image, as far as its beginning tells.
package struct ImageStorage: Sendable, Hashable {
    package enum Format: Sendable, Hashable {
        case png(PNGStorage)
        case jpeg(JPEGStorage)
    }

    package let format: Format
    /// What decoding makes of the image.
    package let header: PNGHeader
    /// Whether gamma, a colour space or a profile is given, which decoding ignores.
    package let hasColorSpace: Bool

    /// Whether the orientation stands before the pixels wherever there is one, as in JPEG.
    package var knowsOrientation: Bool { if case .jpeg = format { true } else { false } }

    /// Whether all that tells of the image was there to be read, and goes with the size of the file.
    package func isCertain(fileSize: Int) -> Bool {
        switch format {
        case .png(let storage): storage.reachesPixels && !storage.isDoubtful(fileSize: fileSize)
        case .jpeg(let storage): storage.reachesPixels
        }
    }
}

/// Image files to samples: each by the decoder of what it is, told by its content and not by its name.
package enum ImageDecoder {
    /// Reads what the beginning of a file tells of its image, and checks it against the limits and the length of the file.
    ///
    /// - Parameters:
    ///   - bytes: the file, or its beginning.
    ///   - fileSize: the bytes of the whole file; nil where it is there.
    ///   - takesJPEG: whether a JPEG file is one of those that are read.
    /// - Throws: as `PNGDecoder.storage` and `JPEGDecoder.storage`; `FormatError` with the code `unsupported` for a file of
    ///   another kind, which is named.
    package static func storage(
        of bytes: UnsafeRawBufferPointer, fileSize: Int? = nil, takesJPEG: Bool, path: String
    ) throws(FormatError) -> ImageStorage {
        if JPEGDecoder.isJPEG(bytes) {
            guard takesJPEG else {
                throw FormatError(
                    .malformed, path: path,
                    "this is not a PNG file but a JPEG file, which `\(operation: .importImages)` takes")
            }
            let storage = try JPEGDecoder.storage(of: bytes, fileSize: fileSize, path: path)
            return ImageStorage(
                format: .jpeg(storage), header: storage.header, hasColorSpace: storage.hasColorProfile)
        }
        if let kind = OtherImageKind(of: bytes) { throw kind.refusal(of: path) }
        let storage = try PNGDecoder.storage(of: bytes, fileSize: fileSize, path: path)
        return ImageStorage(
            format: .png(storage), header: storage.header, hasColorSpace: storage.hasColorSpace)
    }

    /// How an image is to be turned for the eye.
    ///
    /// - Parameter bytes: the whole file; of a PNG's beginning, what that tells.
    package static func orientation(of bytes: UnsafeRawBufferPointer, _ storage: ImageStorage)
        -> PNGOrientation
    {
        switch storage.format {
        case .png: PNGOrientation(of: bytes)
        case .jpeg(let storage): storage.orientation
        }
    }

    /// Decodes a whole file into planes `(C, H, W)`.
    ///
    /// - Parameters:
    ///   - completes: whether a JPEG file that is cut short is filled up with gray.
    ///   - samples: as many bytes as `storage.header.byteCount`.
    /// - Returns: the faults that were read over.
    /// - Throws: as `PNGDecoder.decode` and `JPEGDecoder.decode`.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, storage: ImageStorage, path: String, completes: Bool,
        workspace: PNGWorkspace, into samples: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> PNGFaults {
        switch storage.format {
        case .png(let storage):
            try PNGDecoder.decode(
                bytes, storage: storage, path: path, arrangement: .planar, workspace: workspace, into: samples
            )
        case .jpeg:
            try JPEGDecoder.decode(
                bytes, path: path, completes: completes, arrangement: .planar, into: samples)
        }
    }
}

/// Files that stand where images are looked for and are not decoded, told by their content.
private enum OtherImageKind {
    case gitLFSPointer, webP, heic, avif, tiff, bmp, gif, jpeg2000, dicom, html

    init?(of bytes: UnsafeRawBufferPointer) {
        func has(_ text: String, at offset: Int = 0) -> Bool {
            bytes.count >= offset && bytes[offset...].starts(with: text.utf8)
        }
        let brand = bytes.count >= 12 ? String(decoding: bytes[8..<12], as: UTF8.self) : ""
        if has("version https://git-lfs") {
            self = .gitLFSPointer
        } else if has("RIFF"), brand == "WEBP" {
            self = .webP
        } else if has("ftyp", at: 4),
            ["heic", "heix", "hevc", "mif1", "msf1", "heim", "heis"].contains(brand)
        {
            self = .heic
        } else if has("ftyp", at: 4), ["avif", "avis"].contains(brand) {
            self = .avif
        } else if has("II*\0") || has("MM\0*") || has("II+\0") || has("MM\0+") {
            self = .tiff
        } else if has("GIF87a") || has("GIF89a") {
            self = .gif
        } else if has("DICM", at: 128) {
            self = .dicom
        } else if has("jP  ", at: 4) || bytes.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else if has("BM"), bytes.count >= 18, bytes[6..<10].allSatisfy({ $0 == 0 }) {
            self = .bmp
        } else if has("<!DOCTYPE") || has("<!doctype") || has("<html") {
            self = .html
        } else {
            return nil
        }
    }

    func refusal(of path: String) -> FormatError {
        let text: Message =
            switch self {
            case .gitLFSPointer: "a pointer of Git LFS, and the image is not here: `git lfs pull` fetches it"
            case .webP: "a WebP file: `dwebp FILE -o FILE.png` makes a PNG file of it"
            case .heic: "a HEIC file: `heif-convert FILE FILE.png` makes a PNG file of it"
            case .avif: "an AVIF file: `avifdec FILE FILE.png` makes a PNG file of it"
            case .tiff:
                "a TIFF file: `convert FILE FILE.png` (ImageMagick) makes a PNG file of it, and keeps 16 bits"
            case .bmp: "a BMP file: `convert FILE FILE.png` (ImageMagick) makes a PNG file of it"
            case .gif:
                "a GIF file: `convert FILE[0] FILE.png` (ImageMagick) makes a PNG file of its first image"
            case .jpeg2000: "a JPEG 2000 file: `opj_decompress -i FILE -o FILE.png` makes a PNG file of it"
            case .dicom:
                "a DICOM file: `dcmj2pnm` (DCMTK) makes a PNG file of 8 or 16 bits of it"
            case .html: "a web page, as of a download that failed"
            }
        return FormatError(.unsupported, path: path, "this is \(text)")
    }
}

extension OperationName {
    package static let importImages = OperationName("ImageFolderImport(.images)")
}
