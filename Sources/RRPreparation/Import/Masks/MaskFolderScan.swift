internal import RRDatasets
internal import RRFormats

/// The PNG files in and below a folder, sorted bytewise by path component.
struct MaskFolderScan {
    /// The paths relative to the folder.
    private(set) var files: [String] = []
    /// The number of files that are no PNG by their names.
    private(set) var otherFileCount = 0

    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `unsupported`; `DatasetError` with the code
    ///   `badFolderStructure`, `unsafeId` (a link out of the folder) or `empty`.
    init(folder: String) throws {
        // Only links on the way to images are refused, and in words of masks.
        try FolderWalk(root: folder, followsLinksOut: true).visitFiles { file in
            if file.isPNG { files.append(file.path) } else { otherFileCount += 1 }
        }
        guard !files.isEmpty else {
            throw DatasetError(.empty, path: folder, "the folder holds no PNG files (names that end in .png)")
        }
        try Self.checkLinks(files, in: folder)
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
}
