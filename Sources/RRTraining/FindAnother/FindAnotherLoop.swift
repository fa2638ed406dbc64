public import RRDatasets
internal import RRExplanation
public import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

/// A search for other explanations: each model must find another explanation than those before it.
///
/// A round trains a model from the same start, with the masks of all rounds before it as A, and marks what that
/// model looks at. The first has no masks.
///
/// Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons", IJCAI 2017, section 3.2
/// ("find-another-explanation"), and `bin/find_another_mnist.py` in github.com/dtak/rrr.
public struct FindAnotherLoop {
    public let dataset: Dataset
    public let options: FindAnotherOptions

    /// What those who search should know of the data and the initial weights before they wait for the result.
    public let notes: [Message]

    private let judgedSplit: String

    /// - Throws: `TrainingError` where options contradict each other or the dataset lacks labels or images of the
    ///   model's shape; `ExplanationError` where the selection is impossible; `DatasetError` where the judged split
    ///   is unknown.
    public init(dataset: Dataset, options: FindAnotherOptions) throws {
        try options.check()
        notes = try TrainingLoop(
            dataset: dataset, masks: nil, options: options.training(inRound: 1)
        ).notes
        judgedSplit = options.judgedSplit ?? dataset.split(preferring: "test")
        _ = try dataset.indices(inSplit: judgedSplit)
        self.dataset = dataset
        self.options = options
    }

    /// The number of rounds that are done in the unfinished folder for an output; nil where there is none.
    public static func unfinishedRoundCount(of output: String) -> Int? {
        SeriesFolder<FindAnotherRound>.entryCount(of: UnfinishedRun.path(of: output))
    }

    /// The number of rounds of a search that is done; nil where there is none at a path.
    public static func doneRoundCount(of output: String) -> Int? {
        SeriesFolder<FindAnotherRound>.entryCount(of: output)
    }

    /// Runs the rounds, and writes the folder with their runs and masks.
    ///
    /// - Parameters:
    ///   - storage: where the folder is written, and how often a round's training can be resumed.
    ///   - progress: is told of every step; what it throws ends the loop, while masks are made once all are.
    /// - Returns: the rounds, those that were done before resuming included.
    /// - Throws: as `TrainingLoop.run(_:progress:)` and `MaskMaking.run(network:parameters:progress:)`.
    public func run(
        _ storage: RunStorage, progress: (FindAnotherProgress) throws -> Void
    ) throws -> [FindAnotherRound] {
        try storage.check()
        let record = try record()
        if let rounds = try SeriesFolder<FindAnotherRound>.doneEntries(storage, record: record) {
            return rounds
        }
        var folder = try SeriesFolder<FindAnotherRound>(storage, record: record)
        do {
            var masks = try folder.entries.last.map {
                try MaskSet(path: folder.masksSoFar(ofRound: $0.number), for: dataset)
            }
            while folder.entries.count < options.rounds {
                let number = folder.entries.count + 1
                try folder.makeFolder(of: number)
                let run = try train(number, masks, folder, storage, progress)
                let round: FindAnotherRound
                (round, masks) = try judge(number, run, masks, folder, progress)
                try folder.append(round)
                try progress(.done(round))
            }
        } catch let error as TrainingError where error.code == .diverged {
            // The error names the last good checkpoint.
            throw error
        } catch {
            folder.removeIfUntouched()
            throw error
        }
        try folder.commit()
        return folder.entries
    }

    /// Trains the model of a round, unless that was done before resuming.
    private func train(
        _ number: Int, _ masks: MaskSet?, _ folder: SeriesFolder<FindAnotherRound>, _ storage: RunStorage,
        _ progress: (FindAnotherProgress) throws -> Void
    ) throws -> Run {
        let path = folder.run(of: number)
        // One that was stopped in its last moment has its name, and its checkpoint still.
        if !Run.isRun(path) || UnfinishedRun.canBeResumed(path) {
            let loop = try TrainingLoop(
                dataset: dataset, masks: masks, options: options.training(inRound: number))
            var runStorage = RunStorage(
                output: path, resumes: true, checkpointSeconds: storage.checkpointSeconds)
            runStorage.keepsContinuation = false
            _ = try loop.run(runStorage) { try progress(.training(round: number, $0)) }
        }
        UnfinishedRun.removeSpentCheckpoint(of: path)
        return try Run(path: path)
    }

