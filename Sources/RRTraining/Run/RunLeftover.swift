internal import RRFormats
internal import RRSchemas

/// What a process that was killed before its first checkpoint leaves of a run: nothing to go on with, and to be deleted
/// unasked. So it is looked at closely: somebody else's folder may have files of the same names.
enum RunLeftover {
    /// What a run writes beside its metrics, which come first.
    private static let others: Set = [
        RunFile.configuration, RunFile.model, RunFile.weights, RunFile.best, RunFile.curves,
        RunFile.checkpoint, RunFile.continuation,
        RunChecksums.fileName,
    ]
    /// Enough of a file for its first line.
    private static let beginning = 1 << 16

    /// Whether a folder holds nothing but what a run has written before its first checkpoint, or nothing at all.
    ///
    /// A folder or file that cannot be read now holds what nobody knows.
    static func isAll(in folder: String) -> Bool {
        guard let names = FileTree.names(in: folder) else { return false }
        let written = names.filter { !isHiddenFolder($0, in: folder) }
        guard !written.isEmpty else { return true }
        guard isMetrics(folder + "/" + RunFile.metrics) else { return false }
        return written.allSatisfy { name in
            let path = folder + "/" + name
            return switch name {
            case RunFile.metrics: true
            case RunFile.configuration: isConfiguration(path)
            case RunFile.curves: isCurves(path)
            case RunFile.checkpoint: isCheckpointWithoutState(path)
            // A run that could not be given its name.
            case RunFile.continuation: isContinuation(path)
            default: others.contains(name) && isFile(path)
            }
        }
    }

    /// Whether a file is what a run keeps of its steps, with one at least.
    static func hasSteps(_ path: String) -> Bool {
        firstLines(of: path)?.first.map(RunMetrics.isLine) ?? false
    }

    private static func isMetrics(_ path: String) -> Bool {
        firstLines(of: path).map { $0.first.map(RunMetrics.isLine) ?? true } ?? false
    }

    /// A document that says that it is another's is another's; one that was cut short is what is left of ours.
    private static func isConfiguration(_ path: String) -> Bool {
        guard isFile(path), let bytes = try? FileBytes.read(path, prefix: RunDocument.largestSize) else {
            return false
        }
        guard let document = try? JSONValue(parsing: bytes) else { return isCut(bytes) }
        return document["format"] == .string(RunConfiguration.format)
    }

    private static func isCurves(_ path: String) -> Bool {
        guard isFile(path), let bytes = try? FileBytes.read(path, prefix: beginning) else { return false }
        let header = Array(EpochRecord.header.utf8)
        return bytes.first == 0 || bytes.prefix(header.count) == header.prefix(bytes.count)
    }

    private static func isCheckpointWithoutState(_ path: String) -> Bool {
        guard !FileTree.isLink(path), let names = FileTree.names(in: path) else { return false }
        return names.allSatisfy { name in
            isHiddenFolder(name, in: path)
                || name.hasSuffix(".safetensors")
                    && (name.hasPrefix("weights-") || name.hasPrefix("optimizer-"))
        }
    }

    private static func isContinuation(_ path: String) -> Bool {
        guard !FileTree.isLink(path), let names = FileTree.names(in: path) else { return false }
        let known = ["optimizer.safetensors", CheckpointFile.state, RunChecksums.fileName]
        return names.allSatisfy {
            isHiddenFolder($0, in: path) || known.contains($0) && isFile(path + "/" + $0)
        }
    }

    /// The whole lines at the beginning of a file; none where it holds nothing so far, nil where it holds something else.
    private static func firstLines(of path: String) -> [ArraySlice<UInt8>]? {
        guard isFile(path), let bytes = try? FileBytes.read(path, prefix: beginning) else { return nil }
        guard bytes.first != 0 else { return [] }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        guard lines.isEmpty else { return Array(lines) }
        return isCut(bytes) ? [] : nil
    }

    /// Whether a text was cut short before there was a line in it, or is not on the disk: zeros are what a cut of the power
    /// leaves.
    private static func isCut(_ bytes: [UInt8]) -> Bool {
        bytes.isEmpty || bytes.first == 0 || bytes.first == UInt8(ascii: "{")
    }

    private static func isFile(_ path: String) -> Bool {
        !FileTree.isLink(path) && FileTree.kind(of: path) == .file
    }

    private static func isHiddenFolder(_ name: String, in folder: String) -> Bool {
        let path = folder + "/" + name
        return AtomicOutput.isHidden(name) && !FileTree.isLink(path) && FileTree.kind(of: path) == .folder
    }
}
