internal import Glibc

/// What a killed process of an earlier release left beside an output: `.NAME.PID-N.partial`, a file or a folder.
///
/// Those had no locks, so that nobody can tell for sure whether one is still written to, nor are the names ours alone. One is
/// taken for left where no process of its number lives here, nothing in it was changed for some minutes (the process may
/// be of another machine or container), and what it holds is what those releases wrote.
struct OlderLeftover {
    let path: String
    let folder: String
    /// The output that it was to become, or that made room for it.
    private let output: Substring
    private let process: Int32

    private static let suffix = ".partial"
    /// In seconds: longer than a process that still writes is silent.
    private static let silence = 600
    /// A name was cut to so many characters.
    private static let nameLength = 48
    private static let mostFiles = 100_000
    /// What those releases wrote in a folder.
    private static let extensions = [
        "png", "json", "jsonl", "csv", "npy", "tar", "h5", "safetensors", "partial",
    ]

    /// Nil where a name is another.
    init?(_ name: String, in folder: String) {
        guard name.hasPrefix("."), name.hasSuffix(Self.suffix) else { return nil }
        let stem = name.dropFirst().dropLast(Self.suffix.count)
        guard let dot = stem.lastIndex(of: "."), dot > stem.startIndex else { return nil }
        let numbers = stem[stem.index(after: dot)...].split(separator: "-", omittingEmptySubsequences: false)
        guard numbers.count == 2, numbers.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let process = Int32(numbers[0]), process > 0, Int(numbers[1]) != nil
        else { return nil }
        output = stem[..<dot]
        self.process = process
        self.folder = folder
        path = folder + "/" + name
    }

    /// Deletes it, where it is surely left and of no more use.
    ///
    /// - Parameter others: the names in the folder.
    func removeIfLeft(others: [String]) {
        guard !FileTree.isLink(path), isWriterGone, isSilent else { return }
        switch FileTree.kind(of: path) {
        case .file? where holdsOurFile: unlink(path)
        case .folder? where !mayBeReplaced(others) && holdsOurFolder: FileTree.remove(path)
        default: break
        }
    }

    /// Whether no process of that number lives, or only this one, which gives other names.
    private var isWriterGone: Bool {
        process == getpid() || kill(process, 0) != 0 && errno == ESRCH
    }

    /// Whether nothing in it was changed of late.
    private var isSilent: Bool {
        let now = time(nil)
        guard let paths = FileTree.paths(in: path, atMost: Self.mostFiles) else { return false }
        return paths.allSatisfy { path in
            var status = stat()
            return lstat(path, &status) == 0 && now - status.st_mtim.tv_sec > Self.silence
        }
    }

    /// Whether a folder may be the older output, moved away for the newer one when the process was killed, and so the last that
    /// there is of it.
    ///
    /// Then nothing has its name, and the newer one is beside it.
    private func mayBeReplaced(_ others: [String]) -> Bool {
        guard output.count < Self.nameLength else { return true }
        guard FileTree.kind(of: folder + "/" + output) == nil else { return false }
        return others.contains { name in
            name == output + ".unfinished"
                || OlderLeftover(name, in: folder).map { $0.output == output && $0.path != path } ?? false
        }
    }

    /// Whether a file begins as HDF5, JSON and safetensors do, or has no beginning yet.
    private var holdsOurFile: Bool {
        guard let bytes = try? FileBytes.read(path, prefix: 9) else { return false }
        let start = bytes.prefix(8)
        return start.allSatisfy { $0 == 0 }
            || start.elementsEqual([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
            || bytes.first == UInt8(ascii: "{") || bytes.count == 9 && bytes.last == UInt8(ascii: "{")
    }

    private var holdsOurFolder: Bool {
        FileTree.paths(in: path, atMost: Self.mostFiles)?.allSatisfy { path in
            guard FileTree.kind(of: path) == .file else { return true }
            let name = path.split(separator: "/").last ?? ""
            return Self.extensions.contains { name.hasSuffix("." + $0) }
        } ?? false
    }
}
