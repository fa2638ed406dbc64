package import RRFormats

/// The image files of an import in the order of the samples to be: by split, class and path, bytewise by path component.
///
/// It takes about the bytes of a path and twenty more for each file.
package struct PNGFileList {
    /// The paths relative to the folder; without its ending each is the file's id.
    package var paths = TextList()
    /// What is said of the files but their ids, which are in their paths; names of splits are sorted.
    package var table = SampleTable()
    /// The paths of each file's masks relative to the folder, none or several; nil where nothing names them.
    package var maskPaths: [[String]]?
    /// The number of files that are no images by their names.
    package var otherFileCount = 0
    /// Files that a list names, but that are not there, and where it does.
    package var missing: [(path: String, reason: Message)] = []
    /// How the folder was read, where that is not as plain as day.
    package var notes: [Message] = []

    package var count: Int { paths.count }

    /// The error for a list without a file that can be decoded.
    package func noneReadable(in folder: String) -> DatasetError {
        DatasetError(.empty, path: folder, "none of the \(count) files can be decoded")
    }

    /// The list without some of its files.
    package func keeping(_ positions: [Int]) -> PNGFileList {
        var list = self
        list.paths = paths.keeping(positions)
        list.table.labels = table.labels.map { labels in positions.map { labels[$0] } }
        list.table.splits = table.splits.map { splits in positions.map { splits[$0] } }
        list.table.groups = table.groups?.keeping(positions)
        list.maskPaths = maskPaths.map { paths in positions.map { paths[$0] } }
        return list
    }
}

