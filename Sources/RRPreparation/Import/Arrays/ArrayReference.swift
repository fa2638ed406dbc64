internal import RRFormats

/// An array that an option names: in the file of the import, or in one that the name says too.
enum ArrayReference {
    /// In each of the import's files.
    case inside(String)
    /// In a file of its own, by a name there; nil for the file's only array.
    case elsewhere(file: String, name: String?)

    /// Takes a name apart: `labels.h5:/y` and `y.npy` are in files of their own, where there are such files.
    ///
    /// - Parameter isHeld: whether the import's files hold an array of the whole name, which goes first.
    init(_ name: String, isHeld: (String) -> Bool) {
        if !isHeld(name) {
            var end = name.endIndex
            while let colon = name[..<end].lastIndex(of: ":") {
                let (file, rest) = (String(name[..<colon]), String(name[name.index(after: colon)...]))
                if !rest.isEmpty, FileTree.isReadable(file) {
                    self = .elsewhere(file: file, name: rest)
                    return
                }
                end = colon
            }
            if FileTree.isReadable(name) {
                self = .elsewhere(file: name, name: nil)
                return
            }
        }
        self = .inside(name)
    }

    /// What an option named, without the folders before a file: `labels.h5:/y`
    static func withoutFolders(_ name: String) -> String {
        guard case .elsewhere(let file, let inner) = ArrayReference(name, isHeld: { _ in false }) else {
            return name
        }
        let last = file.split(separator: "/").last.map(String.init) ?? file
        return inner.map { "\(last):\($0)" } ?? last
    }
}
