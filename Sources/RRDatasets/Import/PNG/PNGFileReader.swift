internal import Glibc
internal import RRFormats

/// Reads and decodes image files one after another, in memory that it keeps.
///
/// One thread uses it at a time.
final class PNGFileReader {
    /// Why a file has no image.
    enum Fault: Sendable {
        case failure(FormatError)
        /// The file's kind or size is not that of the others.
        case otherHeader
    }

    private let folder: [UInt8]
    private let conversion: PNGConversion
    private let workspace = PNGWorkspace()
    private var path: [UInt8] = []
    private var bytes: UnsafeMutableRawBufferPointer
    private var planes: UnsafeMutableRawBufferPointer

    /// The number of images so far whose file names a colour space, which was ignored.
    private(set) var colorSpaceCount = 0

    init(folder: String, conversion: PNGConversion) {
        self.folder = Array(folder.utf8) + [UInt8(ascii: "/")]
        self.conversion = conversion
        bytes = .allocate(byteCount: 64 << 10, alignment: 16)
        planes = .allocate(byteCount: 16, alignment: 16)
    }

    deinit {
        bytes.deallocate()
        planes.deallocate()
    }

    /// Reads a file into an image `(C, H, W)`, which is zero where there is a fault.
    ///
    /// - Parameters:
    ///   - file: the path relative to the folder.
    ///   - image: as many bytes as the conversion's target.
    func read(_ file: UnsafeBufferPointer<UInt8>, into image: UnsafeMutableRawBufferPointer) -> Fault? {
        path.removeAll(keepingCapacity: true)
        path.append(contentsOf: folder)
        path.append(contentsOf: file)
        path.append(0)
        do throws(FormatError) {
            let bytes = try contents()
            let storage = try PNGDecoder.storage(of: bytes, path: name)
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
            bytes, storage: storage, path: name, arrangement: .planar, workspace: workspace, into: image)
    }

    private func clear(_ image: UnsafeMutableRawBufferPointer, for fault: Fault) -> Fault {
        image.initializeMemory(as: UInt8.self, repeating: 0)
        return fault
    }

    /// The path of the file at hand, for errors only.
    private var name: String { String(decoding: path.dropLast(), as: UTF8.self) }

    /// Reads the file at `path`. A file that fits the memory takes three calls of the system.
    private func contents() throws(FormatError) -> UnsafeRawBufferPointer {
        let descriptor = path.withUnsafeBytes { path in
            path.assumingMemoryBound(to: CChar.self).baseAddress.map {
                open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            } ?? -1
        }
        guard descriptor >= 0 else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR {
                throw FormatError(.notFound, path: name, "there is no such file")
            }
            throw FormatError(.cannotRead, path: name, SystemFailure.message(failure))
        }
        defer { close(descriptor) }
        var count = 0
        while true {
            let step = Glibc.read(descriptor, bytes.baseAddress?.advanced(by: count), bytes.count - count)
            if step < 0 {
                if errno == EINTR { continue }
                throw FormatError(.cannotRead, path: name, SystemFailure.message(errno))
            }
            count += step
            // A regular file gives all it has.
            guard step > 0, count == bytes.count else { break }
            try makeRoom(for: descriptor)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }

    /// Enlarges the memory for a file that does not fit it.
    private func makeRoom(for descriptor: Int32) throws(FormatError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FormatError(.cannotRead, path: name, SystemFailure.message(errno))
        }
        guard status.st_size <= Self.largestFile else {
            throw FormatError(
                .unsupported, path: name,
                "the file has \(status.st_size) bytes; at most \(Self.largestFile) are read")
        }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(Int(status.st_size) + 1, bytes.count * 2), alignment: 16)
        room.copyMemory(from: UnsafeRawBufferPointer(bytes))
        bytes.deallocate()
        bytes = room
    }

    private static let largestFile = 1 << 31
}
