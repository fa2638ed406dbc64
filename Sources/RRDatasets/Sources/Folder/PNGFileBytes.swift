internal import Glibc
internal import RRFormats

/// Reads the files of a folder one after another, into memory that it keeps.
///
/// One thread uses it at a time.
final class PNGFileBytes {
    private let folder: [UInt8]
    private var path: [UInt8] = []
    private var bytes: UnsafeMutableRawBufferPointer

    /// Of most files the pixels begin within these bytes.
    private static let startSize = 4096
    private static let largestFile = 1 << 31

    init(folder: String) {
        self.folder = Array(folder.utf8) + [UInt8(ascii: "/")]
        bytes = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit { bytes.deallocate() }

    /// The path of the file at hand, for errors only.
    var name: String { String(decoding: path.dropLast(), as: UTF8.self) }

    /// Reads a whole file. One that fits the memory takes three calls of the system, or four with a state.
    ///
    /// - Parameters:
    ///   - file: the path relative to the folder.
    ///   - state: what the file must still be; nil for any.
    /// - Returns: the file's bytes, until the next call.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `unsupported` for a file that is too large, or
    ///   `changed`.
    func read(
        _ file: UnsafeBufferPointer<UInt8>, expecting state: FileState? = nil
    ) throws(FormatError) -> UnsafeRawBufferPointer {
        let descriptor = try open(file)
        defer { close(descriptor) }
        var count = 0
        while true {
            let step = try read(descriptor, at: count, upTo: bytes.count)
            count += step
            // A regular file gives all it has.
            guard step > 0, count == bytes.count else { break }
            try makeRoom(for: descriptor)
        }
        // Asked after the reading: whoever wrote before or meanwhile has changed the time by now.
        if let state, try self.state(of: descriptor) != state {
            throw FormatError(
                .changed, path: name,
                "the file was written to after the folder was looked through; start again"
            )
        }
        return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }

    /// Reads the first bytes of a file, all where it has few, and what can be told apart from later writing.
    ///
    /// - Throws: as `read(_:expecting:)`.
    func readStart(
        _ file: UnsafeBufferPointer<UInt8>
    ) throws(FormatError) -> (bytes: UnsafeRawBufferPointer, state: FileState) {
        let descriptor = try open(file)
        defer { close(descriptor) }
        let state = try state(of: descriptor)
        let count = try read(descriptor, at: 0, upTo: Self.startSize)
        return (UnsafeRawBufferPointer(rebasing: bytes[..<count]), state)
    }

    private func open(_ file: UnsafeBufferPointer<UInt8>) throws(FormatError) -> Int32 {
        path.removeAll(keepingCapacity: true)
        path.append(contentsOf: folder)
        path.append(contentsOf: file)
        path.append(0)
        let descriptor = path.withUnsafeBytes { path in
            path.assumingMemoryBound(to: CChar.self).baseAddress.map {
                Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            } ?? -1
        }
        guard descriptor >= 0 else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR {
                throw FormatError(.notFound, path: name, "there is no such file")
            }
            throw FormatError(.cannotRead, path: name, SystemFailure.message(failure))
        }
        return descriptor
    }

    private func state(of descriptor: Int32) throws(FormatError) -> FileState {
        guard let state = FileState(descriptor: descriptor) else {
            throw FormatError(.cannotRead, path: name, SystemFailure.message(errno))
        }
        return state
    }

    private func read(_ descriptor: Int32, at offset: Int, upTo end: Int) throws(FormatError) -> Int {
        while true {
            let step = Glibc.read(descriptor, bytes.baseAddress?.advanced(by: offset), end - offset)
            if step >= 0 { return step }
            guard errno == EINTR else {
                throw FormatError(.cannotRead, path: name, SystemFailure.message(errno))
            }
        }
    }

    /// Enlarges the memory for a file that does not fit it.
    private func makeRoom(for descriptor: Int32) throws(FormatError) {
        let size = try state(of: descriptor).size
        guard size <= Self.largestFile else {
            throw FormatError(
                .unsupported, path: name, "the file has \(size) bytes; at most \(Self.largestFile) are read")
        }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(size + 1, bytes.count * 2), alignment: 16)
        room.copyMemory(from: UnsafeRawBufferPointer(bytes))
        bytes.deallocate()
        bytes = room
    }
}
