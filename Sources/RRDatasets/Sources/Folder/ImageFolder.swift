internal import RRFormats
internal import RRTensor
internal import Synchronization

/// A dataset of the image files in a folder, decoded as they are read.
///
/// What the files are is settled by their headers when the folder is opened. Each is read only as long as it is the file
/// of then.
struct ImageFolder: DatasetSource {
    let contents: DatasetContents

    private let reading: ImageFolderOptions
    private let files: PNGFileList
    private let conversion: PNGConversion
    private let states: [FileState]
    private let decoded: DecodedChecksums

    private var folder: String { contents.path }

    /// Looks through a folder, and reads the header of every file on as many threads as there are cores.
    ///
    /// - Throws: `FormatError` and `DatasetError` as an import of the folder, but that damage to pixels shows
    ///   only as they are read.
    init(folder: String, reading: ImageFolderOptions) throws {
        let files = try PNGFolderScan(folder: folder, reading).files
        let conversion: PNGConversion
        let tally: PNGTally
        var table = files.table
        do {
            conversion = try PNGConversion(reading, firstOf: files, in: folder)
            let headers: Headers = try Self.headers(of: files, in: folder, conversion, reading)
            (states, tally) = (headers.states, headers.tally)
            if reading.resizing != nil { table.sourceSizes = headers.sizes }
        } catch let error as FormatError {
            throw ImageFolderOptions.unreadable(error)
        } catch let other as OtherHeader {
            let error = reading.disagreement(of: files, in: folder, other.conversion)
            throw DatasetError(
                error.code, path: error.path,
                error.message
                    + "\n`\(operation: .importFolder(of: reading.files))` and `\(operation: .stream)` have these options"
            )
        }
        decoded = DecodedChecksums(count: files.count)
        (self.reading, self.files, self.conversion) = (reading, files, conversion)
        contents = try DatasetContents(
            path: folder, sampleCount: files.count, imageShape: conversion.imageShape,
            elementType: conversion.elementType, color: conversion.colorName, table: table,
            notes: files.notes + tally.notes(reading.orientation, of: "images"))
    }

    /// Of a file that does not become what the first one does.
    private struct OtherHeader: Error {
        let conversion: PNGConversion
    }

    /// What the headers of all files say.
    private struct Headers {
        /// By what a later change of each file is known.
        let states: [FileState]
        /// The size of each image before it is resized.
        let sizes: [ImageSize]
        let tally: PNGTally
    }

    /// Reads all headers.
    private static func headers(
        of files: PNGFileList, in folder: String, _ conversion: PNGConversion,
        _ reading: ImageFolderOptions
    ) throws -> Headers {
        let tally = Mutex(PNGTally())
        nonisolated(unsafe) let sizes = UnsafeMutableBufferPointer<ImageSize>.allocate(capacity: files.count)
        defer { sizes.deallocate() }
        let states = try [FileState](unsafeUninitializedCapacity: files.count) { states, count in
            nonisolated(unsafe) let states = states
            try Workers().run(
                parts: 0..<files.count, makeState: { PNGFileReader(folder: folder, reading.files) }
            ) { reader, position in
                let (header, state, own) = try reader.header(
                    of: position, in: files.paths, reading.orientation)
                if own != .topLeft { tally.withLock { $0.add(own, []) } }
                guard conversion.serves(header) else { throw OtherHeader(conversion: conversion) }
                states.initializeElement(at: position, to: state)
                sizes.initializeElement(
                    at: position, to: ImageSize(height: header.height, width: header.width))
            }
            count = files.count
        }
        return Headers(states: states, sizes: Array(sizes), tally: tally.withLock { $0 })
    }

    var storedFingerprint: String? { nil }
    var parts: [Dataset] { [] }
    var readsFolder: Bool { true }

    /// Decoding costs many times what a copy does.
    var block: ImageBlock { ImageBlock(rows: 1, isWorthKeeping: true) }

    func makeReader() -> any ImageRowReader { Reader(self) }

    /// Each file is checked as it is read.
    func checkUnchanged() {}

    /// A reader notes the checksum of what it decodes.
    func verify(_ image: UnsafeRawBufferPointer, at index: Int) {}

    func ids() -> [String] { files.paths.map { ImageNames.stem(of: $0) } }

    /// The CRC-32 of every image, for which those not yet read are decoded.
    ///
    /// - Parameter progress: called with the number of images done and the number of all.
    /// - Throws: `FormatError`; `DatasetError` with the code `unreadableImage`.
    func checksums(progress: (_ done: Int, _ total: Int) -> Void) throws -> [UInt32] {
        let size = contents.imageSize
        for start in stride(from: 0, to: files.count, by: 1024) {
            let positions = start..<min(start + 1024, files.count)
            do {
                try Workers().run(
                    parts: positions, makeState: { (Reader(self), Scratch(byteCount: size)) }
                ) { worker, position in
                    guard decoded[position] == nil else { return }
                    try worker.0.read(rows: position..<position + 1, into: worker.1.bytes)
                }
            } catch let error as FormatError {
                throw ImageFolderOptions.unreadable(error)
            }
            progress(positions.upperBound, files.count)
        }
        return files.paths.indices.map { decoded[$0] ?? 0 }
    }

    /// How an import would say that the images were resized.
    func resizing() throws -> Resizing? {
        if let resizing = reading.resizing { return resizing }
        let export = try ExportMark(of: folder, kind: "pngs", trustsLinks: reading.trustsLinks)
        let isAsExported = export?.imageDimensions == contents.imageShape.dimensions
        return isAsExported ? export?.resizing : nil
    }

    func provenanceText() -> String? { nil }

    func compression() -> Compression { .none }

    private final class Scratch {
        let bytes: UnsafeMutableRawBufferPointer

        init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

        deinit { bytes.deallocate() }
    }

    private final class Reader: ImageRowReader {
        private let files: PNGFileList
        private let states: [FileState]
        private let decoded: DecodedChecksums
        private let folder: String
        private let size: Int
        private let conversion: PNGConversion
        private let reader: PNGFileReader

        init(_ source: ImageFolder) {
            (files, states, decoded) = (source.files, source.states, source.decoded)
            (folder, size) = (source.folder, source.contents.imageSize)
            conversion = source.conversion
            reader = PNGFileReader(folder: source.folder, source.reading.files)
        }

        func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
            for row in rows {
                let start = (row - rows.lowerBound) * size
                try read(row, into: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + size]))
            }
        }

        private func read(_ row: Int, into image: UnsafeMutableRawBufferPointer) throws(FormatError) {
            let fault = reader.read(
                row, in: files.paths, as: conversion, expecting: states[row], into: image)
            switch fault {
            case .failure(let error) where error.code == .notFound:
                throw FormatError(
                    .changed, path: error.path,
                    "the file was taken away after the folder was looked through; start again")
            case .failure(let error): throw error
            case nil where decoded.insert(CRC32.checksum(of: UnsafeRawBufferPointer(image)), at: row):
                return
            case .otherHeader, nil:
                throw FormatError(
                    .changed, path: folder + "/" + files.paths[row],
                    "the file holds another image than before, though it has the same size and time; start again"
                )
            }
        }
    }
}
