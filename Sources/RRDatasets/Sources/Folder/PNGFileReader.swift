internal import Glibc
package import RRFormats

/// How the image of a file was turned for the eye.
package struct PNGTurn: Hashable, Sendable {
    package let orientation: PNGOrientation
    /// The size that the file stores.
    package let height: Int
    package let width: Int
}

/// Reads the image files of a folder one after another, in memory that it keeps.
///
/// One thread uses it at a time.
package final class PNGFileReader {
    /// Why a file has no image.
    package enum Fault: Sendable {
        case failure(FormatError)
        /// The file's kind or size is not that of the others.
        case otherHeader
    }

    private let folder: [UInt8]
    private let takesJPEG: Bool
    /// The path of the file at hand, and a zero byte.
    private var path: [UInt8] = []
    private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// An image that is still to be turned or converted.
    private var decoded = PlaneMemory()
    /// One that is turned, and still to be converted.
    private var turned = PlaneMemory()
    private lazy var workspace = PNGWorkspace()

    /// What was met in the files so far.
    package private(set) var tally = PNGTally()
    /// The size of the image that was read last, turned where it was, before it was resized.
    package private(set) var sourceSize = ImageSize(height: 0, width: 0)
    /// How the image that was read last was turned; nil where it was not.
    package private(set) var turn: PNGTurn?

    /// Of most files the pixels begin within these bytes.
    private static let startSize = 4096
    private static let largestFile = 1 << 31

    package init(folder: String, _ files: ImageFolderOptions.Files) {
        self.folder = Array(folder.utf8) + [UInt8(ascii: "/")]
        takesJPEG = files == .images
    }

    deinit { bytes.deallocate() }

    /// The path of the file at hand, for errors only.
    private var filePath: String { String(decoding: path.dropLast(), as: UTF8.self) }

    /// Reads the header of a file of a list without its pixels.
    ///
    /// - Parameter orientation: whether the header is that of the turned image. A file says that wherever it likes, so it
    ///   is read whole then.
    /// - Returns: what decoding will make of the file, by what a later change of it is known, and how it is
    ///   to be turned, which a PNG file may say behind what is read.
    /// - Throws: `FormatError` where the file is not there, cannot be read or is no image that is served.
    package func header(
        of position: Int, in paths: TextList, _ orientation: ImageFolderOptions.Orientation = .ignore
    ) throws(FormatError) -> (header: PNGHeader, state: FileState, orientation: PNGOrientation) {
        let descriptor = try open(position, of: paths)
        defer { close(descriptor) }
        let state = try state(of: descriptor)
        var bytes = try load(descriptor, upTo: Self.startSize)
        var storage = try ImageDecoder.storage(
            of: bytes, fileSize: state.size, takesJPEG: takesJPEG, path: filePath)
        if !storage.isCertain(fileSize: state.size) || orientation == .apply && !storage.knowsOrientation {
            // A colour profile, a small image or a long text stands before the pixels, or what is asked for behind them.
            bytes = try load(descriptor, from: bytes.count)
            try checkUnchanged(descriptor, since: state)
            storage = try ImageDecoder.storage(of: bytes, takesJPEG: takesJPEG, path: filePath)
            if case .png(let storage) = storage.format {
                try PNGDecoder.checkData(bytes, storage, path: filePath)
            }
        }
        let own = ImageDecoder.orientation(of: bytes, storage)
        return (orientation == .apply ? own.turned(storage.header) : storage.header, state, own)
    }

    /// Reads a file of a list into an image `(C, H, W)`, which is zero where there is a fault.
    ///
    /// A file that fits the memory takes three calls of the system, or four with a state.
    ///
    /// - Parameters:
    ///   - state: what the file must still be; nil for any.
    ///   - image: as many bytes as the conversion's target.
    package func read(
        _ position: Int, in paths: TextList, as conversion: PNGConversion, expecting state: FileState? = nil,
        into image: UnsafeMutableRawBufferPointer
    ) -> Fault? {
        var fault: Fault?
        turn = nil
        do throws(FormatError) {
            let descriptor = try open(position, of: paths)
            defer { close(descriptor) }
            let bytes = try load(descriptor)
            // Asked after the reading: whoever wrote before or meanwhile has changed the time by now.
            if let state { try checkUnchanged(descriptor, since: state) }
            let storage = try ImageDecoder.storage(of: bytes, takesJPEG: takesJPEG, path: filePath)
            let orientation = ImageDecoder.orientation(of: bytes, storage)
            let isTurned = conversion.reading.orientation == .apply && orientation != .topLeft
            let header = isTurned ? orientation.turned(storage.header) : storage.header
            if conversion.serves(header) {
                sourceSize = ImageSize(height: header.height, width: header.width)
                let isDone = !isTurned && header == conversion.target
                let pixels = isDone ? image : decoded.bytes(header.byteCount)
                let faults = try ImageDecoder.decode(
                    bytes, storage: storage, path: filePath, completes: conversion.reading.completesFiles,
                    workspace: workspace, into: pixels)
                tally.add(storage, orientation, faults)
                if isTurned {
                    turn = PNGTurn(
                        orientation: orientation, height: storage.header.height, width: storage.header.width)
                }
                if !isDone { finish(pixels, storage.header, as: conversion, into: image) }
            } else {
                fault = .otherHeader
            }
        } catch {
            fault = .failure(error)
        }
        if fault != nil { image.initializeMemory(as: UInt8.self, repeating: 0) }
        return fault
    }

    /// Turns an image as `turn` says, and converts it.
    ///
    /// - Parameters:
    ///   - pixels: as the file stores them; they may be written over.
    ///   - header: that of the file.
    private func finish(
        _ pixels: UnsafeMutableRawBufferPointer, _ header: PNGHeader, as conversion: PNGConversion,
        into image: UnsafeMutableRawBufferPointer
    ) {
        guard let turn else { return conversion.convert(pixels, header, into: image) }
        let turnedHeader = turn.orientation.turned(header)
        let isDone = turnedHeader == conversion.target
        let target = isDone ? image : turned.bytes(turnedHeader.byteCount)
        turn.orientation.turn(UnsafeRawBufferPointer(pixels), of: header, into: target)
        if !isDone { conversion.convert(target, turnedHeader, into: image) }
    }

    /// Memory for an image, kept from one to the next.
    private struct PlaneMemory: ~Copyable {
        private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)

        mutating func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
            if memory.count < count {
                memory.deallocate()
                memory = .allocate(byteCount: count, alignment: 16)
            }
            return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        }

        deinit { memory.deallocate() }
    }
}

