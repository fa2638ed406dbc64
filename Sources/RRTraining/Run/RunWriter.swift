internal import Glibc
internal import RRFormats
internal import RRNetworks
internal import RRSchemas

/// A run folder in the making: it appears whole, under its name, when the run is done.
final class RunWriter {
    private let folder: AtomicOutput
    private let metrics: LineFile

    /// - Throws: `FormatError` where the folder is already there and `force` is false, where it is no run and
    ///   would be lost, or where it cannot be made.
    init(path: String, force: Bool) throws(FormatError) {
        if force, FileTree.kind(of: path) == .folder, !Run.isRun(path) {
            throw FormatError(
                .cannotWrite, path: path,
                "the folder is no run, so --force does not replace it: name another output, or remove it first"
            )
        }
        folder = try AtomicOutput(path: path, force: force, isDirectory: true)
        metrics = try LineFile(creating: folder.temporaryPath + "/" + RunFile.metrics, shownAs: path)
    }

    /// Writes `config.json` and `model.json`.
    func write(configuration: JSONValue, model: ModelDescription) throws {
        try FileBytes.write(
            Array((configuration.serialized(pretty: true) + "\n").utf8), to: file(RunFile.configuration))
        try FileBytes.write(ModelFile.bytes(of: model), to: file(RunFile.model))
    }

    /// Appends a line to `metrics.jsonl`.
    func append(_ line: JSONValue) throws(FormatError) { try metrics.append(line.serialized()) }

    /// Writes the weights and gives the folder its name.
    func finish<Scalar: NetworkScalar>(_ parameters: Parameters<Scalar>) throws(FormatError) {
        try metrics.close()
        try WeightsFile.write(parameters, to: file(RunFile.weights))
        try folder.commit()
    }

    private func file(_ name: String) -> String { folder.temporaryPath + "/" + name }
}

/// The names of the files in a run folder.
enum RunFile {
    static let configuration = "config.json"
    static let model = "model.json"
    static let weights = "weights.safetensors"
    static let metrics = "metrics.jsonl"
}

/// A text file that is written line by line, through a buffer.
private final class LineFile {
    private let path: String
    private var descriptor: Int32
    private var pending: [UInt8] = []

    init(creating path: String, shownAs shownPath: String) throws(FormatError) {
        self.path = shownPath
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw FormatError(.cannotWrite, path: shownPath, String(cString: strerror(errno)))
        }
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    func append(_ line: String) throws(FormatError) {
        pending += line.utf8
        pending.append(UInt8(ascii: "\n"))
        if pending.count >= 1 << 16 { try flush() }
    }

    func close() throws(FormatError) {
        try flush()
        let result = Glibc.close(descriptor)
        descriptor = -1
        guard result == 0 else {
            throw FormatError(.cannotWrite, path: path, String(cString: strerror(errno)))
        }
    }

    private func flush() throws(FormatError) {
        var written = 0
        while written < pending.count {
            let count = pending.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 {
                guard errno == EINTR else {
                    throw FormatError(.cannotWrite, path: path, String(cString: strerror(errno)))
                }
            } else {
                written += count
            }
        }
        pending.removeAll(keepingCapacity: true)
    }
}