/// Looks through a folder for image files, their classes and splits.
package struct PNGFolderScan {
    /// What was found.
    package private(set) var files = PNGFileList()

    private let root: String
    /// The folder that symbolic links must stay in; nil where they may lead anywhere.
    private let boundary: String?
    private let kinds: ImageFolderOptions.Files
    /// Whether folders within classes may be called as splits are.
    private let allowsSplitNames: Bool

    /// Takes the files that the folder's metadata lists; where it has none, walks the folder.
    ///
    /// - Parameter skipsMissing: whether files that the metadata lists and that are not there are left out.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `unsupported`; `DatasetError` with the code
    ///   `badFolderStructure`, `invalidOption`, `duplicateId`, `masksAmongImages` or `empty`, or as
    ///   `PNGMetadata.list(in:)`.
    package init(folder: String, _ reading: ImageFolderOptions, skipsMissing: Bool = false) throws {
        let labels = reading.labels
        root = folder
        kinds = reading.files
        boundary = reading.trustsLinks ? nil : folder
        allowsSplitNames = reading.splits == .none || labels == .none
        var unread: [Message] = []
        if labels == .folders,
            let list = try PNGMetadata.list(
                in: folder, kinds, splits: reading.splits, options: reading.list, skipsMissing: skipsMissing,
                trustsLinks: reading.trustsLinks, unread: { unread.append($0) })
        {
            files = list
            return
        }
        guard reading.list == ImageListOptions() else {
            throw DatasetError(
                .invalidOption, path: folder,
                "\(option: .columns) and \(option: .splitValues) are about a list of images, and there is no metadata.csv or "
                    + "metadata.jsonl here: \(option: .metadata) says where it is")
        }
        files.notes = unread
        let top = try FolderListing(of: folder, within: boundary)
        let parts = try takeSplits(from: top, reading)
        var classes: [(name: String, fileCount: Int)] = []
        var splits: [UInt8] = []
        for part in parts.isEmpty ? [.init(split: "", folder: "")] : parts {
            let count = files.count
            let listing =
                parts.isEmpty ? top : try FolderListing(of: folder + "/" + part.folder, within: boundary)
            let prefix = parts.isEmpty ? "" : part.folder + "/"
            if labels == .folders {
                try checkHoldsClasses(listing)
                files.otherFileCount += listing.kinds.count { $0 != .folder }
                for name in listing.folders {
                    let count = files.count
                    try addFiles(
                        FolderListing(of: listing.path + "/" + name, within: boundary),
                        prefix: prefix + name + "/",
                        emptyMessage:
                            "the class folder holds no \(kinds.description); fill it or move it away"
                    )
                    classes.append((name, files.count - count))
                }
            } else {
                try addFiles(
                    listing, prefix: prefix,
                    emptyMessage: "the folder holds no \(kinds.description)")
            }
            if let number = files.table.splitNames.firstIndex(of: part.split) {
                splits += repeatElement(UInt8(number), count: files.count - count)
            }
        }
        if !splits.isEmpty { files.table.splits = splits }
        if labels == .folders {
            // By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
            let names = Set(classes.map { Array($0.name.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
            let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
            files.table.classNames = names.map { String(decoding: $0, as: UTF8.self) }
            files.table.labels = classes.flatMap { name, count in
                repeatElement(numbers[Array(name.utf8)] ?? 0, count: count)
            }
        }
        try files.separateMasks(reading.masksAmongImages, of: kinds, in: folder)
    }

    /// Finds the splits among the folders on the first level, and takes their names.
    private mutating func takeSplits(
        from top: FolderListing, _ reading: ImageFolderOptions
    ) throws -> [SplitFolders.Named] {
        let found = try SplitFolderList(
            reading.splits, among: top.folders, of: root,
            content: reading.labels == .folders ? .classes : .files
        ) { name in
            let listing = try FolderListing(of: top.path + "/" + name, within: boundary)
            return listing.names.indices.contains { listing.isImage(at: $0, kinds) }
        }
        files.notes += found.notes
        let parts = found.parts
        if !parts.isEmpty { try checkTop(top, parts: parts.map(\.folder)) }
        var names: [String] = []
        for part in parts where names.last != part.split { names.append(part.split) }
        if names.count > 1 { files.table.splitNames = names }
        return parts
    }

    /// Checks that no file beside splits could be a sample.
    private mutating func checkTop(_ top: FolderListing, parts: [String]) throws {
        let found = parts.joined(separator: ", ")
        if let file = top.names.indices.first(where: { top.isImage(at: $0, kinds) }) {
            throw DatasetError(
                .badFolderStructure, path: top.path,
                "\(top.names[file]) is in none of the splits (\(found))")
        }
        files.otherFileCount += top.kinds.count { $0 != .folder }
    }

    /// Checks that a part of the folder holds class folders, and no image beside them.
    private func checkHoldsClasses(_ listing: FolderListing) throws {
        if let file = listing.names.indices.first(where: { listing.isImage(at: $0, kinds) }) {
            throw DatasetError(
                .badFolderStructure, path: listing.path,
                "\(listing.names[file]) is in no class folder; \(option: .labels) none imports images without labels, "
                    + "and a metadata.csv gives labels by file_name")
        }
        guard !listing.folders.isEmpty else {
            throw DatasetError(
                .empty, path: listing.path, "the folder holds no class folders and no \(kinds.description)")
        }
    }

    /// Adds the images in and below a folder.
    ///
    /// - Parameter prefix: its path relative to the root, with a slash behind it; empty for the root.
    private mutating func addFiles(
        _ listing: FolderListing, prefix: String, emptyMessage: String
    ) throws {
        let count = files.count
        try listing.visitFiles(prefix: prefix, entering: check) { file in
            if file.isImage(kinds) {
                file.listing.names.withUTF8(at: file.position) {
                    files.paths.append($0, after: file.prefix)
                }
            } else {
                files.otherFileCount += 1
            }
        }
        guard files.count > count else {
            throw DatasetError(.empty, path: listing.path, emptyMessage)
        }
    }

    /// Refuses a folder whose files cannot be samples as they stand.
    private func check(_ listing: FolderListing) throws {
        try checkStems(listing)
        guard !allowsSplitNames else { return }
        let usual = SplitFolders.usualNames(for: listing.folders)
        guard Set(usual.values).count > 1 else { return }
        let inner = usual.keys.sorted()
        throw DatasetError(
            .badFolderStructure, path: listing.path,
            "\(inner.joined(separator: ", ")) look like splits, but lie within a class folder: import this folder itself "
                + "where it is the dataset, list the files with their splits in a metadata.csv, or take all of them "
                + "for one class with \(option: .noSplits)")
    }

    /// Refuses names that differ only in their ending, such as `1.png`, `1.PNG` and `1.jpg`.
    private func checkStems(_ listing: FolderListing) throws {
        let images = listing.names.indices.lazy.filter { listing.isImage(at: $0, kinds) }
        let usual = Array(".png".utf8)
        func stem(_ position: Int) -> [UInt8] {
            listing.names.withUTF8(at: position) { Array(ImageNames.stem(of: $0)) }
        }
        // Of a folder where all names end alike no list is made.
        var unusual: [[UInt8]: Int] = [:]
        for position in images
        where !listing.names.withUTF8(at: position, { $0.suffix(4).elementsEqual(usual) }) {
            if let other = unusual.updateValue(position, forKey: stem(position)) {
                throw Self.sameId(listing.names[other], listing.names[position], at: listing.path)
            }
        }
        guard !unusual.isEmpty else { return }
        for position in images {
            if let other = unusual[stem(position)], other != position {
                throw Self.sameId(
                    listing.names[min(other, position)], listing.names[max(other, position)],
                    at: listing.path)
            }
        }
    }

    private static func sameId(_ first: String, _ second: String, at path: String) -> DatasetError {
        DatasetError(
            .duplicateId, path: path,
            "\(first) and \(second) would have the same id; rename one of them")
    }
}
