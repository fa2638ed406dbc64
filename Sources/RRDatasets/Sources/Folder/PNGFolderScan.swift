internal import RRFormats

/// Walks a folder for image files, their classes and splits.
package struct PNGFolderScan {
    /// What was found.
    package private(set) var files = PNGFileList()

    private let walk: FolderWalk
    /// Whether folders within classes may be called as splits are.
    private let allowsSplitNames: Bool

    /// Walks a folder.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `unsupported`; `DatasetError` with the code
    ///   `badFolderStructure`, `invalidOption`, `duplicateId` or `empty`.
    package init(folder: String, labels: ImageFolderOptions.Labels, splits: SplitFolders = .byName) throws {
        let walk = FolderWalk(root: folder)
        self.walk = walk
        allowsSplitNames = splits == .none || labels == .none
        let top = try walk.list("")
        let found = try SplitFolderList(
            splits, among: top.names(of: .folder), of: folder, content: labels == .folders ? .classes : .files
        ) { folder in
            let listing = try walk.list(folder)
            return listing.names.indices.contains { listing.isPNG(at: $0) }
        }
        files.notes = found.notes
        let parts = found.parts
        if !parts.isEmpty { try checkTop(top, parts: parts.map(\.folder)) }
        for part in parts where files.splitNames.last != part.split { files.splitNames.append(part.split) }
        if files.splitNames.count == 1 { files.splitNames = [] }
        var classes: [(name: String, fileCount: Int)] = []
        for part in parts.isEmpty ? [.init(split: "", folder: "")] : parts {
            let count = files.count
            let listing = parts.isEmpty ? top : try walk.list(part.folder)
            if labels == .folders {
                classes += try addClasses(listing, in: part.folder)
            } else {
                try addFiles(
                    listing, in: part.folder,
                    emptyMessage: "the folder holds no PNG files (names that end in .png)")
            }
            if let number = files.splitNames.firstIndex(of: part.split) {
                files.splits += repeatElement(UInt8(number), count: files.count - count)
            }
        }
        guard labels == .folders else { return }
        // By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
        let names = Set(classes.map { Array($0.name.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
        files.classNames = names.map { String(decoding: $0, as: UTF8.self) }
        var list: [Int32] = []
        list.reserveCapacity(files.count)
        for (name, count) in classes {
            list += repeatElement(numbers[Array(name.utf8)] ?? 0, count: count)
        }
        files.labels = list
    }

    /// Checks that no file beside splits could be a sample.
    private mutating func checkTop(_ top: FolderListing, parts: [String]) throws {
        let found = parts.joined(separator: ", ")
        if let file = top.names.indices.first(where: { top.isPNG(at: $0) }) {
            throw DatasetError(
                .badFolderStructure, path: walk.path(of: ""),
                "\(top.names[file]) is in none of the splits (\(found))")
        }
        files.otherFileCount += top.kinds.count { $0 != .folder }
    }

    /// Adds the files of the class folders in a part of the folder, and gives the classes in their order.
    private mutating func addClasses(_ listing: FolderListing, in part: String) throws
        -> [(name: String, fileCount: Int)]
    {
        if let file = listing.names.indices.first(where: { listing.isPNG(at: $0) }) {
            throw DatasetError(
                .badFolderStructure, path: walk.path(of: part),
                "\(listing.names[file]) is in no class folder; \(option: .labels) none imports images without labels, "
                    + "and a metadata.csv gives labels by file_name")
        }
        let classes = listing.names(of: .folder)
        guard !classes.isEmpty else {
            throw DatasetError(
                .empty, path: walk.path(of: part), "the folder holds no class folders and no PNG files")
        }
        files.otherFileCount += listing.kinds.count { $0 != .folder }
        return try classes.map { name in
            let count = files.count
            let relative = part.isEmpty ? name : part + "/" + name
            try addFiles(
                walk.list(relative), in: relative,
                emptyMessage:
                    "the class folder holds no PNG files (names that end in .png); fill it or move it away")
            return (name, files.count - count)
        }
    }

    /// Adds the PNG files in and below a folder, given by its relative path.
    private mutating func addFiles(
        _ listing: FolderListing, in relative: String, emptyMessage: String
    ) throws {
        let count = files.count
        try walk.visitFiles(below: relative, listing: listing, entering: check) { file in
            if file.isPNG {
                file.listing.names.withUTF8(at: file.position) {
                    files.paths.append(folder: file.prefix, name: $0)
                }
            } else {
                files.otherFileCount += 1
            }
        }
        guard files.count > count else {
            throw DatasetError(.empty, path: walk.path(of: relative), emptyMessage)
        }
    }

    /// Refuses a folder whose files cannot be samples as they stand.
    private func check(_ listing: FolderListing, at path: String) throws {
        try Self.checkStems(listing, at: path)
        guard !allowsSplitNames else { return }
        let inner = listing.names(of: .folder).filter { SplitFolders.usualName(for: $0) != nil }
        guard Set(inner.map(SplitFolders.usualName)).count > 1 else { return }
        throw DatasetError(
            .badFolderStructure, path: path,
            "\(inner.joined(separator: ", ")) look like splits, but lie within a class folder: import this folder itself "
                + "where it is the dataset, list the files with their splits in a metadata.csv, or take all of them "
                + "for one class with \(option: .noSplits)")
    }

    /// Refuses names that differ only in the case of their extension, such as `1.png` and `1.PNG`.
    private static func checkStems(_ listing: FolderListing, at path: String) throws {
        let images = listing.names.indices.lazy.filter { listing.isPNG(at: $0) }
        let usual = Array(".png".utf8)
        var unusual: [[UInt8]: Int] = [:]
        for position in images
        where !listing.names.withUTF8(at: position, { $0.suffix(4).elementsEqual(usual) }) {
            let stem = listing.names.withUTF8(at: position) { Array($0.dropLast(4)) }
            if let other = unusual.updateValue(position, forKey: stem) {
                throw sameId(listing.names[other], listing.names[position], at: path)
            }
        }
        guard !unusual.isEmpty else { return }
        for position in images {
            let stem = listing.names.withUTF8(at: position) { Array($0.dropLast(4)) }
            if let other = unusual[stem], other != position {
                throw sameId(
                    listing.names[min(other, position)], listing.names[max(other, position)], at: path)
            }
        }
    }

    private static func sameId(_ first: String, _ second: String, at path: String) -> DatasetError {
        DatasetError(
            .duplicateId, path: path,
            "\(first) and \(second) would have the same id; rename one of them")
    }
}
