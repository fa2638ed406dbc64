/// How far a training run is.
public struct TrainingProgress: Sendable {
    /// From 0.
    public let epoch: Int
    public let epochCount: Int
    /// The number of steps done.
    public let step: Int
    /// The number of steps of the whole run.
    public let stepCount: Int
    /// The number of steps that were done when this process began: above 0 in a run that was resumed.
    public let firstStep: Int
    /// Whether the step was the last of its epoch.
    public let isEndOfEpoch: Bool
    public let lambda1: Double
    /// The means over the epoch so far.
    public let mean: EpochRecord.Summary
}

/// What a training run came to.
public struct TrainingSummary: Sendable {
    /// The run folder.
    public let output: String
    /// The weight of the penalty that was used.
    public let lambda1: Double
    /// The number of steps taken.
    public let stepCount: Int
    /// The number of epochs: fewer than asked for where training stopped early.
    public let epochCount: Int
    /// The epoch with the best validation figures, whose weights are `best.safetensors`; nil without validation.
    public let best: BestEpoch?
    /// The masks that were gathered on the way; nil where none were asked for.
    public let collectedMasks: MaskMakingSummary?
    /// The means over the last epoch.
    public let lastEpoch: EpochRecord.Summary
    /// The wall time of the run.
    public let seconds: Double
}