// Bytes of files.
extension PNGFileReader {
    /// Opens a file of a list, which is then the file at hand.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    private func open(_ position: Int, of paths: TextList) throws(FormatError) -> Int32 {
        path.removeAll(keepingCapacity: true)
        path.append(contentsOf: folder)
        paths.withUTF8(at: position) { path.append(contentsOf: $0) }
        path.append(0)
        let descriptor = path.withUnsafeBytes { path in
            path.assumingMemoryBound(to: CChar.self).baseAddress.map {
                Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            } ?? -1
        }
        guard descriptor >= 0 else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR {
                throw FormatError(.notFound, path: filePath, "there is no such file")
            }
            throw FormatError(.cannotRead, path: filePath, SystemFailure.message(failure))
        }
        return descriptor
    }

    /// Reads an open file into memory, on to its end or to a limit.
    ///
    /// - Parameters:
    ///   - start: the bytes that have been read.
    ///   - limit: the bytes that are enough, at most as many as there is memory for; nil for all.
    /// - Returns: the file's bytes from its beginning, until the next call.
    /// - Throws: `FormatError` with the code `cannotRead`, or `unsupported` for a file that is too large.
    private func load(
        _ descriptor: Int32, from start: Int = 0, upTo limit: Int? = nil
    ) throws(FormatError) -> UnsafeRawBufferPointer {
        var count = start
        while true {
            let step = Glibc.read(
                descriptor, bytes.baseAddress?.advanced(by: count), (limit ?? bytes.count) - count)
            guard step >= 0 else {
                if errno == EINTR { continue }
                throw FormatError(.cannotRead, path: filePath, SystemFailure.message(errno))
            }
            count += step
            // A regular file gives all it has.
            guard step > 0, count == bytes.count else { break }
            try makeRoom(for: descriptor)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }

    private func checkUnchanged(_ descriptor: Int32, since state: FileState) throws(FormatError) {
        guard try self.state(of: descriptor) == state else {
            throw FormatError(
                .changed, path: filePath,
                "the file was written to after the folder was looked through; start again")
        }
    }

    private func state(of descriptor: Int32) throws(FormatError) -> FileState {
        guard let state = FileState(descriptor: descriptor) else {
            throw FormatError(.cannotRead, path: filePath, SystemFailure.message(errno))
        }
        return state
    }

    /// Enlarges the memory for a file that does not fit it.
    private func makeRoom(for descriptor: Int32) throws(FormatError) {
        let size = try state(of: descriptor).size
        guard size <= Self.largestFile else {
            throw FormatError(
                .unsupported, path: filePath,
                "the file has \(size) bytes; at most \(Self.largestFile) are read")
        }
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(size + 1, bytes.count * 2), alignment: 16)
        room.copyMemory(from: UnsafeRawBufferPointer(bytes))
        bytes.deallocate()
        bytes = room
    }
}
