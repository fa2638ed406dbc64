public import RRDatasets
internal import RRFormats
internal import RRSchemas

/// The file in which a stream keeps its place: JSON of less than a kilobyte.
///
/// Its members are `format` ("rrdata.cursor"), `format_version`, `order_version`, `dataset_fingerprint`,
/// `masks_fingerprint` (null without masks), `seed` (as text where it exceeds 2⁶³ − 1), `epoch`, `position` and
/// `options`. Rank and world are no part of it: the position counts for all ranks, whose number may change.
public struct CursorFile: Sendable {
    static let format = "rrdata.cursor"
    static let formatVersion = "1.0"

    public let path: String
    private let identity: [String: JSONValue]
    private let options: [String: JSONValue]

    /// - Parameters:
    ///   - path: the file, which need not be there yet.
    ///   - dataset: the dataset that is streamed.
    ///   - masks: its masks; nil where the stream has none.
    ///   - options: those of the stream.
    /// - Throws: as `Dataset.fingerprint`.
    public init(path: String, dataset: Dataset, masks: MaskSet?, options: StreamOptions) throws {
        self.path = path
        identity = [
            "order_version": .integer(KeyedPermutation.version),
            "dataset_fingerprint": .string(try dataset.fingerprint),
            "masks_fingerprint": masks.map { .string($0.fingerprint()) } ?? .null,
            "seed": Int(exactly: options.seed).map { .integer($0) } ?? .string(String(options.seed)),
        ]
        self.options = [
            "batch_size": .integer(options.batchSize),
            "shuffle": .bool(options.isShuffled),
            "epochs": .integer(options.epochs),
            "split": .string(options.split ?? dataset.split(preferring: "train")),
            "drop_last": .bool(options.dropsLast),
            "balance": options.balance.map { .string($0.text) } ?? .null,
            "annotated_only": .bool(options.annotatedOnly),
            "annotated_fraction": options.annotatedFraction.map { .number($0) } ?? .null,
            "ids": options.ids.map { .string(Self.hash($0)) } ?? .null,
            "augment": options.augmentation.map { .string($0.text) } ?? .null,
            "resize_crop": options.resizeCrop.map { .string($0.text) } ?? .null,
        ]
    }

    /// The SHA-256 of the ids, sorted by their bytes, each with a line feed after it.
    private static func hash(_ ids: [String]) -> String {
        var hasher = SHA256Hasher()
        let sorted = ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        Array((sorted.joined(separator: "\n") + "\n").utf8).withUnsafeBytes { hasher.update($0) }
        return hasher.finalize()
    }

    /// Reads where the stream goes on; nil where there is no such file.
    ///
    /// - Throws: `FormatError` where it cannot be read or is no cursor. `DatasetError` with the code `otherDataset` where
    ///   the cursor is of another dataset or other masks, and `invalidOption`, naming the option, where it is of another
    ///   seed or option.
    public func read() throws -> StreamPosition? {
        try bytes().map { try position(parsing: $0) }
    }

    /// Reads where the stream goes on from the bytes of a cursor, wherever they were kept.
    ///
    /// - Throws: as `read()`.
    package func position(parsing bytes: [UInt8]) throws -> StreamPosition {
        let json = try parse(bytes)
        try checkFormat(of: json)
        try checkIdentity(of: json)
        guard let epoch = json["epoch"]?.integerValue, let position = json["position"]?.integerValue,
            epoch >= 0,
            position >= 0
        else {
            throw FormatError(
                .malformed, path: path, "“epoch” and “position” of a cursor are whole numbers from 0 on")
        }
        return StreamPosition(epoch: epoch, position: position)
    }

    private func bytes() throws(FormatError) -> [UInt8]? {
        do {
            return try FileBytes.read(path, maximumSize: 1 << 20)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func parse(_ bytes: [UInt8]) throws(FormatError) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw FormatError(.malformed, path: path, "this is no cursor: \(error)")
        }
    }

    private func checkFormat(of json: JSONValue) throws {
        guard json["format"]?.stringValue == Self.format, let version = json["format_version"]?.stringValue
        else {
            throw FormatError(.malformed, path: path, "this is no cursor: its “format” is not \(Self.format)")
        }
        guard version.split(separator: ".").first == "1" else {
            throw FormatError(
                .unsupported, path: path, "the cursor has the format version \(version); this release reads 1"
            )
        }
        guard json["order_version"] == identity["order_version"] else {
            throw FormatError(
                .unsupported, path: path,
                "the cursor is of version \(json["order_version"]?.serialized() ?? "null") of the order; "
                    + "this release has version \(KeyedPermutation.version)")
        }
    }

    private func checkIdentity(of json: JSONValue) throws(DatasetError) {
        for (name, what) in [("dataset_fingerprint", "dataset"), ("masks_fingerprint", "mask set")] {
            let found = json[name] ?? .null
            guard found != identity[name] else { continue }
            let (then, now) = (Self.text(found), Self.text(identity[name] ?? .null))
            throw DatasetError(
                .otherDataset, path: path,
                "the cursor is of another \(what): its fingerprint was \(then) and is now \(now). "
                    + "Name the files that the stream began with, or remove the cursor to start anew")
        }
        var names = options.keys.sorted().map { ($0, json["options"]?[$0], options[$0]) }
        names.insert(("seed", json["seed"], identity["seed"]), at: 0)
        for (name, found, expected) in names where !Self.areEqual(found ?? .null, expected ?? .null) {
            throw DatasetError(
                .invalidOption, path: path,
                "the cursor was written with \(option: OptionName(recordedAs: name)) \(Self.text(found ?? .null)), and now "
                    + "it is \(Self.text(expected ?? .null)): give the option as it was, or remove the cursor to "
                    + "start anew")
        }
    }

    /// Other programs write 1 for 1.0.
    private static func areEqual(_ one: JSONValue, _ other: JSONValue) -> Bool {
        if case .number = other { return one.doubleValue == other.doubleValue }
        return one == other
    }

    private static func text(_ value: JSONValue) -> String {
        value == .null ? "none" : value.stringValue ?? value.serialized()
    }

    /// Writes where the stream goes on, atomically: at every moment the file holds one place or the other.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    public func write(_ position: StreamPosition) throws {
        let output = try AtomicOutput(path: path, force: true)
        try FileBytes.write(Array(text(of: position).utf8), to: output.temporaryPath)
        try output.commit()
    }

    /// What the file holds for a place.
    package func text(of position: StreamPosition) -> String {
        var members = identity
        members["format"] = .string(Self.format)
        members["format_version"] = .string(Self.formatVersion)
        members["epoch"] = .integer(position.epoch)
        members["position"] = .integer(position.position)
        // Cursors of earlier releases lack what these did not have, and so do those that do not need it.
        members["options"] = .object(options.filter { $0.key != "resize_crop" || $0.value != .null })
        return JSONValue.object(members).serialized(pretty: true) + "\n"
    }
}
