internal import RRDatasets
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming

/// What one training of a series came to, as the series' file has it.
protocol SeriesEntry: SendableMetatype {
    /// `find-another`, as the file and its format are called.
    static var seriesName: String { get }
    /// What an entry is called: `round`; the file has a list of `rounds`.
    static var noun: String { get }

    /// From 1.
    var number: Int { get }
    var json: JSONValue { get }

    /// Reads an entry; nil where a field is missing.
    init?(_ json: JSONValue)
}

/// The folder of several trainings, one after the other, which appears whole when the last is done.
struct SeriesFolder<Entry: SeriesEntry> {
    static var format: String { "rrdata.\(Entry.seriesName)" }
    static var formatVersion: String { "1.0" }
    private static var fileName: String { "\(Entry.seriesName).json" }
    private static var listName: String { "\(Entry.noun)s" }

    private static var contents: UnfinishedFolder.Contents {
        UnfinishedFolder.Contents(
            areAt: { entryCount(of: $0) != nil },
            areLeftOver: { (FileTree.names(in: $0)?.allSatisfy { AtomicOutput.isHidden($0) }) ?? false },
            canBeResumed: { FileTree.kind(of: $0 + "/" + fileName) != nil },
            areBusy: "another process is working on these \(listName)",
            areForeign:
                "the folder is not one of \(Entry.seriesName), so \(option: .force) does not replace it: name another "
                + "output, or remove it first",
            areUnfinished:
                "unfinished \(listName) are there; \(option: .resumes) goes on with them, and \(option: .force) "
                + "begins anew"
        )
    }

    private let output: UnfinishedFolder
    /// What the file says of the options and the dataset.
    private let record: [String: JSONValue]
    /// The entries that are done.
    private(set) var entries: [Entry]

    /// Starts a folder, or takes up the unfinished one.
    ///
    /// - Parameter record: the dataset and every option, as they are to be found again.
    /// - Throws: `FormatError` where the output or an unfinished one exists and neither `force` nor `resumes` says
    ///   what becomes of it, where a folder of something else would be lost, where another process works on it, or where
    ///   it cannot be made;
    ///   `TrainingError` where a search is resumed that was started otherwise.
    init(_ storage: RunStorage, record: [String: JSONValue]) throws {
        self.record = record
        let unfinishedPath = UnfinishedRun.path(of: storage.output)
        if storage.resumes, FileTree.kind(of: unfinishedPath + "/" + Self.fileName) != nil {
            output = try UnfinishedFolder(
                Self.contents, resuming: storage.output, force: storage.force)
            entries = try Self.entries(of: unfinishedPath, startedWith: record, goesOn: true)
            return
        }
        entries = []
        output = try UnfinishedFolder(Self.contents, path: storage.output, force: storage.force)
        try write()
        try output.keep()
    }

    /// The entries of a series that is done already and was asked to go on, as where a process is started again until it
    /// succeeds; nil where there is something to go on with, or nothing.
    ///
    /// - Throws: `TrainingError` where it was started otherwise, `FormatError` where its file is damaged.
    static func doneEntries(_ storage: RunStorage, record: [String: JSONValue]) throws -> [Entry]? {
        guard storage.resumes, !storage.force, entryCount(of: storage.output) != nil,
            FileTree.kind(of: UnfinishedRun.path(of: storage.output) + "/" + fileName) == nil
        else { return nil }
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: storage.output))
        return try entries(of: storage.output, startedWith: record, goesOn: false)
    }

    /// Makes the folder of an entry, or clears it of all but its run where it is there.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func makeFolder(of number: Int) throws(FormatError) {
        let path = folder(of: number)
        guard try !FileTree.makeFolder(path) else { return }
        let run = "run"
        FileTree.clear(path, keeping: [run, UnfinishedRun.path(of: run)])
    }

    /// Where an entry's run is written.
    func run(of number: Int) -> String { folder(of: number) + "/run" }

    func folder(of number: Int) -> String { output.path + "/\(Entry.noun)-\(number)" }

    /// Notes that an entry is done.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func append(_ entry: Entry) throws(FormatError) {
        entries.append(entry)
        try write()
    }

    /// Gives the folder its name.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func commit() throws(FormatError) { try output.commit() }

    /// Removes the folder where no step of training was done in it.
    func removeIfUntouched() {
        let run = run(of: 1)
        guard entries.isEmpty, !Run.isRun(run), UnfinishedRun.stepCount(of: run) ?? 0 == 0 else { return }
        FileTree.remove(output.path)
    }

    private func write() throws(FormatError) {
        var document = record
        document[Self.listName] = .array(entries.map(\.json))
        try RunDocument.replace(output.path + "/" + Self.fileName, with: .object(document))
    }
}

