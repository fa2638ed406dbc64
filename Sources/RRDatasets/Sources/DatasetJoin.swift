internal import RRFormats
internal import RRTensor

/// Several datasets that are read as one, in the order given.
struct DatasetJoin {
    let parts: [Dataset]
    let first: Dataset
    let labels: [Int]?
    let classCount: Int
    let splitNames: [String]
    let splits: [UInt8]?
    let groups: SampleGroups?

    /// - Throws: `DatasetError` with the code `inconsistentImages` where shapes, types or colours differ, or
    ///   `wrongAttribute` where classes or splits do.
    init(_ parts: [Dataset], first: Dataset) throws(DatasetError) {
        for part in parts {
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
                    .wrongAttribute, "the classes are", Self.describe(part.classNames),
                    Self.describe(first.classNames))
            }
            guard part.splitNames.isEmpty == first.splitNames.isEmpty else {
                throw differs(
                    .wrongAttribute, "the splits are", Self.describe(part.splitNames),
                    Self.describe(first.splitNames))
            }
            guard part.groups?.names == first.groups?.names, (part.groups == nil) == (first.groups == nil)
            else {
                throw differs(
                    .wrongAttribute, "the groups are", Self.describe(part.groups?.names),
                    Self.describe(first.groups?.names))
            }
        }
        self.parts = parts
        self.first = first
        labels = first.labels == nil ? nil : parts.flatMap { $0.labels ?? [] }
        classCount = parts.map(\.classCount).max() ?? 0
        groups = first.groups.map { groups in
            SampleGroups(numbers: parts.flatMap { $0.groups?.numbers ?? [] }, names: groups.names)
        }
        var names: [String] = []
        for name in parts.flatMap(\.splitNames) where !names.contains(name) { names.append(name) }
        guard names.count <= 256 else {
            throw DatasetError(.wrongAttribute, path: first.path, "together there are more than 256 splits")
        }
        splitNames = names
        splits =
            first.splits == nil
            ? nil
            : parts.flatMap { part in
                let numbers = part.splitNames.map { UInt8(names.firstIndex(of: $0) ?? 0) }
                return (part.splits ?? []).map { numbers[Int($0)] }
            }
    }

    private static func describe(_ names: [String]?) -> String {
        guard let names, !names.isEmpty else { return "none or bare numbers" }
        return names.prefix(10).joined(separator: ", ")
    }
}

extension Dataset {
    /// Opens files and folders of PNGs as one dataset, whose samples are those of each in turn.
    ///
    /// Its fingerprint is that of a file that held them so.
    ///
    /// - Parameter reading: how folders are read.
    /// - Throws: as `init(path:)` for each; `DatasetError` with the code `inconsistentImages`, `wrongAttribute` or
    ///   `duplicateId` where they do not fit each other, and `empty` for no files.
    public static func joining(
        _ paths: [String], reading: ImageFolderOptions = ImageFolderOptions()
    ) throws -> Dataset {
        let parts = try paths.map { path in
            FileTree.kind(of: path) == .folder
                ? try Dataset(pngFolder: path, reading: reading) : try Dataset(path: path)
        }
        guard let first = parts.first else { throw DatasetError(.empty, path: "", "there is no dataset") }
        guard parts.count > 1 else { return first }
        let join = try DatasetJoin(parts, first: first)
        let ids = try parts.flatMap { try $0.ids() }
        var seen = Set<String>(minimumCapacity: ids.count)
        if let id = ids.first(where: { !seen.insert($0).inserted }) {
            throw DatasetError(
                .duplicateId, path: paths.joined(separator: " + "),
                "two samples have the id “\(id)”; import one of the files under other names")
        }
        return Dataset(join)
    }
}

extension MaskSet {
    /// Opens mask sets for a dataset, or for the files that it joins, each for the one whose fingerprint it has.
    ///
    /// - Throws: as `init(path:for:)`; `DatasetError` with the code `duplicateMask` where two are for the same file, or
    ///   `wrongMaskSize` where some have a channel for each of the image's and others one for all.
    public static func joining(_ paths: [String], for dataset: Dataset) throws -> MaskSet? {
        guard let first = paths.first else { return nil }
        if paths.count == 1, let whole = try? MaskSet(path: first, for: dataset) { return whole }
        guard !dataset.parts.isEmpty else {
            guard paths.count == 1 else {
                throw DatasetError(
                    .duplicateMask, path: paths[1], "the dataset has one file, and masks in \(first)")
            }
            return try MaskSet(path: first, for: dataset)
        }
        var sets: [Int: MaskSet] = [:]
        for path in paths {
            let part = dataset.parts.indices.first {
                (try? MaskSet(path: path, for: dataset.parts[$0])) != nil
            }
            // Of no part, or damaged: the first part says what is wrong.
            let number = part ?? 0
            let set = try MaskSet(path: path, for: dataset.parts[number])
            guard sets.updateValue(set, forKey: number) == nil else {
                throw DatasetError(
                    .duplicateMask, path: path,
                    "\(dataset.parts[number].path) has masks in another file already")
            }
        }
        guard let shape = sets.values.first?.maskShape, sets.values.allSatisfy({ $0.maskShape == shape })
        else {
            throw DatasetError(.wrongMaskSize, path: first, "some masks have one channel and others several")
        }
        let rowCount = sets.values.reduce(1) { $0 + $1.bits.rowCount - 1 }
        var bits = try MaskBits(rowCount: rowCount, elementsPerRow: shape.elementCount)
        var (rows, next) = ([Int](), 0)
        for (number, part) in dataset.parts.enumerated() {
            guard let set = sets[number] else {
                rows += Array(repeating: rowCount - 1, count: part.sampleCount)
                continue
            }
            let last = set.bits.rowCount - 1
            for row in 0..<last { bits.formUnion(row: next + row, with: set.bits, row: row) }
            rows += set.rows.map { $0 == last ? rowCount - 1 : next + $0 }
            next += last
        }
        return try MaskSet(
            bits: bits, rows: rows, maskShape: shape, datasetFingerprint: try dataset.fingerprint)
    }
}
