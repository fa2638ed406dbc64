/// Options that contradict each other, or a run that cannot go on or be read.
public struct TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// An option is out of range or does not go with another.
        case invalidOption
        /// The dataset lacks what training needs, or does not fit the model.
        case unsuitableDataset
        /// The loss is no longer a finite number.
        case diverged
        /// A folder is not a run, or one of its files is not what it should be.
        case malformedRun
    }

    public let code: Code
    /// The option, the file or the step.
    public let location: String
    /// What is wrong, and the remedy.
    public let message: String

    public init(_ code: Code, _ location: String, _ message: String) {
        self.code = code
        self.location = location
        self.message = message
    }

    /// A loss or weights that are no longer finite numbers, with what to try.
    ///
    /// - Parameter kept: where the last good weights are; nil where there are none yet.
    static func divergence(step: Int, _ what: String, kept: String? = nil) -> TrainingError {
        TrainingError(
            .diverged, "step \(step)",
            "\(what). \(kept ?? "There was no checkpoint yet.") Try a lower --learning-rate, --clip-norm 1, "
                + "--warmup-steps, a lower --lambda1 or --lambda1-warmup")
    }

    /// `--lambda1: is above 0, but …`
    public var description: String { "\(location): \(message)" }
}