extension SeriesFolder {
    /// The number of entries that are done in a folder; nil where it is none of this kind.
    static func entryCount(of path: String) -> Int? {
        document(of: path).map { $0[listName]?.arrayValue?.count ?? 0 }
    }

    /// What a folder says of its options and entries; nil where it is none of this kind.
    static func document(of path: String) -> JSONValue? {
        guard let bytes = try? FileBytes.read(path + "/" + fileName),
            let document = try? JSONValue(parsing: bytes), document["format"] == .string(format)
        else { return nil }
        return document
    }

    /// Reads the entries of an unfinished folder, and checks that it was started with the same options.
    private static func entries(
        of folder: String, startedWith record: [String: JSONValue], goesOn: Bool
    ) throws -> [Entry] {
        let path = folder + "/" + fileName
        let document = try RunDocument.read(path)
        guard document["format"] == .string(format),
            document["format_version"]?.stringValue?.split(separator: ".").first == "1"
        else {
            throw FormatError(.malformed, path: path, "is not a \(fileName) of version 1")
        }
        try check(document, startedWith: record, folder: folder)
        // Which kernels were used matters only where more steps are to come.
        if goesOn { try RunConfiguration.checkKernel(record, startedWith: document) }
        let objects = document[listName]?.arrayValue ?? []
        let entries = objects.compactMap { Entry($0) }
        guard entries.count == objects.count, entries.map(\.number) == Array(1..<entries.count + 1) else {
            throw FormatError(
                .malformed, path: path, "“\(listName)” are not the \(listName) from 1 on, in order")
        }
        return entries
    }

    private static func check(
        _ document: JSONValue, startedWith record: [String: JSONValue], folder: String
    ) throws(TrainingError) {
        let remedy: Message = "give the same, or begin anew with \(option: .force)"
        guard document["dataset_fingerprint"] == record["dataset_fingerprint"] else {
            throw TrainingError(
                .unsuitableDataset, .file(folder),
                "was started with another dataset: their fingerprints differ; \(remedy)")
        }
        guard document["model"] == record["model"] else {
            throw TrainingError(
                .invalidOption, .option(.model),
                "is not the model that \(folder) was started with: \(remedy)")
        }
        guard document["masks"] == record["masks"] else {
            throw TrainingError(
                .invalidOption, .option(.masks), "are not those that \(folder) was started with: \(remedy)")
        }
        let before = document["options"]?.objectValue ?? [:]
        let now = record["options"]?.objectValue ?? [:]
        for key in Set(before.keys).union(now.keys).sorted() where key != "init" && before[key] != now[key] {
            throw TrainingError(
                .invalidOption, .option(OptionName(recordedAs: key)),
                "is \(now[key]?.serialized() ?? "none"), but \(folder) was started with "
                    + "\(before[key]?.serialized() ?? "none"): \(remedy)")
        }
    }
}

extension SeriesFolder {
    /// What the file says of what a series was started with, and of the options that it goes on with only if they are the same.
    static func record(
        _ training: TrainingOptions, dataset: Dataset, masks: MaskSet?, options: [String: JSONValue]
    ) throws -> [String: JSONValue] {
        let split = training.stream.split ?? dataset.split(preferring: "train")
        let configuration = try RunConfiguration.json(
            training, dataset: dataset, split: split, masks: masks, lambda1: 0, normalization: nil,
            classWeights: nil, validation: nil)
        var record = configuration["options"]?.objectValue ?? [:]
        if case .value(let lambda1) = training.loss.lambda1 {
            record["lambda1"] = .number(lambda1)
        } else {
            record["lambda1"] = "auto"
        }
        record["lambda1_automatic"] = nil
        if case .fixed(let weights) = training.loss.classWeights {
            record["class_weights"] = .array(weights.map { .number($0) })
        }
        var document: [String: JSONValue] = [
            "format": .string(format), "format_version": .string(formatVersion),
            "creator": .string(Dataset.creator),
            "linear_algebra_kernel": configuration["linear_algebra_kernel"] ?? .null,
            "dataset_fingerprint": .string(try dataset.fingerprint),
            "model": try JSONValue(parsing: ModelFile.bytes(of: training.model)),
            "options": .object(record.merging(options) { _, own in own }),
        ]
        document["masks"] = masks == nil ? nil : configuration["masks"]
        return document
    }
}
