internal import Glibc

/// Questions to and removals from the tree of folders.
package enum FileTree {
    package enum Kind: Sendable {
        case file
        case folder
    }

    /// What stands at a path, nil for nothing. A symbolic link counts as what it names.
    package static func kind(of path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 || lstat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    /// What two paths to the same folder have in common.
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
    }

    /// The identity of the file or folder at a path, nil where there is none. Symbolic links are followed.
    package static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    /// Whether a symbolic link stands at a path.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// The absolute path without symbolic links; nil where there is nothing at the path.
    package static func resolved(_ path: String) -> String? {
        guard let target = realpath(path, nil) else { return nil }
        defer { free(target) }
        return String(cString: target)
    }

    /// Whether a resolved path is that of a folder, or inside it.
    package static func isInside(_ path: String, _ folder: String) -> Bool {
        path == folder || path.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    /// The folder that holds a path: `a` for `a/b`, `.` for `b`.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes a folder where nothing was.
    ///
    /// - Returns: false, with nothing made, where something of this name is there already.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func makeFolder(_ path: String) throws(FormatError) -> Bool {
        guard mkdir(path, 0o777) != 0 else { return true }
        guard errno != EEXIST else { return false }
        throw FormatError(.cannotWrite, path: path, SystemFailure.message(errno))
    }

    /// Deletes a file, or a folder with all it holds. Symbolic links are deleted, not followed.
    package static func remove(_ path: String) {
        guard unlink(path) != 0, errno != ENOENT else { return }
        clear(path, keeping: [])
        rmdir(path)
    }

    /// Deletes what a folder holds, but for some names.
    package static func clear(_ path: String, keeping kept: Set<String>) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." && !kept.contains(name) { remove(path + "/" + name) }
        }
        closedir(folder)
    }
}
