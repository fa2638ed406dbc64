internal import Glibc
package import RRFormats

/// What stands in a folder, hidden names left out, sorted by the bytes of the names, in little memory.
package struct FolderListing: Sendable {
    package enum Kind: UInt8, Sendable {
        /// A regular file, or a symbolic link to one or to nothing.
        case file
        case folder
        /// A device, pipe or socket.
        case other
    }

    package let path: String
    /// The names, sorted by their bytes.
    package let names: TextList
    /// The kind of each.
    package let kinds: [Kind]
    /// The names of the folders among them.
    package let folders: [String]
    /// The folder that symbolic links must stay in; nil where they may lead anywhere.
    private let boundary: String?

    /// Reads a folder.
    ///
    /// - Parameter root: the folder that symbolic links must stay in; nil where they may lead anywhere.
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`, or `unsupported` for a name that is not UTF-8
    ///   or a symbolic link that leads out of `root`, each by its name.
    package init(of path: String, within root: String? = nil) throws(FormatError) {
        guard let folder = opendir(path) else {
            let failure = errno
            if failure == ENOENT {
                throw FormatError(.notFound, path: path, "there is no such folder")
            }
            throw FormatError(
                .cannotRead, path: path,
                failure == ENOTDIR ? "this is not a folder" : SystemFailure.message(failure))
        }
        defer { closedir(folder) }
        var names = TextList()
        var kinds: [Kind] = []
        errno = 0
        while let entry = readdir(folder) {
            let type = entry.pointee.d_type
            let failure: FormatError? = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                let bytes = bytes.bindMemory(to: UInt8.self)
                let name = UnsafeBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: 0) ?? bytes.count)])
                guard name.first != UInt8(ascii: ".") else { return nil }
                guard Self.isText(name) else {
                    return FormatError(
                        .unsupported, path: path,
                        "the folder holds a name that is not UTF-8: \(Self.escaped(name)); rename it")
                }
                do throws(FormatError) {
                    kinds.append(try Self.kind(type, name, in: path, root: root))
                    names.append(name)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw failure }
            errno = 0
        }
        guard errno == 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        let order = names.sortedPositions
        self.names = names.keeping(order)
        self.kinds = order.map { kinds[$0] }
        folders = order.filter { kinds[$0] == .folder }.map { names[$0] }
        self.path = path
        boundary = root
    }

    /// Whether a name is that of a file and ends as those of images do, in letters of either case.
    package func isImage(at position: Int, _ files: ImageFolderOptions.Files) -> Bool {
        kinds[position] == .file
            && names.withUTF8(at: position) { ImageNames.stemLength(of: $0, files) } != nil
    }

    private static func kind(
        _ type: UInt8, _ name: UnsafeBufferPointer<UInt8>, in path: String, root: String?
    ) throws(FormatError) -> Kind {
        switch Int(type) {
        case DT_DIR: return .folder
        case DT_REG: return .file
        case DT_LNK, DT_UNKNOWN:
            let path = path + "/" + String(decoding: name, as: UTF8.self)
            var status = stat()
            guard stat(path, &status) == 0 else { return .file }
            if let root = root.flatMap(FileTree.resolved), let target = FileTree.resolved(path),
                !FileTree.isInside(target, root)
            {
                throw LinkCheck.refusal(of: path, leadingTo: target)
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: return .folder
            case S_IFREG: return .file
            default: return .other
            }
        default: return .other
        }
    }

    private static func isText(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.allSatisfy { $0 < 0x80 } || String(validating: name, as: UTF8.self) != nil
    }

    /// A name with `\xE9` for what is not ASCII.
    private static func escaped(_ name: UnsafeBufferPointer<UInt8>) -> String {
        name.map { byte in
            0x20..<0x7F ~= byte
                ? String(UnicodeScalar(byte))
                : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

// The walk to all files below.
extension FolderListing {
    /// A file that a walk has come to; devices, pipes and sockets are met as files, too.
    package struct File {
        /// What comes before the names of its folder.
        package let prefix: String
        package let listing: FolderListing
        /// Which of the listing's names it is.
        package let position: Int

        package func isImage(_ files: ImageFolderOptions.Files) -> Bool {
            listing.isImage(at: position, files)
        }

        /// The path relative to where the walk began.
        package var path: String { prefix + listing.names[position] }
    }

    /// Calls a body with each file in and below the folder, bytewise by path component.
    ///
    /// It holds the listings of the folders on the way down, and no paths.
    ///
    /// - Parameters:
    ///   - prefix: what comes before the names in paths: empty, or a path with a slash behind it.
    ///   - above: the folders on the way here, to which no link may lead back.
    ///   - enter: called with the listing of each folder before its files are met.
    /// - Throws: `DatasetError` with the code `badFolderStructure` where a link leads back to a folder above;
    ///   `FormatError` as `init(of:within:)` does; what the bodies throw.
    package func visitFiles(
        prefix: String = "", above: [FileTree.Identity] = [],
        entering enter: (FolderListing) throws -> Void = { _ in }, _ body: (File) throws -> Void
    ) throws {
        var above = above
        if let identity = FileTree.identity(of: path) {
            guard !above.contains(identity) else {
                throw DatasetError(
                    .badFolderStructure, path: path, "a symbolic link leads back to a folder above")
            }
            above.append(identity)
        }
        try enter(self)
        for position in names.indices {
            if kinds[position] == .folder {
                let name = names[position]
                try FolderListing(of: path + "/" + name, within: boundary)
                    .visitFiles(prefix: prefix + name + "/", above: above, entering: enter, body)
            } else {
                try body(File(prefix: prefix, listing: self, position: position))
            }
        }
    }
}

/// What files of images are called.
package enum ImageNames {
    private static let pngs = [Array(".png".utf8)]
    private static let images = [".png", ".jpg", ".jpeg", ".jpe", ".jfif"].map { Array($0.utf8) }

    /// The bytes of a name without the ending of an image, in letters of either case; nil for a name that has none.
    package static func stemLength(
        of name: UnsafeBufferPointer<UInt8>, _ files: ImageFolderOptions.Files = .images
    ) -> Int? {
        for ending in files == .pngs ? pngs : images where name.count > ending.count {
            let start = name.count - ending.count
            // The dot has the bit of small letters, too.
            if zip(name[start...], ending).allSatisfy({
                $0 | 0x20 == $1 && ($0 == $1 || $1 != UInt8(ascii: "."))
            }) {
                return start
            }
        }
        return nil
    }

    /// A path without the ending of an image.
    package static func stem(of path: String) -> String {
        var path = path
        let length = path.withUTF8 { stemLength(of: $0) ?? $0.count }
        return String(decoding: path.utf8.prefix(length), as: UTF8.self)
    }

    /// The bytes of a name without the ending of an image.
    package static func stem(of name: UnsafeBufferPointer<UInt8>) -> Slice<UnsafeBufferPointer<UInt8>> {
        name.prefix(stemLength(of: name) ?? name.count)
    }

    /// The endings that a name in a list may lack.
    static func endings(_ files: ImageFolderOptions.Files) -> [String] {
        switch files {
        case .pngs: [".png"]
        case .images: [".png", ".jpg", ".jpeg", ".JPG", ".JPEG", ".PNG"]
        }
    }
}

extension ImageFolderOptions.Files {
    /// `PNG files (names that end in .png)`
    package var description: String {
        switch self {
        case .pngs: "PNG files (names that end in .png)"
        case .images: "image files (names that end in .png, .jpg or .jpeg)"
        }
    }
}

/// Many short texts in one piece of memory: their UTF-8 and eight bytes each.
///
/// An array of strings takes 16 to 64 bytes more for each, which counts where there are a million.
package struct TextList: RandomAccessCollection, Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { ends.count }

    /// The text at a position, made anew at each call.
    package subscript(position: Int) -> String {
        withUTF8(at: position) { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls a body with the bytes of a text.
    package func withUTF8<Result>(at position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result
    {
        let range = (position == 0 ? 0 : ends[position - 1])..<ends[position]
        return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Adds a text, given by its bytes.
    ///
    /// - Parameter prefix: what it begins with.
    package mutating func append(_ text: some Sequence<UInt8>, after prefix: String = "") {
        bytes.append(contentsOf: prefix.utf8)
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// The texts at some positions, in their order.
    package func keeping(_ positions: [Int]) -> TextList {
        var list = TextList()
        list.ends.reserveCapacity(positions.count)
        for position in positions { withUTF8(at: position) { list.append($0) } }
        return list
    }

    /// The order of the texts by their bytes. Most are told apart by the first eight, which are compared as a number.
    var sortedPositions: [Int] {
        var keys = indices.map { position in
            withUTF8(at: position) { text in
                (
                    prefix: (0..<8).reduce(UInt64(0)) { $0 << 8 | ($1 < text.count ? UInt64(text[$1]) : 0) },
                    position: position
                )
            }
        }
        keys.sort { left, right in
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return withUTF8(at: left.position) { left in
                withUTF8(at: right.position) { right in left.lexicographicallyPrecedes(right) }
            }
        }
        return keys.map(\.position)
    }
}
