internal import RRFormats

/// The SHA-256 of every file of a run, in the file `SHA256SUMS` as `sha256sum` writes it: `sha256sum -c SHA256SUMS` checks
/// a run too.
enum RunChecksums {
    static let fileName = "SHA256SUMS"

    private static let names = [
        RunFile.best, RunFile.configuration, RunFile.curves, RunFile.metrics, RunFile.model, RunFile.weights,
    ]
    /// Those of its continuation, which has sums of its own.
    private static let continued = ["optimizer.safetensors", CheckpointFile.state]

    /// Writes the sums of the files that a run has.
    ///
    /// - Throws: `FormatError` with the code `cannotRead` or `cannotWrite`.
    static func write(in folder: String) throws(FormatError) { try write(of: names, in: folder) }

    /// Writes the sums of those of the named files that are there.
    ///
    /// - Throws: as `write(in:)`.
    static func write(of names: [String], in folder: String) throws(FormatError) {
        var text = ""
        for name in names where FileTree.kind(of: folder + "/" + name) == .file {
            text += try SHA256Hasher.hash(ofFileAt: folder + "/" + name) + "  " + name + "\n"
        }
        try FileBytes.write(Array(text.utf8), to: folder + "/" + fileName)
    }

    /// The files of a run that are not what it wrote; none for a run of an earlier release, which has no sums.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the sums themselves are damaged, or `cannotRead`.
    static func changedFiles(in folder: String) throws(FormatError) -> [String] {
        let path = folder + "/" + fileName
        guard FileTree.kind(of: path) == .file else { return [] }
        let text = String(decoding: try FileBytes.read(path, maximumSize: 1 << 16), as: UTF8.self)
        var changed: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let name = String(line.dropFirst(66))
            guard line.count > 66, line.dropFirst(64).prefix(2) == "  ", (names + continued).contains(name)
            else {
                throw FormatError(.malformed, path: path, "these are not the sums that a run wrote")
            }
            guard FileTree.kind(of: folder + "/" + name) == .file,
                try SHA256Hasher.hash(ofFileAt: folder + "/" + name) == line.prefix(64)
            else {
                changed.append(name)
                continue
            }
        }
        guard text.hasSuffix("\n") else {
            throw FormatError(.malformed, path: path, "these are not the sums that a run wrote")
        }
        return changed
    }
}
