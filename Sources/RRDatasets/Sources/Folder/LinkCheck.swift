internal import RRFormats

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

    private func outside(_ path: String) -> String? {
        guard let resolvedRoot, let target = FileTree.resolved(root + "/" + path) else { return nil }
        return FileTree.isInside(target, resolvedRoot) ? nil : target
    }
}
