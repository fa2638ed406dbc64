internal import Glibc

/// Questions to and removals from the tree of folders.
package enum FileTree {
    package enum Kind: Sendable {
        /// A regular file, or a symbolic link to nothing.
        case file
        case folder
        case pipe
        case socket
        /// A terminal, a disk, `/dev/null` and the like.
        case device

        init(_ mode: mode_t) {
            self =
                switch mode & S_IFMT {
                case S_IFDIR: .folder
                case S_IFIFO: .pipe
                case S_IFSOCK: .socket
                case S_IFCHR, S_IFBLK: .device
                default: .file
                }
        }

        /// `a folder`
        package var name: String {
            switch self {
            case .file: "a file"
            case .folder: "a folder"
            case .pipe: "a pipe"
            case .socket: "a socket"
            case .device: "a device"
            }
        }
    }

    /// What stands at a path, nil for nothing. A symbolic link counts as what it names.
    package static func kind(of path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 || lstat(path, &status) == 0 else { return nil }
        return Kind(status.st_mode)
    }

    /// Whether a path is that of something whose bytes can be read to an end: a file, or a pipe.
    package static func isReadable(_ path: String) -> Bool {
        switch kind(of: path) {
        case .file?, .pipe?: true
        default: false
        }
    }

    /// What all paths to the same file or folder have in common.
    package struct Identity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64

        init(_ status: stat) {
            (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    /// The identity of the file or folder at a path, nil where there is none. Symbolic links are followed.
    package static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(status)
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

    /// The absolute path at which an output of this path ends up: symbolic links are followed, also one that leads to
    /// nothing yet; nil where the folder around it is not there.
    package static func destination(of path: String) -> String? {
        var path = path
        // As many links as Linux follows.
        for _ in 0..<40 {
            if let path = resolved(path) { return path }
            guard let target = target(ofLink: path) else { return entry(of: path) }
            path = target.hasPrefix("/") ? target : folder(of: path) + "/" + target
        }
        return nil
    }

    /// The absolute path of a name in its folder, where a symbolic link stands for itself; nil where the folder is not
    /// there.
    package static func entry(of path: String) -> String? {
        var path = Substring(path)
        while path.count > 1, path.last == "/" { path.removeLast() }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard name != "", name != ".", name != ".." else { return resolved(String(path)) }
        return resolved(folder(of: String(path))).map { $0 == "/" ? "/" + name : $0 + "/" + name }
    }

    private static func target(ofLink path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { bytes in
            bytes.assumingMemoryBound(to: CChar.self).baseAddress.map { readlink(path, $0, bytes.count) }
                ?? -1
        }
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
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
        throw FormatError(writing: path, failure: errno)
    }

    /// Gives a file or folder another name, in whose place is nothing.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func move(_ path: String, to target: String) throws(FormatError) {
        guard rename(path, target) == 0 else {
            throw FormatError(writing: path, failure: errno)
        }
    }

    /// Deletes a file, or a folder with all it holds. Symbolic links are deleted, not followed.
    package static func remove(_ path: String) {
        // A second time, for want of memory or descriptors passes.
        for _ in 0..<2 {
            guard unlink(path) != 0, errno != ENOENT else { return }
            clear(path, keeping: [])
            if rmdir(path) == 0 { return }
        }
    }

    /// Deletes what a folder holds, but for some names.
    package static func clear(_ path: String, keeping kept: Set<String>) {
        for name in names(in: path) ?? [] where !kept.contains(name) { remove(path + "/" + name) }
    }

    /// The names in a folder, in any order; nil where it cannot be read, of which nobody should conclude that it is empty.
    package static func names(in path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                guard errno == 0 else { return nil }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// All files and folders of a tree, each after what is in it; nil where there are more than a number, or a folder cannot
    /// be read.
    static func paths(in root: String, atMost limit: Int) -> [String]? {
        var paths: [String] = []
        func add(_ path: String) -> Bool {
            if !isLink(path), kind(of: path) == .folder {
                guard let names = names(in: path), names.allSatisfy({ add(path + "/" + $0) }) else {
                    return false
                }
            }
            if !isLink(path) { paths.append(path) }
            return paths.count <= limit
        }
        return add(root) ? paths : nil
    }
}
