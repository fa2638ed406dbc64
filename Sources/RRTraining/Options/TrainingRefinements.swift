internal import RRFormats
internal import RRNetworks

/// What training may have beyond a loss and an optimiser; the default is none of it.
public struct TrainingRefinements: Sendable {
    /// How the learning rate goes; nil for the optimiser's throughout.
    public var schedule: LearningRateSchedule?
    /// The largest Euclidean norm of the gradient, which is scaled down to it; nil for any.
    public var largestNorm: Double?
    /// The weight of each class in the cross-entropy; nil where all are alike.
    public var classWeights: [Double]?
    /// ε: how much of each label is spread over all classes, from 0 to 1.
    public var labelSmoothing = 0.0
    /// The first steps, over which λ1 rises in a straight line from 0.
    public var lambda1WarmupSteps = 0
    /// The layers whose parameters stay as they are, by the beginnings of their names: `0`, `3.body`.
    public var frozenLayers: [String] = []

    public init() {}

    /// - Throws: `TrainingError` with the code `invalidOption`, naming the option.
    func check(classCount: Int) throws(TrainingError) {
        if let largestNorm, !(largestNorm > 0 && largestNorm.isFinite) {
            throw TrainingError(.invalidOption, .option(.largestNorm), "must be a number above 0")
        }
        guard labelSmoothing >= 0, labelSmoothing <= 1 else {
            throw TrainingError(.invalidOption, .option(.labelSmoothing), "must be from 0 to 1")
        }
        guard lambda1WarmupSteps >= 0 else {
            throw TrainingError(.invalidOption, .option(.lambda1WarmupSteps), "must be at least 0 steps")
        }
        if let classWeights {
            guard classWeights.count == classCount else {
                throw TrainingError(
                    .invalidOption, .option(.classWeights),
                    "has \(classWeights.count) weights, but the model has \(classCount) classes")
            }
            guard classWeights.allSatisfy({ $0 >= 0 && $0.isFinite }),
                classWeights.contains(where: { $0 > 0 })
            else {
                throw TrainingError(
                    .invalidOption, .option(.classWeights),
                    "must be numbers of at least 0, and not all of them 0")
            }
        }
    }

    /// λ1 in a step, from 0.
    func lambda1(_ lambda1: Double, step: Int) -> Double {
        step < lambda1WarmupSteps ? lambda1 * Double(step) / Double(lambda1WarmupSteps) : lambda1
    }

    /// The parameters that training moves, in as few ranges as they make.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption` where a name is of no layer, or nothing is left.
    func trainedRanges(of layout: ParameterLayout) throws(TrainingError) -> [Range<Int>] {
        func isIn(_ layer: String, _ name: String) -> Bool { name == layer || name.hasPrefix(layer + ".") }
        for layer in frozenLayers where !layout.entries.contains(where: { isIn(layer, $0.name) }) {
            throw TrainingError(
                .invalidOption, .option(.frozenLayers),
                "“\(layer)” is no layer of this model with weights, which has "
                    + layout.entries.map(\.name).joined(separator: ", "))
        }
        let ranges = layout.trainedRanges { name in frozenLayers.contains { isIn($0, name) } }
        guard !ranges.isEmpty || frozenLayers.isEmpty else {
            throw TrainingError(.invalidOption, .option(.frozenLayers), "leaves nothing to train")
        }
        return ranges
    }
}
