internal import RRDatasets
internal import RRFormats

/// The PNG files in and below a folder, sorted bytewise by path component.
struct MaskFolderScan {
    /// The paths relative to the folder.
    private(set) var files: [String] = []
    /// The number of files that are no PNG by their names.
    private(set) var otherFileCount = 0

    private let folder: String

    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`; `DatasetError` with the code
    ///   `badFolderStructure`, `unsafeId` (a link out of the folder) or `empty`.
    init(folder: String) throws {
        self.folder = folder
        try walk("", above: [])
        guard !files.isEmpty else {
            throw DatasetError(.empty, path: folder, "the folder holds no PNG files (names that end in .png)")
        }
        try Self.checkLinks(files, in: folder)
    }

    private mutating func walk(_ relative: String, above: [FileTree.Identity]) throws {
        let path = relative.isEmpty ? folder : folder + "/" + relative
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
        for name in listing.files {
            if Self.isPNG(name) { files.append(prefix + name) } else { otherFileCount += 1 }
        }
        for name in listing.folders { try walk(prefix + name, above: above) }
    }

    /// Refuses files that symbolic links outside of the folder lead to.
    ///
    /// - Throws: `DatasetError` with the code `unsafeId`.
    static func checkLinks(_ files: [String], in folder: String) throws(DatasetError) {
        var links = LinkCheck(root: folder)
        for file in files {
            guard let target = links.targetOutside(file) else { continue }
            throw DatasetError(
                .unsafeId, path: folder + "/" + file,
                "a symbolic link leads out of the folder, to \(target); copy the masks into the folder")
        }
    }

    private static func isPNG(_ name: String) -> Bool {
        name.utf8.count > 4 && String(decoding: name.utf8.suffix(4), as: UTF8.self).lowercased() == ".png"
    }
}
