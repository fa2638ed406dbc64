public import RRExplanation
internal import RRFormats

/// Two models that were measured on the same samples, beside each other.
public struct RunComparison: Sendable {
    /// A sample that the models take for different classes.
    public struct Change: Equatable, Sendable {
        /// The sample's row in the dataset.
        public let index: Int
        /// The names of its class, and of those that it is taken for.
        public let label: String
        public let first: String
        public let second: String
    }

    /// How often both are right, each alone, and neither: first is the second model, so that a difference above 0 says that
    /// it is right more often.
    public let right: PairedProportions
    /// Whether that is more than chance.
    public let test: McNemarTest
    /// In the order of the dataset.
    public let changes: [Change]

    /// Compares two evaluations that kept their samples.
    ///
    /// Classes are compared by name, since two models may number them each by itself.
    ///
    /// - Throws: `TrainingError` with the code `unsuitableDataset` where they are not of the same samples.
    public init(_ first: Evaluation, _ second: Evaluation) throws(TrainingError) {
        guard let ones = first.samples, let others = second.samples, ones.map(\.index) == others.map(\.index)
        else {
            throw TrainingError(
                .unsuitableDataset, .file(""), "two evaluations are compared that are not of the same samples"
            )
        }
        var right = PairedProportions()
        var changes: [Change] = []
        for (one, other) in zip(ones, others) {
            right.add(other.isRight, one.isRight)
            let names = (first.className(of: one.prediction), second.className(of: other.prediction))
            guard names.0 != names.1 else { continue }
            changes.append(
                Change(
                    index: one.index, label: first.className(of: one.label), first: names.0, second: names.1))
        }
        self.right = right
        self.changes = changes
        test = McNemarTest(firstOnly: right.secondOnly, secondOnly: right.firstOnly)
    }
}
