internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// The folder of a search for other explanations, which appears whole when the last round is done.
struct FindAnotherFolder {
    static let format = "rrdata.find-another"
    static let formatVersion = "1.0"
    private static let fileName = "find-another.json"

    private static let contents = UnfinishedFolder.Contents(
        areAt: { roundCount(of: $0) != nil },
        areLeftOver: { (FileTree.names(in: $0)?.allSatisfy { AtomicOutput.isHidden($0) }) ?? false },
        canBeResumed: { FileTree.kind(of: $0 + "/" + fileName) != nil },
        areBusy: "another process is working on these rounds",
        areForeign:
            "the folder is not one of find-another, so \(option: .force) does not replace it: name another "
            + "output, or remove it first",
        areUnfinished:
            "unfinished rounds are there; \(option: .resumes) goes on with them, and \(option: .force) begins anew"
    )

    private let output: UnfinishedFolder
    /// What the file says of the options and the dataset.
    private let record: [String: JSONValue]
    /// The rounds that are done.
    private(set) var rounds: [FindAnotherRound]

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
            rounds = try Self.rounds(of: unfinishedPath, startedWith: record, goesOn: true)
            return
        }
        rounds = []
        output = try UnfinishedFolder(Self.contents, path: storage.output, force: storage.force)
        try write()
        try output.keep()
    }

    /// The rounds of a search that is done already and was asked to go on, as where a process is started again until it
    /// succeeds; nil where there is something to go on with, or nothing.
    ///
    /// - Throws: `TrainingError` where it was started otherwise, `FormatError` where its file is damaged.
    static func doneRounds(
        _ storage: RunStorage, record: [String: JSONValue]
    ) throws -> [FindAnotherRound]? {
        guard storage.resumes, !storage.force, roundCount(of: storage.output) != nil,
            FileTree.kind(of: UnfinishedRun.path(of: storage.output) + "/" + fileName) == nil
        else { return nil }
        AtomicOutput.removeLeftovers(in: FileTree.folder(of: storage.output))
        return try rounds(of: storage.output, startedWith: record, goesOn: false)
    }

    /// Makes the folder of a round, or clears it of all but its run where it is there.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func makeFolder(forRound number: Int) throws(FormatError) {
        let path = folder(ofRound: number)
        guard try !FileTree.makeFolder(path) else { return }
        let run = "run"
        FileTree.clear(path, keeping: [run, UnfinishedRun.path(of: run)])
    }

    func run(ofRound number: Int) -> String { folder(ofRound: number) + "/run" }

    /// What the model of a round looks at.
    func masks(ofRound number: Int) -> String { folder(ofRound: number) + "/masks.h5" }

    /// What the models up to a round look at: A of the round after it.
    func masksSoFar(ofRound number: Int) -> String { folder(ofRound: number) + "/masks-so-far.h5" }

    private func folder(ofRound number: Int) -> String { output.path + "/round-\(number)" }

    /// Notes that a round is done.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    mutating func append(_ round: FindAnotherRound) throws(FormatError) {
        rounds.append(round)
        try write()
    }

    /// Gives the folder its name.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func commit() throws(FormatError) { try output.commit() }

    /// Removes the folder where no step of training was done in it.
    func removeIfUntouched() {
        let run = run(ofRound: 1)
        guard rounds.isEmpty, !Run.isRun(run), UnfinishedRun.stepCount(of: run) ?? 0 == 0 else { return }
        FileTree.remove(output.path)
    }

    private func write() throws(FormatError) {
        var document = record
        document["rounds"] = .array(rounds.map(\.json))
        try RunDocument.replace(output.path + "/" + Self.fileName, with: .object(document))
    }
}

extension FindAnotherFolder {
    /// The number of rounds that are done in a folder; nil where it is none of find-another.
    static func roundCount(of path: String) -> Int? {
        document(of: path).map { $0["rounds"]?.arrayValue?.count ?? 0 }
    }

    /// What a folder says of its options and rounds; nil where it is none of find-another.
    static func document(of path: String) -> JSONValue? {
        guard let bytes = try? FileBytes.read(path + "/" + fileName),
            let document = try? JSONValue(parsing: bytes), document["format"] == .string(format)
        else { return nil }
        return document
    }

    /// Reads the rounds of an unfinished folder, and checks that it was started with the same options.
    private static func rounds(
        of folder: String, startedWith record: [String: JSONValue], goesOn: Bool
    ) throws -> [FindAnotherRound] {
        let path = folder + "/" + fileName
        let document = try RunDocument.read(path)
        guard document["format"] == .string(format),
            document["format_version"]?.stringValue?.split(separator: ".").first == "1"
        else {
            throw FormatError(.malformed, path: path, "is not a find-another.json of version 1")
        }
        try check(document, startedWith: record, folder: folder)
        // Which kernels were used matters only where more steps are to come.
        if goesOn { try RunConfiguration.checkKernel(record, startedWith: document) }
        let entries = document["rounds"]?.arrayValue ?? []
        let rounds = entries.compactMap { FindAnotherRound($0) }
        guard rounds.count == entries.count, rounds.map(\.number) == Array(1..<rounds.count + 1) else {
            throw FormatError(.malformed, path: path, "“rounds” are not the rounds from 1 on, in order")
        }
        return rounds
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
