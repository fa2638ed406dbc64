package import RRFormats

/// The lists of a folder's images, `metadata.csv` or `metadata.jsonl` as Hugging Face's image folders have them: which there
/// are, and which splits follow from where they lie and from the paths that they name.
package enum PNGMetadata {
    /// A line of the list.
    package struct Row {
        package var fileName: String?
        package var label: String?
        package var split: String?
        package var group: String?
        package var maskFileName: String?
        /// The line on which it begins, from 1.
        package var line: Int
    }

    /// Reads the list of a folder, or those of its splits' folders; nil where there is none.
    ///
    /// - Parameters:
    ///   - kinds: which files are images.
    ///   - skipsMissing: whether lines for files that are not there are left out and counted; else they are errors.
    ///   - unread: told of lists that are there and not read.
    /// - Throws: `DatasetError` with the code `badMetadata`, `badFolderStructure`, `invalidOption`, `unsafeId`,
    ///   `duplicateId` or `empty`, which names the file and the line; `FormatError` where a list cannot be read.
    package static func list(
        in folder: String, _ kinds: ImageFolderOptions.Files = .images, splits: SplitFolders = .byName,
        options: ImageListOptions = ImageListOptions(),
        skipsMissing: Bool = false, trustsLinks: Bool = false, unread: (Message) -> Void = { _ in }
    ) throws -> PNGFileList? {
        var listed = ListedImages(
            folder: folder, kinds, options: options, skipsMissing: skipsMissing, trustsLinks: trustsLinks)
        let boundary = trustsLinks ? nil : folder
        if let source = try options.path ?? source(in: folder, within: boundary) {
            try listed.read(source, prefix: "", split: nil)
            try takeSplits(of: &listed, fromFolders: splits)
            return try listed.finish()
        }
        guard FileTree.kind(of: folder) == .folder else { return nil }
        let folders = try FolderListing(of: folder).folders
        let sources = try folders.map { try source(in: folder + "/" + $0, within: boundary) }
        let withList = zip(folders, sources).compactMap { $1 == nil ? nil : $0 }
        guard !withList.isEmpty else { return nil }
        guard splits != .none else {
            unread(
                "the lists in \(withList.joined(separator: ", ")) are not read, since \(option: .noSplits) takes folders for classes"
            )
            return nil
        }
        let usual = SplitFolders.usualNames(for: folders)
        let parts = try SplitFolderList(
            splits, among: splits == .byName ? folders.filter { usual[$0] != nil } : folders,
            of: folder, content: .files, holdsImages: { _ in false })
        listed.notes = parts.notes
        for (name, source) in zip(folders, sources) {
            let part = parts.parts.first { $0.folder == name }
            switch (part, source) {
            case (let part?, let source?):
                try listed.read(source, prefix: name + "/", split: part.split)
            case (_?, nil):
                throw DatasetError(
                    .badMetadata, path: folder + "/" + name,
                    "there is no metadata.csv or metadata.jsonl here, but there is one in another split")
            case (nil, _?) where splits == .byName:
                throw DatasetError(
                    .badFolderStructure, path: folder + "/" + name,
                    "there is a list of images here, but the name is not that of a split: say which splits there are, "
                        + "as in \(option: .splits) train=\(name), or \(option: .noSplits) takes folders for classes "
                        + "and no list into account")
            case (nil, _?): break
            case (nil, nil) where splits == .byName:
                listed.notes.append("left out, since it has no list of images: \(name)")
            case (nil, nil): break
            }
        }
        return try listed.finish()
    }

    private static func source(in folder: String, within root: String?) throws -> String? {
        let found = try ["metadata.csv", "metadata.jsonl"].compactMap {
            try SideFile.path($0, in: folder, within: root)
        }
        guard found.count < 2 else {
            throw DatasetError(
                .badMetadata, path: folder,
                "there is a metadata.csv and a metadata.jsonl; move one of them away")
        }
        return found.first
    }

    /// Takes the splits from the folders of the paths, where no column says them.
    ///
    /// - Throws: `DatasetError` with the code `badFolderStructure` where only some of the paths tell, or `invalidOption`
    ///   where splits are asked for that the list does not have.
    private static func takeSplits(
        of listed: inout ListedImages, fromFolders choice: SplitFolders
    ) throws {
        guard choice != .none, !listed.imagePaths.isEmpty else { return }
        let isAskedFor = choice != .byName
        guard !listed.hasSplits else {
            guard !isAskedFor else {
                throw DatasetError(
                    .invalidOption, path: listed.firstSource,
                    "the list has a column of splits, so \(option: .splits) has nothing to say; \(option: .splitValues) says "
                        + "what its values mean")
            }
            return
        }
        var least = Int.max
        for position in listed.imagePaths.indices where least > 0 {
            least = min(
                least,
                listed.imagePaths.withUTF8(at: position) { path in path.count { $0 == UInt8(ascii: "/") } })
        }
        // Of a list of files without folders nothing need be taken apart.
        let folders =
            least == 0
            ? [] : listed.imagePaths.indices.map { listed.imagePaths[$0].split(separator: "/").dropLast() }
        for depth in 0..<least {
            let names = folders.map { String($0[depth]) }
            let found: [String?]
            if case .named(let named) = choice {
                found = names.map { name in named.first { $0.folder == name }?.split }
            } else {
                let usual = SplitFolders.usualNames(for: Set(names).sorted())
                found = names.map { usual[$0] }
            }
            let known = Set(found.compactMap(\.self)).sorted()
            guard known.count > 1 else { continue }
            if let other = found.firstIndex(of: nil) {
                throw DatasetError(
                    .badFolderStructure, path: listed.firstSource,
                    "line \(listed.line(of: other)): \(listed.imagePaths[other]) is in none of the splits that the other folders are, "
                        + "\(known.joined(separator: ", ")): a column split says which, \(option: .noSplits) that there is none"
                )
            }
            listed.setSplits(known, of: found.map { name in UInt8(known.firstIndex { $0 == name } ?? 0) })
            let pairs = Set(zip(names, found.compactMap(\.self)).map { "\($0) as \($1)" }).sorted()
            listed.notes.append(
                "the list has no column split; folders are read as splits: \(pairs.joined(separator: ", ")); \(option: .noSplits) takes them as they are"
            )
            return
        }
        guard !isAskedFor else {
            throw DatasetError(
                .invalidOption, path: listed.firstSource,
                "\(option: .splits) names no two folders that the paths of the list are in")
        }
    }
}
