public import RRDatasets
public import RRExplanation
internal import RRFormats

/// How the explanations of an evaluation are measured.
public struct ExplanationMeasurement: Sendable {
    /// The quantity whose input gradient is measured.
    public var target: PenaltyTarget = .sumLogProbability
    /// The k of the top-k intersection; nil for as many elements as each sample's mask marks.
    public var topCount: Int?
    /// Decides the values that the pixels in A are randomised to, and the donors of the swap test.
    public var seed: UInt64 = 0
    /// Whether regions are swapped between samples, which takes four more predictions for each annotated sample.
    public var hasSwapTest: Bool = true
    /// What stands for the place that a sample shows inside A; nil for its group where the dataset has groups, else its class.
    public var swapPlace: SwapPlace?

    public init() {}

    /// What stands for places in a dataset.
    ///
    /// - Throws: `TrainingError` with the code `unsuitableDataset` where groups are asked for and there are none.
    public func place(in dataset: Dataset) throws(TrainingError) -> SwapPlace {
        if swapPlace == .group, dataset.groups == nil {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path),
                "has no groups to stand for places: leave \(option: .swapPlace) to the classes, or import groups"
            )
        }
        return swapPlace ?? (dataset.groups == nil ? .class : .group)
    }
}
