internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// A folder that an export fills, which appears whole or not at all.
///
/// Every such folder holds `export.json` (hidden among images, where a file more could be taken for data), which says
/// what it is. `force` replaces only what holds one: a folder with somebody's own files is never replaced.
final class ExportFolder {
    private let output: AtomicOutput
    private let markName: String

    /// The folder to write to until `commit()`.
    var temporaryPath: String { output.temporaryPath }
    /// The folder that there will be.
    var path: String { output.path }

    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` also for a folder that is no export.
    init(path: String, force: Bool, markName: String) throws(FormatError) {
        if force { try Self.checkReplaceable(path) }
        output = try AtomicOutput(path: path, force: force, isDirectory: true)
        self.markName = markName
    }

    private static func checkReplaceable(_ path: String) throws(FormatError) {
        guard FileTree.kind(of: path) == .folder, try ExportMark.members(of: path) == nil else { return }
        guard try FolderListing(of: path).names.isEmpty else {
            throw FormatError(
                .cannotWrite, path: path,
                "the folder is no export, so \(option: .force) does not replace it: name another output, or remove it first"
            )
        }
    }

    /// Writes `export.json`.
    ///
    /// - Parameter members: what there is to say beside format and version.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func writeMark(_ members: [String: JSONValue]) throws(FormatError) {
        var mark = members
        mark["format"] = .string(ExportMark.format)
        mark["format_version"] = .string(FileFormat.version)
        let text = JSONValue.object(mark).serialized(pretty: true) + "\n"
        try FileBytes.write(Array(text.utf8), to: temporaryPath + "/" + markName)
    }

    /// Gives the folder its name, and then another one its own, or neither.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func commit(before other: ExportFolder? = nil) throws(FormatError) {
        try output.commit(before: other?.output)
    }
}
