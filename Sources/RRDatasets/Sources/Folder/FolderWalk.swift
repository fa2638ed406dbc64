package import RRFormats

/// A walk to all files in and below a folder, hidden ones left out, bytewise by path component.
///
/// It holds the listings of the folders on the way down, and no paths.
package struct FolderWalk {
    private let root: String
    /// The folder that symbolic links must stay in.
    private let boundary: String?

    /// - Parameters:
    ///   - root: the folder.
    ///   - followsLinksOut: whether symbolic links to what is outside are followed and not refused.
    package init(root: String, followsLinksOut: Bool = false) {
        self.root = root
        boundary = followsLinksOut ? nil : root
    }

    /// The path of a folder that is given relative to the root.
    package func path(of relative: String) -> String {
        relative.isEmpty ? root : root + "/" + relative
    }

    /// Lists a folder, given by its path relative to the root.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for a name that is not UTF-8 or
    ///   a link that leads out of the root.
    package func list(_ relative: String) throws(FormatError) -> FolderListing {
        try FolderListing(of: path(of: relative), within: boundary)
    }

    /// A file that the walk has come to; devices, pipes and sockets are met as files, too.
    package struct Step {
        /// The path of its folder relative to the root, with a slash behind it; empty for the root.
        package let prefix: String
        package let listing: FolderListing
        /// Which of the listing's names it is.
        package let position: Int

        package var isPNG: Bool { listing.isPNG(at: position) }

        /// The path relative to the root.
        package var path: String { prefix + listing.names[position] }
    }

    /// Calls a body with each file in and below a folder.
    ///
    /// - Parameters:
    ///   - relative: the path of the folder relative to the root.
    ///   - listing: the folder's listing, where it was read already.
    ///   - enter: called with the listing and the path of each folder before its files are met.
    /// - Throws: `DatasetError` with the code `badFolderStructure` where a link leads back to a folder above;
    ///   `FormatError` as `list(_:)` does; what the bodies throw.
    package func visitFiles(
        below relative: String = "", listing: FolderListing? = nil,
        entering enter: (FolderListing, String) throws -> Void = { _, _ in },
        _ body: (Step) throws -> Void
    ) throws {
        try visit(relative, listing ?? list(relative), above: [], enter, body)
    }

    private func visit(
        _ relative: String, _ listing: FolderListing, above: [FileTree.Identity],
        _ enter: (FolderListing, String) throws -> Void, _ body: (Step) throws -> Void
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
        try enter(listing, path)
        for position in listing.names.indices {
            if listing.kinds[position] == .folder {
                let next = prefix + listing.names[position]
                try visit(next, list(next), above: above, enter, body)
            } else {
                try body(Step(prefix: prefix, listing: listing, position: position))
            }
        }
    }
}

extension FolderListing {
    /// Whether a name is that of a file and ends in `.png`, in letters of either case.
    package func isPNG(at position: Int) -> Bool {
        kinds[position] == .file && names.withUTF8(at: position, PNGFileList.isPNG)
    }
}
