public import RRExplanation
package import RRFormats
public import RRNetworks
public import RRStreaming
internal import RRTensor

/// The number type that a run computes in.
public enum Precision: String, CaseIterable, Codable, Sendable {
    case float
    case double
}

/// What becomes of the head of initial weights.
public enum HeadChoice: String, CaseIterable, Codable, Sendable {
    /// It is drawn from the seed.
    case new
    /// It is taken, and must fit.
    case keep
}

/// All that decides the outcome of a training run, beside the dataset and the masks.
public struct TrainingOptions: Sendable {
    public var model: ModelDescription
    public var loss: LossOptions
    public var optimization: OptimizationOptions
    /// Which samples are learnt from, how often and in which order. Its seed also decides the initial weights, what
    /// dropout leaves out and random values in images.
    public var stream: StreamOptions
    public var precision: Precision = .float
    public var normalization: NormalizationChoice = .none
    /// A safetensors, PyTorch or NPZ file with the initial weights; nil to draw them from the seed.
    public var initialWeights: String?
    /// The tensors of `initialWeights`, where that is a file which holds a network too and was read with it; nil where the
    /// file has weights alone.
    package var initialTensors: [SafeTensor]?
    /// The SHA-256 of `initialWeights`, where the file is no longer there and a run that goes on has recorded it, or where
    /// weights are in files beside it too; nil for that of its bytes alone.
    package var initialHash: String?
    /// What becomes of the head, the layer of the logits, in the initial weights; nil to keep it where it fits the classes
    /// and to draw it anew where it does not.
    public var head: HeadChoice?
    /// What every epoch ends with a measurement on: a split of the dataset, or the path of another dataset, as
    /// `ValidationSource` reads it; nil for none.
    public var validation: String?
    /// The figure of the validation that `best.safetensors` is chosen by.
    public var bestMetric: ValidationMetric = .accuracy
    /// The epochs without a better figure after which training stops; nil to train to the end.
    public var patience: Int?
    /// Masks to gather on the way; nil for none.
    public var collection: CollectionOptions?
    /// The number of threads, without effect on any result; nil for one a processor core.
    public var threadCount: Int?
    /// The bytes that training may take, without effect on any result; nil for as many as make it fastest. Fewer samples are
    /// then on their way at once, and where that is not enough, feature maps are computed again instead of kept.
    public var memoryLimit: Int?
    /// Whether convolutions are the sums that define them in single precision too; see `Network.isExact`.
    public var isExact = false

