package import RRFormats

/// Reads and decodes image files one after another, in memory that it keeps.
///
/// One thread uses it at a time.
package final class PNGFileReader {
    /// Why a file has no image.
    package enum Fault: Sendable {
        case failure(FormatError)
        /// The file's kind or size is not that of the others.
        case otherHeader
    }

    private let files: PNGFileBytes
    private let conversion: PNGConversion
    private let workspace = PNGWorkspace()
    private var planes: UnsafeMutableRawBufferPointer

    /// The number of images so far whose file names a colour space, which was ignored.
    package private(set) var colorSpaceCount = 0

    package init(folder: String, conversion: PNGConversion) {
        files = PNGFileBytes(folder: folder)
        self.conversion = conversion
        planes = .allocate(byteCount: 16, alignment: 16)
    }

    deinit { planes.deallocate() }

    /// Reads a file into an image `(C, H, W)`, which is zero where there is a fault.
    ///
    /// - Parameters:
    ///   - file: the path relative to the folder.
    ///   - state: what the file must still be; nil for any.
    ///   - image: as many bytes as the conversion's target.
    package func read(
        _ file: UnsafeBufferPointer<UInt8>, expecting state: FileState? = nil,
        into image: UnsafeMutableRawBufferPointer
    ) -> Fault? {
        do throws(FormatError) {
            let bytes = try files.read(file, expecting: state)
            let storage = try PNGDecoder.storage(of: bytes, path: files.name)
            let header = storage.header
            guard conversion.serves(header) else { return clear(image, for: .otherHeader) }
            if header == conversion.target {
                try decode(bytes, storage, into: image)
            } else {
                if planes.count < header.byteCount {
                    planes.deallocate()
                    planes = .allocate(byteCount: header.byteCount, alignment: 16)
                }
                let planes = UnsafeMutableRawBufferPointer(rebasing: planes[..<header.byteCount])
                try decode(bytes, storage, into: planes)
                conversion.convert(planes, header, into: image)
            }
            if storage.hasColorSpace { colorSpaceCount += 1 }
            return nil
        } catch {
            return clear(image, for: .failure(error))
        }
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ storage: PNGStorage, into image: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        try PNGDecoder.decode(
            bytes, storage: storage, path: files.name, arrangement: .planar, workspace: workspace, into: image
        )
    }

    private func clear(_ image: UnsafeMutableRawBufferPointer, for fault: Fault) -> Fault {
        image.initializeMemory(as: UInt8.self, repeating: 0)
        return fault
    }
}
