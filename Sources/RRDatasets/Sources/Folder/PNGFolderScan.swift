package import RRFormats

/// Walks a folder for image files, their classes and splits.
package struct PNGFolderScan {
    /// What was found.
    package private(set) var files = PNGFileList()

    private let folder: String

    /// Walks a folder.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `unsupported`; `DatasetError` with the code
    ///   `badFolderStructure`, `duplicateId` or `empty`.
    package init(folder: String, labels: ImageFolderOptions.Labels) throws {
        self.folder = folder
        let top = try FolderEntries(of: folder, within: folder)
        let parts = Self.names(in: top, of: .folder).filter { Self.splitNames.contains($0) }
        files.splitNames = parts.count > 1 ? parts : []
        if !parts.isEmpty { try checkTop(top, parts: parts) }
        var classes: [(name: String, fileCount: Int)] = []
        for (number, part) in (parts.isEmpty ? [""] : parts).enumerated() {
            let count = files.count
            let entries = parts.isEmpty ? top : try FolderEntries(of: path(of: part), within: folder)
            if labels == .folders {
                classes += try addClasses(entries, in: part)
            } else {
                try addFiles(
                    entries, in: part,
                    emptyMessage: "the folder holds no PNG files (names that end in .png)")
            }
            if !files.splitNames.isEmpty {
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

    /// The names of folders on the first level that are splits.
    package static let splitNames = ["test", "train", "val"]

    /// The names of a kind, in their order.
    package static func names(in entries: FolderEntries, of kind: FolderEntries.Kind) -> [String] {
        entries.names.indices.filter { entries.kinds[$0] == kind }.map { entries.names[$0] }
    }

    private func path(of relative: String) -> String {
        relative.isEmpty ? folder : folder + "/" + relative
    }

    private static func isPNG(_ position: Int, of entries: FolderEntries) -> Bool {
        entries.kinds[position] == .file && entries.names.withUTF8(at: position, PNGFileList.isPNG)
    }

    /// Checks that a folder with splits holds nothing else that could be samples.
    private mutating func checkTop(_ top: FolderEntries, parts: [String]) throws {
        let found = parts.joined(separator: ", ")
        let others = Self.names(in: top, of: .folder).filter { !parts.contains($0) }
        guard others.isEmpty else {
            let listed = others.prefix(5).joined(separator: ", ") + (others.count > 5 ? ", …" : "")
            throw DatasetError(
                .badFolderStructure, path: folder,
                "\(found) would be splits, but \(listed) beside them would not; "
                    + "beside train, val and test there can be no other folder")
        }
        if let file = top.names.indices.first(where: { Self.isPNG($0, of: top) }) {
            throw DatasetError(
                .badFolderStructure, path: folder, "\(top.names[file]) is in none of the splits (\(found))")
        }
        files.otherFileCount += top.kinds.count { $0 != .folder }
    }

    /// Adds the files of the class folders in a part of the folder, and gives the classes in their order.
    private mutating func addClasses(_ entries: FolderEntries, in part: String) throws
        -> [(name: String, fileCount: Int)]
    {
        if let file = entries.names.indices.first(where: { Self.isPNG($0, of: entries) }) {
            throw DatasetError(
                .badFolderStructure, path: path(of: part),
                "\(entries.names[file]) is in no class folder; --labels none imports images without labels, "
                    + "and a metadata.csv gives labels by file_name")
        }
        let classes = Self.names(in: entries, of: .folder)
        guard !classes.isEmpty else {
            throw DatasetError(
                .empty, path: path(of: part), "the folder holds no class folders and no PNG files")
        }
        files.otherFileCount += entries.kinds.count { $0 != .folder }
        return try classes.map { name in
            let count = files.count
            let relative = part.isEmpty ? name : part + "/" + name
            try addFiles(
                FolderEntries(of: path(of: relative), within: folder), in: relative,
                emptyMessage:
                    "the class folder holds no PNG files (names that end in .png); fill it or move it away")
            return (name, files.count - count)
        }
    }

    /// Adds the PNG files in and below a folder, given by its relative path.
    private mutating func addFiles(
        _ entries: FolderEntries, in relative: String, emptyMessage: String
    ) throws {
        let count = files.count
        try walk(entries, relative, above: [])
        guard files.count > count else {
            throw DatasetError(.empty, path: path(of: relative), emptyMessage)
        }
    }

    private mutating func walk(
        _ entries: FolderEntries, _ relative: String, above: [FileTree.Identity]
    ) throws {
        let path = path(of: relative)
        let prefix = relative.isEmpty ? "" : relative + "/"
        var above = above
        if let identity = FileTree.identity(of: path) {
            guard !above.contains(identity) else {
                throw DatasetError(
                    .badFolderStructure, path: path, "a symbolic link leads back to a folder above")
            }
            above.append(identity)
        }
        try checkStems(entries, at: path)
        for position in entries.names.indices {
            switch entries.kinds[position] {
            case .folder:
                let next = prefix + entries.names[position]
                try walk(FolderEntries(of: self.path(of: next), within: folder), next, above: above)
            case .file where entries.names.withUTF8(at: position, PNGFileList.isPNG):
                entries.names.withUTF8(at: position) { files.paths.append(folder: prefix, name: $0) }
            default: files.otherFileCount += 1
            }
        }
    }

    /// Refuses names that differ only in the case of their extension, such as `1.png` and `1.PNG`.
    private func checkStems(_ entries: FolderEntries, at path: String) throws {
        let images = entries.names.indices.lazy.filter { Self.isPNG($0, of: entries) }
        let usual = Array(".png".utf8)
        var unusual: [[UInt8]: Int] = [:]
        for position in images
        where !entries.names.withUTF8(at: position, { $0.suffix(4).elementsEqual(usual) }) {
            let stem = entries.names.withUTF8(at: position) { Array($0.dropLast(4)) }
            if let other = unusual.updateValue(position, forKey: stem) {
                throw Self.sameId(entries.names[other], entries.names[position], at: path)
            }
        }
        guard !unusual.isEmpty else { return }
        for position in images {
            let stem = entries.names.withUTF8(at: position) { Array($0.dropLast(4)) }
            if let other = unusual[stem], other != position {
                throw Self.sameId(
                    entries.names[min(other, position)], entries.names[max(other, position)], at: path)
            }
        }
    }

    private static func sameId(_ first: String, _ second: String, at path: String) -> DatasetError {
        DatasetError(
            .duplicateId, path: path,
            "\(first) and \(second) would have the same id; rename one of them")
    }
}
