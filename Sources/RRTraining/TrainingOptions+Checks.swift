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
        if case .value(let lambda1) = lambda1 {
            guard lambda1.isFinite, lambda1 >= 0 else {
                throw TrainingError(.invalidOption, "--lambda1", "must be auto or a number of at least 0")
            }
            guard lambda1 == 0 || hasMasks else {
                throw TrainingError(
                    .invalidOption, "--lambda1",
                    "is above 0, but there are no masks for the penalty: give --masks, or --lambda1 0")
            }
        }
        if case .fixed(let normalization) = normalization {
            guard normalization.means.count == model.input.channels else {
                throw TrainingError(
                    .invalidOption, "--normalize",
                    "has \(normalization.means.count) means, but the images have \(model.input.channels) channels"
                )
            }
        }
        if let patience {
            guard patience >= 1 else {
                throw TrainingError(.invalidOption, "--patience", "must be at least 1 epoch")
            }
            guard validationSplit != nil else {
                throw TrainingError(
                    .invalidOption, "--patience", "needs --validation to tell which epoch is better")
            }
        }
        guard lambda1WarmupSteps == 0 || hasMasks else {
            throw TrainingError(
                .invalidOption, "--lambda1-warmup", "needs --masks, without which there is no penalty")
        }
        guard batchSize >= 1 else {
            throw TrainingError(.invalidOption, "--batch-size", "must be at least 1")
        }
        guard epochs >= 1 else { throw TrainingError(.invalidOption, "--epochs", "must be at least 1") }
        if let threads, threads < 1 {
            throw TrainingError(.invalidOption, "--jobs", "must be at least 1")
        }
    }
}
