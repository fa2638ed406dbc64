internal import RRDatasets
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming

extension TrainingSession {
    /// What a run came to that is done already and was asked to go on; nil where there is something to go on with, or nothing.
    ///
    /// Of one that is asked for with more epochs there is: what it kept becomes an unfinished run of as many.
    ///
    /// A process that is started again and again until it succeeds may have been killed in the moment after the run got its
    /// name.
    ///
    /// - Throws: `TrainingError` where the options, the dataset or the masks are not those of the run, or its learning rate goes by
    ///   the number of epochs, `FormatError` where
    ///   its files cannot be read, or the masks that it was to gather are not there.
    static func done(_ loop: TrainingLoop, _ storage: RunStorage) throws -> TrainingSummary? {
        guard storage.resumes, !storage.force, let run = try UnfinishedRun(done: storage.output) else {
            return nil
        }
        let choices = try TrainingChoices(loop, Network<Scalar>(loop.options.model), goingOnWith: run)
        let wanted = try RunConfiguration.json(
            loop.options, dataset: loop.dataset,
            split: loop.options.stream.split ?? loop.dataset.split(preferring: "train"), masks: loop.masks,
            lambda1: choices.lambda1, normalization: choices.normalization,
            classWeights: choices.loss.classWeights.values, validation: loop.validation)
        let isLonger = run.epochs.map { loop.options.stream.epochs > $0 } ?? false
        // Which kernels it was trained with matters only where more steps are to come.
        try run.check(
            wanted, model: loop.options.model, datasetPath: loop.dataset.path, goesOn: isLonger,
            except: isLonger ? ["epochs"] : [])
        if let changed = try RunChecksums.changedFiles(in: storage.output).first {
            throw FormatError(
                .malformed, path: storage.output + "/" + changed,
                "is not what the run wrote when it was done; \(option: .force) trains it anew")
        }
        if isLonger, try !hasStoppedEarly(run, loop.options) {
            let schedule = loop.options.optimization.schedule.kind
            guard schedule == .constant || schedule == .step else {
                throw TrainingError(
                    .invalidOption, .option(.schedule),
                    "\(schedule.rawValue) has brought the learning rate to its end by the \(run.epochs ?? 0) epochs that the run in "
                        + "\(storage.output) was started with, so it cannot be made longer: train anew with \(option: .force), or begin "
                        + "another run with its weights, \(option: .initialWeights) \(storage.output)/\(RunFile.weights)"
                )
            }
            try RunContinuation.begin(storage.output, configuration: wanted)
            return nil
        }
        if let masks = loop.options.collection?.output, FileTree.kind(of: masks) == nil {
            throw FormatError(
                .notFound, path: masks,
                "the run is done, but the masks that it gathered are not there; \(option: .force) trains it anew"
            )
        }
        return try TrainingSummary(
            ofDone: storage.output, lambda1: choices.lambda1, metric: loop.options.bestMetric)
    }

    /// Whether a run ended by its patience, as it would with more epochs too.
    private static func hasStoppedEarly(_ run: UnfinishedRun, _ options: TrainingOptions) throws -> Bool {
        guard let patience = options.patience else { return false }
        let metrics = try RunMetrics(path: run.path + "/" + RunFile.metrics)
        return BestWatch(metrics, by: options.bestMetric).epochsWithout >= patience
    }
}

extension TrainingSummary {
    /// Reads what a run came to from its metrics.
    ///
    /// - Throws: `FormatError` where they cannot be read, or with the code `malformed` where they have no last epoch.
    fileprivate init(ofDone path: String, lambda1: Double, metric: ValidationMetric) throws(FormatError) {
        let curves = path + "/" + RunFile.curves
        let metrics = try RunMetrics(path: path + "/" + RunFile.metrics)
        let rows = String(decoding: try FileBytes.read(curves), as: UTF8.self).split(separator: "\n")
            .dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) } }
        guard let last = rows.last, last.count > 8, let samples = last[2], let loss = last[3],
            let crossEntropy = last[4], let accuracy = last[6], rows.count == metrics.epochs.count
        else {
            throw FormatError(.malformed, path: curves, "these are not the epochs of a run that is done")
        }
        let watch = BestWatch(metrics, by: metric)
        let seconds = rows.map { $0.count > 7 ? $0[7] ?? 0 : 0 }
        self.init(
            output: path, lambda1: lambda1, stepCount: metrics.steps.count, epochCount: rows.count,
            best: watch.best,
            collectedMasks: nil,
            lastEpoch: EpochRecord.Summary(
                loss: loss, crossEntropy: crossEntropy, penalty: last[5], accuracy: accuracy,
                samplesPerSecond: samples / max(seconds.last ?? 0, 1e-9)),
            seconds: seconds.reduce(0, +), wasDone: true)
    }
}