    public init(
        model: ModelDescription, loss: LossOptions = LossOptions(),
        optimization: OptimizationOptions = OptimizationOptions(),
        stream: StreamOptions = StreamOptions(batchSize: 128, isShuffled: true, epochs: 10)
    ) {
        self.model = model
        self.loss = loss
        self.optimization = optimization
        self.stream = stream
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check(hasMasks: Bool) throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        try optimization.check()
        try loss.check(classCount: model.classCount)
        if let fraction = stream.annotatedFraction {
            try require(0...1 ~= fraction, .annotatedFraction, "must be from 0 to 1")
            try require(
                hasMasks, .annotatedFraction, "needs \(option: .masks), which say which samples are annotated"
            )
            try require(
                stream.isShuffled, .annotatedFraction,
                "draws samples, which \(option: .isUnshuffled) does not allow")
        }
        if stream.balance != nil {
            try require(
                stream.isShuffled, .balance, "draws samples, which \(option: .isUnshuffled) does not allow")
            try require(
                stream.annotatedFraction == nil, .balance,
                "and \(option: .annotatedFraction) both say which samples are drawn: give one of them")
        }
        try loss.checkGuidance(hasMasks: hasMasks)
        let hasPenalty = hasMasks || loss.guidance == .inputGradient
        if case .value(let lambda1) = loss.lambda1 {
            try require(
                lambda1.isFinite && lambda1 >= 0, .lambda1, "must be auto or a number of at least 0")
            try require(
                lambda1 == 0 || hasPenalty, .lambda1,
                "is above 0, but there are no masks for the penalty: give \(option: .masks), or "
                    + "\(option: .lambda1) 0")
        }
        if case .fixed(let normalization) = normalization {
            try require(
                normalization.means.count == model.input.channels, .normalization,
                "has \(normalization.means.count) means, but the images have \(model.input.channels) channels"
            )
        }
        if let patience {
            try require(patience >= 1, .patience, "must be at least 1 epoch")
            try require(
                validation != nil, .patience, "needs \(option: .validation) to tell which epoch is better")
        }
        try require(
            loss.lambda1WarmupSteps == 0 || hasPenalty, .lambda1WarmupSteps,
            "needs \(option: .masks), without which there is no penalty")
        try require(
            collection == nil || stream.augmentation == nil, .collection,
            "does not go with \(option: .augmentation), whose images are not those of the dataset: run make-masks "
                + "after training")
        try require(
            collection == nil || loss.guidance.counterexamples?.place != .instead, .collection,
            "does not go with \(option: .counterexamplePlace) instead, whose images are not those of the dataset: run "
                + "make-masks after training")
        try require(
            collection == nil || !loss.attribution.method.hasLayer, .collection,
            "takes the input gradients that training meets, and with \(option: .attribution) "
                + "\(loss.attribution.method.rawValue) it meets none: run make-masks after training")
        try require(
            collection == nil || stream.resizeCrop == nil, .collection,
            "does not go with \(option: .resizeCrop), whose images are not those of the dataset: import them at that "
                + "size")
        try require(
            collection == nil || stream.annotatedFraction == nil && stream.balance == nil, .collection,
            "does not go with \(option: .annotatedFraction) or \(option: .balance), which draw some samples several "
                + "times and others never: run make-masks after training")
        try require(
            head == nil || initialWeights != nil, .head,
            "goes with \(option: .initialWeights), which has the head that is kept or not")
        try require(stream.batchSize >= 1, .batchSize, "must be at least 1")
        try require(stream.epochs >= 1, .epochs, "must be at least 1")
        try require(threadCount ?? 1 >= 1, .threadCount, "must be at least 1")
        try require(memoryLimit ?? 1 >= 1, .memoryLimit, "must be at least 1 byte")
        try checkRecorded()
    }

    /// Refuses what `config.json` does not record, so that a run cannot be gone on with as another.
    private func checkRecorded() throws(TrainingError) {
        let isRecorded =
            loss.imageRanges == nil && loss.imageMoments == nil && stream.world == 1 && stream.rank == 0
            && stream.ids == nil && !stream.annotatedOnly
        guard isRecorded else {
            throw TrainingError(
                .invalidOption, .option(.stream),
                "has ranks or chosen samples, or the loss has values of images: a run takes none of "
                    + "them, but a loop of your own around a Trainer does")
        }
    }
}

/// Masks to gather from the input gradients that training meets on its way.
public struct CollectionOptions: Equatable, Sendable {
    public var selection: MaskSelection
    /// The mask set that is written.
    public var output: String

    public init(selection: MaskSelection, output: String) {
        self.selection = selection
        self.output = output
    }

    /// Checks that the masks can be written at the end, before any step is taken for them.
    ///
    /// - Parameter replaces: whether a file that is there is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func check(against storage: RunStorage, replaces: Bool) throws(FormatError) {
        // The run's folder may be there yet, to be replaced, or not; in neither case does it take the masks.
        for run in [storage.output, UnfinishedRun.path(of: storage.output)] {
            let folder = FileTree.folder(of: output)
            var isInside = PathPlan.areSame(output, run) || PathPlan.areSame(folder, run)
            if let folder = FileTree.resolved(folder), let run = FileTree.resolved(run) {
                isInside = isInside || FileTree.isInside(folder, run)
            }
            guard !isInside else {
                throw FormatError(
                    .cannotWrite, path: output,
                    "the masks of \(option: .collection) need a place outside the run's own folder")
            }
        }
        try AtomicOutput.checkTarget(output, force: replaces)
    }
}
