internal import RRFormats
internal import RRTensor

/// Several datasets that are read as one, in the order given.
struct JoinedDatasets: DatasetSource {
    let parts: [Dataset]
    let contents: DatasetContents
    /// The samples of each part.
    private let ranges: [Range<Int>]

    /// - Parameter parts: at least one.
    /// - Throws: `DatasetError` with the code `inconsistentImages` where shapes, types or colours differ, or
    ///   `wrongAttribute` where classes, splits or groups do.
    init(_ parts: [Dataset], first: Dataset) throws(DatasetError) {
        for part in parts { try Self.check(part, against: first) }
        self.parts = parts
        var ranges: [Range<Int>] = []
        for part in parts {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<start + part.sampleCount)
        }
        self.ranges = ranges
        contents = DatasetContents(
            path: parts.map(\.path).joined(separator: " + "), sampleCount: ranges.last?.upperBound ?? 0,
            imageShape: first.imageShape, elementType: first.elementType, color: first.color,
            table: try Self.table(of: parts, first: first), notes: parts.flatMap(\.notes))
    }

    /// Checks that a part's samples can stand in one table with those of the first.
    private static func check(_ part: Dataset, against first: Dataset) throws(DatasetError) {
        func differs(_ code: DatasetError.Code, _ what: String, _ own: String, _ other: String)
            -> DatasetError
        {
            DatasetError(
                code, path: part.path,
                "\(what) \(own), but \(first.path) has \(other); they cannot be one dataset")
        }
        guard part.imageShape == first.imageShape, part.elementType == first.elementType,
            part.color == first.color
        else {
            throw differs(
                .inconsistentImages, "the images are",
                "\(part.color) \(part.elementType.rawValue) \(part.imageShape)",
                "\(first.color) \(first.elementType.rawValue) \(first.imageShape)")
        }
        guard part.classNames == first.classNames, (part.labels == nil) == (first.labels == nil) else {
            throw differs(
                .wrongAttribute, "the classes are", describe(part.classNames), describe(first.classNames))
        }
        guard part.splitNames.isEmpty == first.splitNames.isEmpty else {
            throw differs(
                .wrongAttribute, "the splits are", describe(part.splitNames), describe(first.splitNames))
        }
        guard part.groups?.names == first.groups?.names, (part.groups == nil) == (first.groups == nil) else {
            throw differs(
                .wrongAttribute, "the groups are", describe(part.groups?.names),
                describe(first.groups?.names))
        }
    }

    private static func describe(_ names: [String]?) -> String {
        guard let names, !names.isEmpty else { return "none or bare numbers" }
        return names.prefix(10).joined(separator: ", ")
    }

    /// The samples of each part in turn; splits of one name are one.
    private static func table(of parts: [Dataset], first: Dataset) throws(DatasetError) -> SampleTable {
        var names: [String] = []
        for name in parts.flatMap(\.splitNames) where !names.contains(name) { names.append(name) }
        guard names.count <= 256 else {
            throw DatasetError(.wrongAttribute, path: first.path, "together there are more than 256 splits")
        }
        var table = SampleTable(classNames: first.classNames, splitNames: names)
        if first.labels != nil { table.labels = parts.flatMap { $0.labels ?? [] } }
        if first.splits != nil {
            table.splits = parts.flatMap { part in
                let numbers = part.splitNames.map { UInt8(names.firstIndex(of: $0) ?? 0) }
                return (part.splits ?? []).map { numbers[Int($0)] }
            }
        }
        let sizes = parts.compactMap(\.sourceSizes)
        if sizes.count == parts.count { table.sourceSizes = Array(sizes.joined()) }
        table.groups = first.groups.map { groups in
            SampleGroups(numbers: parts.flatMap { $0.groups?.numbers ?? [] }, names: groups.names)
        }
        return table
    }

    var storedFingerprint: String? { nil }
    var readsFolder: Bool { parts.contains { $0.readsFolder } }

    var block: ImageBlock {
        let blocks = parts.map(\.source.block)
        return ImageBlock(
            rows: blocks.map(\.rows).max() ?? 1, isWorthKeeping: blocks.contains { $0.isWorthKeeping },
            isIndivisible: blocks.contains { $0.isIndivisible })
    }

    func makeReader() throws -> any ImageRowReader {
        Reader(
            parts: try zip(ranges, parts).map { ($0, try $1.source.makeReader()) },
            rowSize: contents.imageSize)
    }

    func checkUnchanged() throws(FormatError) {
        for part in parts { try part.source.checkUnchanged() }
    }

    func ids() throws -> [String] { try parts.flatMap { try $0.ids() } }

    func checksums(progress: (Int, Int) -> Void) throws -> [UInt32] {
        try parts.flatMap { try $0.checksums(progress: progress) }
    }

    func verify(_ image: UnsafeRawBufferPointer, at index: Int) throws(DatasetError) {
        let number = part(of: index)
        try parts[number].source.verify(image, at: index - ranges[number].lowerBound)
    }

    /// The number of the part that a sample is of: the last that begins at it or before. O(log of the parts).
    private func part(of index: Int) -> Int {
        var (low, high) = (0, ranges.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if ranges[middle].lowerBound <= index { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// That of all parts; nil where they differ.
    func resizing() throws -> Resizing? {
        let all = try Set(parts.map { try $0.resizing() })
        return all.count == 1 ? all.first ?? nil : nil
    }

    func provenanceText() -> String? { nil }

    func compression() -> Compression { .none }

    private struct Reader: ImageRowReader {
        let parts: [(rows: Range<Int>, reader: any ImageRowReader)]
        let rowSize: Int

        func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
            for part in parts {
                let own = rows.clamped(to: part.rows)
                guard !own.isEmpty else { continue }
                let (start, end) = (own.lowerBound - rows.lowerBound, own.upperBound - rows.lowerBound)
                try part.reader.read(
                    rows: own.lowerBound - part.rows.lowerBound..<own.upperBound - part.rows.lowerBound,
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[start * rowSize..<end * rowSize]))
            }
        }
    }
}

extension Dataset {
    /// Opens files and folders of PNGs as one dataset, whose samples are those of each in turn.
    ///
    /// Its fingerprint is that of a file that held them so.
    ///
    /// - Parameters:
    ///   - paths: dataset files or folders.
    ///   - reading: how folders are read.
    /// - Throws: as `init(path:)` for each; `DatasetError` with the code `inconsistentImages`, `wrongAttribute` or
    ///   `duplicateId` where they do not fit each other, and `empty` for no files.
    public static func joining(
        _ paths: [String], reading: ImageFolderOptions = ImageFolderOptions()
    ) throws -> Dataset {
        let parts = try paths.map { try Dataset(path: $0, reading: reading) }
        guard let first = parts.first else { throw DatasetError(.empty, path: "", "there is no dataset") }
        guard parts.count > 1 else { return first }
        let joined = try JoinedDatasets(parts, first: first)
        let ids = try joined.ids()
        var seen = Set<String>(minimumCapacity: ids.count)
        if let id = ids.first(where: { !seen.insert($0).inserted }) {
            throw DatasetError(
                .duplicateId, path: joined.contents.path,
                "two samples have the id “\(id)”; import one of the files under other names")
        }
        return Dataset(joined)
    }
}
