internal import RRFormats

/// Finds the files that a list names, written as whoever made the list has them.
///
/// A name may lack its extension and part folders by a backslash. Where its bytes are those of no file, it
/// is compared as Unicode does: lists have an `é` of one character, files of macOS one of two.
struct ListedPaths {
    private let folder: String
    /// Those that a name may lack.
    private let endings: [String]
    /// The names in folders that were looked at, by what they are to Unicode; two that are the same are left out.
    private var names: [String: [String: String]] = [:]

    init(folder: String, endings: [String]) { (self.folder, self.endings) = (folder, endings) }

    /// The path of a file relative to the folder, and whether there is such a file.
    ///
    /// - Parameters:
    ///   - prefix: the path of the folder that the name is relative to, with a slash behind it, or nothing.
    ///   - fault: makes the error for a name that is no path inside the folder.
    /// - Throws: what `fault` makes.
    mutating func find(
        _ name: String, prefix: String, _ fault: (Message) -> DatasetError
    ) throws(DatasetError) -> (path: String, isThere: Bool) {
        let path = prefix + (try Self.checked(name, fault))
        if let kind = FileTree.kind(of: folder + "/" + path) { return (path, kind == .file) }
        var candidates = endings.map { path + $0 }
        if name.utf8.contains(UInt8(ascii: "\\")) {
            let other = prefix + (try Self.checked(name.replacing("\\", with: "/"), fault))
            candidates += [other] + endings.map { other + $0 }
        }
        let found = candidates.filter { FileTree.kind(of: folder + "/" + $0) == .file }
        if found.count > 1 {
            throw fault("“\(name)” may be \(found[0]) or \(found[1]): give the name whole")
        }
        if let found = found.first { return (found, true) }
        for candidate in [path] + candidates where candidate.utf8.contains(where: { $0 >= 0x80 }) {
            if let found = equivalent(candidate) { return (found, true) }
        }
        return (path, false)
    }

    /// The path of a mask, which may be missing: that is said where it is read.
    ///
    /// - Throws: as `find`.
    mutating func findMask(
        _ name: String, prefix: String, _ fault: (Message) -> DatasetError
    ) throws(DatasetError) -> String {
        // Of names that can be meant in one way only the file is not looked for.
        let isPlain =
            name.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "\\") }
            && name.lowercased().hasSuffix(".png")
        guard !isPlain else { return prefix + (try Self.checked(name, fault)) }
        return try find(name, prefix: prefix, fault).path
    }

    /// A path that stays in the folder.
    private static func checked(
        _ name: String, _ fault: (Message) -> DatasetError
    ) throws(DatasetError) -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.hasPrefix("/"), !parts.contains(".."), !parts.contains("."), !parts.contains(""),
            !name.utf8.contains(0)
        else { throw fault("“\(name)” is no plain path inside the folder, such as cats/1.png") }
        return name
    }

    /// The path of a file whose components are the same to Unicode; nil where there is none.
    private mutating func equivalent(_ path: String) -> String? {
        var found = ""
        for component in path.split(separator: "/") {
            guard let name = namesInside(found)[String(component)] else { return nil }
            found += (found.isEmpty ? "" : "/") + name
        }
        return FileTree.kind(of: folder + "/" + found) == .file ? found : nil
    }

    private mutating func namesInside(_ path: String) -> [String: String] {
        if let known = names[path] { return known }
        let listing = try? FolderListing(of: path.isEmpty ? folder : folder + "/" + path)
        let all = (listing?.names ?? TextList()).map { $0 }
        let known = Dictionary(grouping: all) { $0 }.compactMapValues { $0.count == 1 ? $0[0] : nil }
        names[path] = known
        return known
    }
}
