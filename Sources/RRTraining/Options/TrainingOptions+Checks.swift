internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRTensor

extension TrainingOptions {
    /// What a trainer takes of these options.
    func refinements(
        classWeights: [Double]?, schedule: LearningRateSchedule? = nil
    ) -> TrainingRefinements {
        var refinements = TrainingRefinements()
        refinements.schedule = schedule
        refinements.largestNorm = largestNorm
        refinements.classWeights = classWeights
        refinements.labelSmoothing = labelSmoothing
        refinements.lambda1WarmupSteps = lambda1WarmupSteps
        refinements.frozenLayers = frozenLayers
        return refinements
    }

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check(hasMasks: Bool) throws(TrainingError) {
        try optimizer.check()
        try schedule.check()
        try refinements(classWeights: nil).check(classCount: model.classCount)
        if case .fixed(let weights) = classWeights {
            try refinements(classWeights: weights).check(classCount: model.classCount)
        }
        try checkGuidance(hasMasks: hasMasks)
        if case .value(let lambda1) = lambda1 {
            guard lambda1.isFinite, lambda1 >= 0 else {
                throw TrainingError(
                    .invalidOption, .option(.lambda1), "must be auto or a number of at least 0")
            }
            guard lambda1 == 0 || hasMasks || guidance == .inputGradient else {
                throw TrainingError(
                    .invalidOption, .option(.lambda1),
                    "is above 0, but there are no masks for the penalty: give \(option: .masks), or \(option: .lambda1) 0"
                )
            }
        }
        if case .fixed(let normalization) = normalization {
            guard normalization.means.count == model.input.channels else {
                throw TrainingError(
                    .invalidOption, .option(.normalization),
                    "has \(normalization.means.count) means, but the images have \(model.input.channels) channels"
                )
            }
        }
        if let patience {
            guard patience >= 1 else {
                throw TrainingError(.invalidOption, .option(.patience), "must be at least 1 epoch")
            }
            guard validation != nil else {
                throw TrainingError(
                    .invalidOption, .option(.patience),
                    "needs \(option: .validation) to tell which epoch is better")
            }
        }
        guard lambda1WarmupSteps == 0 || hasMasks || guidance == .inputGradient else {
            throw TrainingError(
                .invalidOption, .option(.lambda1WarmupSteps),
                "needs \(option: .masks), without which there is no penalty")
        }
        try checkCollection()
        guard batchSize >= 1 else {
            throw TrainingError(.invalidOption, .option(.batchSize), "must be at least 1")
        }
        guard epochs >= 1 else { throw TrainingError(.invalidOption, .option(.epochs), "must be at least 1") }
        if let threads, threads < 1 {
            throw TrainingError(.invalidOption, .option(.threadCount), "must be at least 1")
        }
    }

    private func checkCollection() throws(TrainingError) {
        guard collection != nil else { return }
        guard augmentation == nil else {
            throw TrainingError(
                .invalidOption, .option(.collection),
                "does not go with \(option: .augmentation), whose images are not those of the dataset: run make-masks after training"
            )
        }
        guard annotatedFraction == nil else {
            throw TrainingError(
                .invalidOption, .option(.collection),
                "does not go with \(option: .annotatedFraction), which draws some samples several times and others never: "
                    + "run make-masks after training")
        }
    }

    private func checkGuidance(hasMasks: Bool) throws(TrainingError) {
        func require(
            _ condition: Bool, _ option: OptionName, _ message: @autoclosure () -> Message
        ) throws(TrainingError) {
            guard condition else { throw TrainingError(.invalidOption, .option(option), message()) }
        }
        if let annotatedFraction {
            try require(0...1 ~= annotatedFraction, .annotatedFraction, "must be from 0 to 1")
            try require(
                hasMasks, .annotatedFraction, "needs \(option: .masks), which say which samples are annotated"
            )
            try require(
                isShuffled, .annotatedFraction, "draws samples, which \(option: .isUnshuffled) does not allow"
            )
        }
        guard guidance != .rightReasons else { return }
        let name = guidance.name
        try require(
            penaltyTarget == .sumLogProbability, .penaltyTarget,
            "is of \(option: .guidance) rrr; \(name) is about the cross-entropy of the label")
        try require(
            lambda1 != .automatic, .lambda1,
            "auto is of \(option: .guidance) rrr: give \(name) a number, as 1")
        if guidance == .inputGradient {
            try require(
                !hasMasks, .guidance,
                "input-gradient is over all pixels of all samples and takes no \(option: .masks); \(option: .guidance) rrr "
                    + "\(option: .penaltyTarget) label is the same inside the masks")
        } else {
            try require(
                hasMasks, .guidance,
                "\(name) changes pixels inside the masks, and there are none: give \(option: .masks)")
        }
        guard case .adversarial(let adversary) = guidance else { return }
        try require(1...10_000 ~= adversary.stepCount, .adversaryStepCount, "must be from 1 to 10,000")
        try require(
            adversary.radius > 0 && adversary.radius.isFinite, .adversaryRadius, "must be a number above 0")
        try require(
            adversary.stepSize > 0 && adversary.stepSize.isFinite, .adversaryStepSize,
            "must be a number above 0")
    }
}
