package import RRFormats

/// Looks for symbolic links on the way to files that lead out of a folder, each folder once.
package struct LinkCheck {
    private let root: String
    private let resolvedRoot: String?
    private var targets: [String: String?] = [:]

    package init(root: String) {
        self.root = root
        resolvedRoot = FileTree.resolved(root)
    }

    /// Where a file really is, if that is outside.
    package mutating func targetOutside(_ path: String) -> String? {
        if let slash = path.lastIndex(of: "/") {
            let folder = String(path[..<slash])
            let target = targets[folder] ?? outside(folder)
            targets[folder] = .some(target)
            if let target { return target }
        }
        return FileTree.isLink(root + "/" + path) ? outside(path) : nil
    }

    /// The error for a symbolic link that leads out of a folder.
    static func refusal(of path: String, leadingTo target: String) -> FormatError {
        FormatError(
            .unsupported, path: path,
            "a symbolic link leads out of the folder, to \(target); copy what is there, move it into the folder, or "
                + "follow it with \(option: .trustsLinks)")
    }

    private func outside(_ path: String) -> String? {
        guard let resolvedRoot, let target = FileTree.resolved(root + "/" + path) else { return nil }
        return FileTree.isInside(target, resolvedRoot) ? nil : target
    }
}

/// A file that is found in a folder by its name, as a list of images, the mark of an export and its arrays.
///
/// It may lead no further than the images may.
package enum SideFile {
    /// The path of a side file; nil where there is none.
    ///
    /// - Parameter root: the folder that symbolic links must stay in; nil where they may lead anywhere.
    /// - Throws: `FormatError` with the code `unsupported` for a link that leads out of `root`, or `cannotRead` for a pipe,
    ///   a socket or a device.
    package static func path(_ name: String, in folder: String, within root: String?) throws(FormatError)
        -> String?
    {
        let path = folder + "/" + name
        switch FileTree.kind(of: path) {
        case nil, .folder?: return nil
        case .file?: break
        case let kind?: throw FormatError(.cannotRead, path: path, "this is \(kind.name), not a file")
        }
        if let root = root.flatMap(FileTree.resolved), let target = FileTree.resolved(path),
            !FileTree.isInside(target, root)
        {
            throw LinkCheck.refusal(of: path, leadingTo: target)
        }
        return path
    }
}
