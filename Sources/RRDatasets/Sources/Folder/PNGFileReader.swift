internal import Glibc
package import RRFormats

/// Reads the PNG files of a folder one after another, in memory that it keeps.
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
    /// The path of the file at hand, and a zero byte.
    private var path: [UInt8] = []
    private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var planes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
    private lazy var workspace = PNGWorkspace()

    /// The number of images so far whose file names a colour space, which was ignored.
    package private(set) var colorSpaceCount = 0

    /// Of most files the pixels begin within these bytes.
    private static let startSize = 4096
    private static let largestFile = 1 << 31

    package init(folder: String) { self.folder = Array(folder.utf8) + [UInt8(ascii: "/")] }

    deinit {
        bytes.deallocate()
        planes.deallocate()
    }

    /// The path of the file at hand, for errors only.
    private var filePath: String { String(decoding: path.dropLast(), as: UTF8.self) }

    /// Reads the header of a file of a list without its pixels.
    ///
    /// - Returns: what decoding will make of the file, and by what a later change of it is known.
    /// - Throws: `FormatError` where the file is not there, cannot be read or is no PNG that is served.
    package func header(
        of position: Int, in paths: TextList
    ) throws(FormatError) -> (header: PNGHeader, state: FileState) {
        let result = paths.withUTF8(at: position) { file -> Result<(PNGHeader, FileState), FormatError> in
            do throws(FormatError) {
                let (start, state) = try start(of: file)
                let early = try PNGDecoder.storage(ofStart: start, fileSize: state.size, path: filePath)
                if let early { return .success((early.header, state)) }
                // A colour profile or a long text stands before the pixels.
                let bytes = try bytes(of: file, expecting: state)
                return .success((try PNGDecoder.storage(of: bytes, path: filePath).header, state))
            } catch {
                return .failure(error)
            }
        }
        let (header, state) = try result.get()
        return (header, state)
    }

    /// Reads a file of a list into an image `(C, H, W)`, which is zero where there is a fault.
    ///
    /// - Parameters:
    ///   - state: what the file must still be; nil for any.
    ///   - image: as many bytes as the conversion's target.
    package func read(
        _ position: Int, in paths: TextList, as conversion: PNGConversion, expecting state: FileState? = nil,
        into image: UnsafeMutableRawBufferPointer
    ) -> Fault? {
        let fault = paths.withUTF8(at: position) { file -> Fault? in
            do throws(FormatError) {
                let bytes = try bytes(of: file, expecting: state)
                let storage = try PNGDecoder.storage(of: bytes, path: filePath)
                guard conversion.serves(storage.header) else { return .otherHeader }
                try decode(bytes, storage, as: conversion, into: image)
                if storage.hasColorSpace { colorSpaceCount += 1 }
                return nil
            } catch {
                return .failure(error)
            }
        }
        if fault != nil { image.initializeMemory(as: UInt8.self, repeating: 0) }
        return fault
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ storage: PNGStorage, as conversion: PNGConversion,
        into image: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        let header = storage.header
        let isConverted = header != conversion.target
        if isConverted, planes.count < header.byteCount {
            planes.deallocate()
            planes = .allocate(byteCount: header.byteCount, alignment: 16)
        }
        let planes =
            isConverted ? UnsafeMutableRawBufferPointer(rebasing: planes[..<header.byteCount]) : image
        try PNGDecoder.decode(
            bytes, storage: storage, path: filePath, arrangement: .planar, workspace: workspace, into: planes)
        if isConverted { conversion.convert(planes, header, into: image) }
    }
}

// Bytes of files.
extension PNGFileReader {
    /// Reads a whole file into memory. One that fits takes three calls of the system, or four with a state.
    ///
    /// - Parameters:
    ///   - file: the path relative to the folder.
    ///   - state: what the file must still be; nil for any.
    /// - Returns: the file's bytes, until the next call.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `unsupported` for a file that is too large, or
    ///   `changed`.
    private func bytes(
        of file: UnsafeBufferPointer<UInt8>, expecting state: FileState? = nil
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
                .changed, path: filePath,
                "the file was written to after the folder was looked through; start again"
            )
        }
        return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }

    /// Reads the first bytes of a file, all where it has few, and what can be told apart from later writing.
    ///
    /// - Throws: as `bytes(of:expecting:)`.
    private func start(
        of file: UnsafeBufferPointer<UInt8>
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
                throw FormatError(.notFound, path: filePath, "there is no such file")
            }
            throw FormatError(.cannotRead, path: filePath, SystemFailure.message(failure))
        }
        return descriptor
    }

    private func state(of descriptor: Int32) throws(FormatError) -> FileState {
        guard let state = FileState(descriptor: descriptor) else {
            throw FormatError(.cannotRead, path: filePath, SystemFailure.message(errno))
        }
        return state
    }

    private func read(_ descriptor: Int32, at offset: Int, upTo end: Int) throws(FormatError) -> Int {
        while true {
            let step = Glibc.read(descriptor, bytes.baseAddress?.advanced(by: offset), end - offset)
            if step >= 0 { return step }
            guard errno == EINTR else {
                throw FormatError(.cannotRead, path: filePath, SystemFailure.message(errno))
            }
        }
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
