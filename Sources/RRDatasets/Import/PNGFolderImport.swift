internal import Glibc
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes a dataset of the PNG files in a folder.
///
/// Folders on the first level are classes, sorted by name; or `train`, `val` and `test` are splits, and the
/// classes are within them. Files are found at any depth below. A sample's id is its file's path without the
/// extension. Samples are sorted by split, class and path, bytewise by path component.
public struct PNGFolderImport: Sendable {
    /// Where labels come from.
    public enum Labels: String, Sendable, CaseIterable {
        /// From class folders.
        case folders
        /// Samples have no labels.
        case none
    }

    /// What a file that cannot be decoded leads to.
    public enum ErrorPolicy: String, Sendable, CaseIterable {
        /// To the end of the import.
        case stop
        /// To a dataset without the file, which the summary names.
        case skip
    }

    public struct Options: Sendable {
        public var labels: Labels = .folders
        public var onError: ErrorPolicy = .stop
        public var compression: Compression = .none
        /// The number of threads that decode; it has no effect on the result.
        public var jobs: Int = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        /// Whether an existing output is replaced.
        public var force: Bool = false

        public init() {}
    }

    public let folder: String
    public let output: String
    public let options: Options

    public init(folder: String, output: String, options: Options = Options()) {
        self.folder = folder
        self.output = output
        self.options = options
    }

    /// Imports; the same files and options make the same bytes.
    ///
    /// Memory grows by a path for each file, not by pixels.
    ///
    /// - Parameter progress: called with the number of files done and the number of all.
    /// - Throws: `FormatError` where a file or folder is missing or cannot be read, or the output exists or
    ///   cannot be written; `DatasetError` with the code `badFolderStructure`, `duplicateId`, `empty`,
    ///   `unreadableImage` (damaged, or of a kind that is not served) or `inconsistentImages`. The
    ///   error names the file, and no output is left.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ImportSummary {
        let scan = try PNGFolderScan(folder: folder, labels: options.labels)
        var skipped: [ImportSummary.SkippedFile] = []
        let header = try firstHeader(of: scan)
        let imageShape = try ImageShape(channels: header.channels, height: header.height, width: header.width)
        let elementType: ImageElementType = header.bitDepth == 16 ? .uint16 : .uint8
        let color = PNGHeader.colorNames[header.channels - 1]
        let writer = try DatasetWriter(
            path: output, force: options.force, sampleCount: scan.files.count, imageShape: imageShape,
            elementType: elementType, color: color, compression: options.compression)

        let paths = scan.files.map { folder + "/" + $0.path }
        let decoder = PNGBlockDecoder(header: header, jobs: max(1, options.jobs))
        var kept: [Int] = []
        kept.reserveCapacity(paths.count)
        for start in stride(from: 0, to: paths.count, by: decoder.blockCount) {
            let rows = start..<min(start + decoder.blockCount, paths.count)
            let faults = decoder.decode(paths[rows])
            for row in rows {
                switch faults[row - start] {
                case nil: kept.append(row)
                case .otherHeader: throw disagreement(of: scan)
                case .failure(let error):
                    guard options.onError == .skip else { throw Self.unreadable(error) }
                    skipped.append(.init(path: scan.files[row].path, reason: error.message))
                }
            }
            try decoder.withBlock { pixels, checksums in
                try writer.write(images: pixels, rows: rows, checksums: checksums)
            }
            progress(rows.upperBound, paths.count)
        }
        guard !kept.isEmpty else { throw noneReadable(of: scan) }
        let splits = scan.splitNames.isEmpty ? nil : kept.map { UInt8(scan.files[$0].split) }
        let fingerprint = try writer.finish(
            keeping: kept, ids: kept.map { scan.files[$0].id },
            labels: scan.labels.map { labels in kept.map { labels[$0] } }, classNames: scan.classNames,
            splits: splits, splitNames: scan.splitNames,
            provenance: provenance(skipped: skipped, otherFileCount: scan.otherFileCount))
        try writer.commit()
        return ImportSummary(
            path: output, sampleCount: kept.count, imageShape: imageShape, elementType: elementType,
            color: color,
            isLabelled: scan.labels != nil, classNames: scan.classNames,
            splits: scan.splitNames.enumerated().map { number, name in
                .init(name: name, sampleCount: splits?.count { $0 == number } ?? 0)
            },
            fingerprint: fingerprint, skippedFiles: skipped, otherFileCount: scan.otherFileCount, masks: nil)
    }
}

extension PNGFolderImport {
    /// The header that all files must have: that of the first that has a sound one.
    private func firstHeader(of scan: PNGFolderScan) throws -> PNGHeader {
        for file in scan.files {
            do {
                return try Self.header(of: folder + "/" + file.path)
            } catch {
                guard options.onError == .skip else { throw Self.unreadable(error) }
            }
        }
        throw noneReadable(of: scan)
    }

    private static func header(of path: String) throws(FormatError) -> PNGHeader {
        let bytes = try FileBytes.read(path)
        let result: Result<PNGHeader, FormatError> = bytes.withUnsafeBytes { bytes in
            do throws(FormatError) {
                return .success(try PNGDecoder.header(of: bytes, path: path))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func noneReadable(of scan: PNGFolderScan) -> DatasetError {
        DatasetError(.empty, path: folder, "none of the \(scan.files.count) PNG files can be decoded")
    }

    /// The error for a file that ends the import.
    private static func unreadable(_ error: FormatError) -> any Error {
        switch error.code {
        case .malformed, .unsupported: DatasetError(.unreadableImage, path: error.path, error.message)
        default: error
        }
    }

    /// The error for files that differ, with a few files of each kind.
    private func disagreement(of scan: PNGFolderScan) -> DatasetError {
        var kinds: [PNGHeader: (count: Int, files: [String])] = [:]
        for file in scan.files {
            guard let header = try? Self.header(of: folder + "/" + file.path) else { continue }
            kinds[header, default: (0, [])].count += 1
            if kinds[header, default: (0, [])].files.count < 3 {
                kinds[header, default: (0, [])].files.append(file.path)
            }
        }
        let sorted = kinds.sorted {
            ($0.value.count, $1.key.description) > ($1.value.count, $0.key.description)
        }
        var lines = sorted.prefix(6).map { header, kind in
            let more = kind.count > kind.files.count ? ", …" : ""
            return "\n  \(header): \(kind.count) (\(kind.files.joined(separator: ", "))\(more))"
        }
        if sorted.count > 6 { lines.append("\n  and \(sorted.count - 6) more kinds") }
        return DatasetError(
            .inconsistentImages, path: folder, "the images differ in size or colour:\(lines.joined())")
    }

    /// What the dataset says of its making; nothing in it depends on the machine.
    private func provenance(skipped: [ImportSummary.SkippedFile], otherFileCount: Int) -> JSONValue {
        [
            "command": "import pngs",
            "source": .string(folder.split(separator: "/").last.map(String.init) ?? folder),
            "options": [
                "labels": .string(options.labels.rawValue),
                "on_error": .string(options.onError.rawValue),
                "compress": .string(options.compression.rawValue),
            ],
            "skipped": .array(skipped.map { ["file": .string($0.path), "reason": .string($0.reason)] }),
            "other_files": .integer(otherFileCount),
        ]
    }
}