    /// Measures the model of a round, and marks what it looks at.
    ///
    /// - Returns: the round, and the masks of all rounds so far.
    private func judge(
        _ number: Int, _ run: Run, _ earlier: MaskSet?, _ folder: SeriesFolder<FindAnotherRound>,
        _ progress: (FindAnotherProgress) throws -> Void
    ) throws -> (FindAnotherRound, MaskSet) {
        let (masks, made) = try collect(number, run, progress)
        let masksSoFar = try earlier?.union(masks) ?? masks
        var provenance = try provenance(number, run)
        for (masks, path, rounds) in [
            (masks, folder.masks(ofRound: number), number...number),
            (masksSoFar, folder.masksSoFar(ofRound: number), 1...number),
        ] {
            provenance["rounds"] = .array(rounds.map { .integer($0) })
            try MaskSetWriter.write(masks, provenance: .object(provenance), path: path, force: true)
        }
        let evaluation = try run.evaluate(
            dataset, split: judgedSplit, predictions: .accuracyAlone, precision: options.training.precision,
            threadCount: options.training.threadCount)
        let regions = try regions(number, run, masks, folder)
        let sharedRegions = regions.dropLast().filter { flips in
            let earlier = folder.entries[flips.round - 1].regions.last
            return earlier.map { flips.agrees(with: $0) } ?? false
        }
        let configuration = try Run.configuration(of: folder.run(of: number))
        let ones = made.oneCount
        let round = FindAnotherRound(
            number: number, lambda1: configuration["options"]?["lambda1"]?.doubleValue ?? 0,
            accuracy: evaluation.accuracy, worstGroup: evaluation.worstGroup?.accuracy,
            crossEntropy: evaluation.crossEntropy,
            shareInsideEarlier: try ones == 0
                ? nil : earlier.map { Double(try masks.commonOneCount(with: $0)) / Double(ones) },
            regions: regions, sharedRegions: sharedRegions.map(\.round),
            oneCount: ones, annotatedCount: masks.annotatedCount,
            zeroGradientCount: made.zeroGradientCount)
        return (round, masksSoFar)
    }

    /// The rounds before one whose regions are swapped for it: each takes an evaluation.
    private static let comparedRounds = 8

    /// Swaps the regions of the latest rounds and of the round itself, for its model.
    private func regions(
        _ number: Int, _ run: Run, _ masks: MaskSet, _ folder: SeriesFolder<FindAnotherRound>
    ) throws -> [RegionFlips] {
        let samples = try dataset.indices(inSplit: judgedSplit)
        let distance = min(dataset.imageShape.height, dataset.imageShape.width) / 16
        return try (max(1, number - Self.comparedRounds)...number).map { round in
            let masks =
                try round == number ? masks : MaskSet(path: folder.masks(ofRound: round), for: dataset)
            let evaluation = try run.evaluate(
                dataset, masks: masks.regions(of: samples, distance: distance), split: judgedSplit,
                predictions: .accuracyAlone, precision: options.training.precision,
                threadCount: options.training.threadCount)
            return RegionFlips(
                round: round, flips: evaluation.explanation?.swapTest.inside.pairs ?? PairedProportions())
        }
    }

    /// Marks what the model of a round looks at, in every sample of the dataset.
    private func collect(
        _ number: Int, _ run: Run, _ progress: (FindAnotherProgress) throws -> Void
    ) throws -> (masks: MaskSet, summary: MaskMakingSummary) {
        var making = MaskMaking(dataset: dataset, selection: options.selection)
        making.target = options.target
        making.isPerPixel = options.isPerPixel
        making.normalization = run.normalization
        making.threadCount = options.training.threadCount
        // As make-masks: near the threshold float rounding would decide which element is taken.
        let network = try Network<Double>(run.model)
        var failure: (any Error)?
        let masks = try making.run(network: network, parameters: run.parameters(of: network)) { done, total in
            do {
                try progress(.masks(round: number, done: done, total: total))
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return masks
    }
}

extension FindAnotherLoop {
    private func provenance(_ number: Int, _ run: Run) throws -> [String: JSONValue] {
        [
            "source": "find-another", "weights_sha256": .string(try run.weightsHash()),
            "selection": .string(options.selection.description),
            "target": .string(options.target.rawValue), "per_pixel": .bool(options.isPerPixel),
            "precision": .string(Precision.double.rawValue),
        ]
    }

    /// The dataset and every option, for `find-another.json`.
    private func record() throws -> [String: JSONValue] {
        try SeriesFolder<FindAnotherRound>.record(
            options.training, dataset: dataset, masks: nil,
            options: [
                "rounds": .integer(options.rounds), "selection": .string(options.selection.description),
                "mask_target": .string(options.target.rawValue), "per_pixel": .bool(options.isPerPixel),
                "judge": .string(judgedSplit),
            ])
    }
}

extension SeriesFolder<FindAnotherRound> {
    /// What the model of a round looks at.
    fileprivate func masks(ofRound number: Int) -> String { folder(of: number) + "/masks.h5" }

    /// What the models up to a round look at: A of the round after it.
    fileprivate func masksSoFar(ofRound number: Int) -> String { folder(of: number) + "/masks-so-far.h5" }
}
