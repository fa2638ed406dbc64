internal import Glibc

/// What stands in a folder, hidden names left out, sorted by the bytes of the names, in little memory.
package struct FolderListing: Sendable {
    package enum Kind: UInt8, Sendable {
        /// A regular file, or a symbolic link to one or to nothing.
        case file
        case folder
        /// A device, pipe or socket.
        case other
    }

    /// The names, sorted by their bytes.
    package let names: TextList
    /// The kind of each.
    package let kinds: [Kind]

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
        let order = Self.sortedPositions(of: names)
        self.names = names.keeping(order)
        self.kinds = order.map { kinds[$0] }
    }

    /// The names of a kind, in their order.
    package func names(of kind: Kind) -> [String] {
        names.indices.filter { kinds[$0] == kind }.map { names[$0] }
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
                throw FormatError(
                    .unsupported, path: path,
                    "a symbolic link leads out of the folder, to \(target); copy what is there, or move it into "
                        + "the folder")
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

    /// The order of the names by their bytes. Most are told apart by the first eight, which are compared as a number.
    private static func sortedPositions(of names: TextList) -> [Int] {
        var keys = names.indices.map { position in
            names.withUTF8(at: position) { name in
                (
                    prefix: (0..<8).reduce(UInt64(0)) { $0 << 8 | ($1 < name.count ? UInt64(name[$1]) : 0) },
                    position: position
                )
            }
        }
        keys.sort { left, right in
            if left.prefix != right.prefix { return left.prefix < right.prefix }
            return names.withUTF8(at: left.position) { left in
                names.withUTF8(at: right.position) { right in
                    left.lexicographicallyPrecedes(right)
                }
            }
        }
        return keys.map(\.position)
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
    package mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Adds the text of a folder and of a name in it.
    package mutating func append(folder: String, name: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: folder.utf8)
        bytes.append(contentsOf: name)
        ends.append(bytes.count)
    }

    /// The texts at some positions, in their order.
    package func keeping(_ positions: [Int]) -> TextList {
        var list = TextList()
        list.ends.reserveCapacity(positions.count)
        for position in positions { withUTF8(at: position) { list.append($0) } }
        return list
    }
}
