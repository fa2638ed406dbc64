internal import RRFormats

/// The image files of a folder with their classes and splits, in the order of the samples to be.
///
/// Files are sorted by split, class and path, bytewise by path component.
struct PNGFolderScan {
    struct File {
        /// The path relative to the folder.
        let path: String
        /// The path without the extension.
        let id: String
        /// The number of the split among `splitNames`; 0 where there is one split.
        let split: Int
    }

    private(set) var files: [File] = []
    /// The names of class folders, sorted; nil without labels.
    private(set) var classNames: [String]?
    /// A number of `classNames` for each file; nil without labels.
    private(set) var labels: [Int]?
    /// `train`, `val` and `test` as far as the folder has them, sorted; empty where there is one split.
    let splitNames: [String]
    /// The number of files that are no PNG by their names.
    private(set) var otherFileCount = 0

    private let folder: String

    /// Walks a folder.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`; `DatasetError` with the code
    ///   `badFolderStructure`, `duplicateId` or `empty`.
    init(folder: String, labels: PNGFolderImport.Labels) throws {
        self.folder = folder
        let top = try FolderListing(of: folder)
        let parts = top.folders.filter { ["train", "val", "test"].contains($0) }
        self.splitNames = parts.count > 1 ? parts : []
        if !parts.isEmpty { try checkTop(top, parts: parts) }
        var classes: [(name: String, fileCount: Int)] = []
        for (number, part) in (parts.isEmpty ? [""] : parts).enumerated() {
            let split = splitNames.isEmpty ? 0 : number
            if labels == .folders {
                classes += try addClasses(in: part, split: split)
            } else {
                try addFiles(
                    in: part, split: split,
                    emptyMessage: "the folder holds no PNG files (names that end in .png)")
            }
        }
        guard labels == .folders else { return }
        // By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
        let names = Set(classes.map { Array($0.name.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.classNames = names.map { String(decoding: $0, as: UTF8.self) }
        self.labels = classes.flatMap {
            Array(repeating: numbers[Array($0.name.utf8)] ?? 0, count: $0.fileCount)
        }
    }

    private func path(of relative: String) -> String {
        relative.isEmpty ? folder : folder + "/" + relative
    }

    /// Checks that a folder with splits holds nothing else that could be samples.
    private mutating func checkTop(_ top: FolderListing, parts: [String]) throws {
        let found = parts.joined(separator: ", ")
        let others = top.folders.filter { !parts.contains($0) }
        guard others.isEmpty else {
            let listed = others.prefix(5).joined(separator: ", ") + (others.count > 5 ? ", …" : "")
            throw DatasetError(
                .badFolderStructure, path: folder,
                "\(found) would be splits, but \(listed) beside them would not; "
                    + "beside train, val and test there can be no other folder")
        }
        if let file = top.files.first(where: { Self.isPNG($0) }) {
            throw DatasetError(
                .badFolderStructure, path: folder, "\(file) is in none of the splits (\(found))")
        }
        otherFileCount += top.files.count + top.otherCount
    }

    /// Adds the files of the class folders in a part of the folder, and gives the classes in their order.
    private mutating func addClasses(in part: String, split: Int) throws -> [(name: String, fileCount: Int)] {
        let listing = try FolderListing(of: path(of: part))
        if let file = listing.files.first(where: { Self.isPNG($0) }) {
            throw DatasetError(
                .badFolderStructure, path: path(of: part),
                "\(file) is in no class folder; --labels none imports images without labels")
        }
        guard !listing.folders.isEmpty else {
            throw DatasetError(
                .empty, path: path(of: part), "the folder holds no class folders and no PNG files")
        }
        otherFileCount += listing.files.count + listing.otherCount
        return try listing.folders.map { name in
            let count = files.count
            try addFiles(
                in: part.isEmpty ? name : part + "/" + name, split: split,
                emptyMessage:
                    "the class folder holds no PNG files (names that end in .png); fill it or move it away")
            return (name, files.count - count)
        }
    }

    /// Adds the PNG files in and below a folder, given by its relative path.
    private mutating func addFiles(in relative: String, split: Int, emptyMessage: String) throws {
        let count = files.count
        try walk(relative, split: split, above: [])
        guard files.count > count else {
            throw DatasetError(.empty, path: path(of: relative), emptyMessage)
        }
    }

    private mutating func walk(_ relative: String, split: Int, above: [FileTree.Identity]) throws {
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
        let listing = try FolderListing(of: path)
        otherFileCount += listing.otherCount
        // Both lists are sorted by bytes; merged they are sorted by path component.
        var folders = listing.folders[...]
        var stems: [[UInt8]: String] = [:]
        for name in listing.files {
            while let next = folders.first, next.utf8.lexicographicallyPrecedes(name.utf8) {
                try walk(prefix + next, split: split, above: above)
                folders.removeFirst()
            }
            guard Self.isPNG(name) else {
                otherFileCount += 1
                continue
            }
            let stem = Array(name.utf8.dropLast(4))
            if let other = stems.updateValue(name, forKey: stem) {
                throw DatasetError(
                    .duplicateId, path: path,
                    "\(other) and \(name) would have the same id; rename one of them")
            }
            let id = prefix + String(decoding: stem, as: UTF8.self)
            files.append(File(path: prefix + name, id: id, split: split))
        }
        for next in folders { try walk(prefix + next, split: split, above: above) }
    }

    private static func isPNG(_ name: String) -> Bool {
        name.utf8.count > 4 && String(decoding: name.utf8.suffix(4), as: UTF8.self).lowercased() == ".png"
    }
}
