internal import Glibc

/// What stands in a folder, hidden names left out, sorted by the bytes of the names.
package struct FolderListing: Sendable {
    package let folders: [String]
    /// Regular files; a symbolic link counts as what it names, and as a file where that is missing.
    package let files: [String]
    /// The number of devices, pipes and sockets.
    package let otherCount: Int

    /// Reads a folder.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, or `unsupported` for a name that is not UTF-8.
    package init(of path: String) throws(FormatError) {
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
        var (folders, files, otherCount): ([String], [String], Int) = ([], [], 0)
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name else {
                throw FormatError(.unsupported, path: path, "the folder holds a name that is not UTF-8")
            }
            guard !name.hasPrefix(".") else { continue }
            switch Self.kind(of: entry, at: path + "/" + name) {
            case S_IFDIR: folders.append(name)
            case S_IFREG: files.append(name)
            default: otherCount += 1
            }
            errno = 0
        }
        guard errno == 0 else {
            throw FormatError(.cannotRead, path: path, SystemFailure.message(errno))
        }
        self.folders = folders.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.files = files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.otherCount = otherCount
    }

    /// The kind of an entry in `stat`'s terms. Most file systems tell without being asked again.
    private static func kind(of entry: UnsafeMutablePointer<dirent>, at path: String) -> mode_t {
        switch Int(entry.pointee.d_type) {
        case DT_DIR: return S_IFDIR
        case DT_REG: return S_IFREG
        case DT_LNK, DT_UNKNOWN:
            var status = stat()
            return stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        default: return 0
        }
    }
}
