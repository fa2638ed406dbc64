internal import Glibc
internal import RRDatasets
internal import RRExplanation
public import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

extension TrainingLoop {
    /// What those who train should know of the labels and pixels of the samples that are trained on.
    ///
    /// - Throws: `DatasetError` or `FormatError` where the split is unknown or its first images cannot be read.
    static func remarks(
        on dataset: Dataset, _ options: TrainingOptions, masks: MaskSet?
    ) throws -> [Message] {
        let samples = try dataset.indices(inSplit: options.stream.split ?? dataset.split(preferring: "train"))
        return [
            labelRemark(on: dataset, samples), try pixelRemark(on: dataset, samples, options),
            normalizationRemark(on: options), masks.flatMap { _ in targetRemark(on: options) },
            masks.flatMap { maskRemark(on: $0, options) },
        ].compactMap(\.self)
    }

    /// What those who trained should know of the outcome; nil where there is nothing to say.
    ///
    /// A penalty can be met by a model that gives every sample the same answer. It is told by its cross-entropy, which comes
    /// within a tenth of that of the classes' shares.
    ///
    /// - Throws: `DatasetError` where the split is unknown.
    public func remark(on summary: TrainingSummary) throws -> Message? {
        guard
            options.loss.guidance == .rightReasons, summary.lastEpoch.penalty != nil,
            options.loss.classWeights == .equal, options.loss.groupStepSize == nil,
            options.loss.labelSmoothing == 0, let labels = dataset.labels
        else { return nil }
        let samples = try dataset.indices(
            inSplit: options.stream.split ?? dataset.split(preferring: "train"))
        let constant = ClassShares(of: samples.map { labels[$0] }).entropy
        guard constant > 0, summary.lastEpoch.crossEntropy >= 0.9 * constant else { return nil }
        return """
            the cross-entropy is hardly below \(Self.rounded(constant)), that of giving every sample the same answer: \
            the penalty is met by telling nothing apart. Try a lower \(option: .lambda1)
            """
    }

    /// The feature map that is held against the masks, where it is one.
    ///
    /// - Throws: `NetworkError`, or `TrainingError` with the code `invalidOption` where the network has no such layer.
    static func attributionNote(_ options: TrainingOptions) throws -> Message? {
        let attribution = options.loss.attribution
        guard attribution.method.hasLayer,
            let features = try attribution.attribution(in: Network<Float>(options.model)).features
        else { return nil }
        return
            "\(option: .attribution) \(attribution.method.rawValue) is of \(features.location), maps of \(features.shape)"
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    /// Two penalties can be met without looking elsewhere.
    private static func targetRemark(on options: TrainingOptions) -> Message? {
        guard options.loss.guidance == .rightReasons, options.loss.lambda1 != .value(0) else { return nil }
        switch options.loss.penaltyTarget {
        case .sumLogProbability where options.model.classCount == 2:
            return """
                with two classes the input gradient of sum-log-prob is 1 - 2p times that of the logits' difference, which \
                vanishes at p = 1/2 wherever the model looks: it can meet the penalty by being unsure. \
                \(option: .penaltyTarget) logit-jacobian does not vanish there
                """
        case .logitsSum:
            return """
                the cross-entropy does not depend on the sum of the logits, which a model can therefore keep still without \
                looking elsewhere: \(option: .penaltyTarget) logit-jacobian is about their differences
                """
        case .sumLogProbability, .label, .predicted, .logitJacobian: return nil
        }
    }

    /// What masks mark, and the way that fits it where another was chosen.
    private static func maskRemark(on masks: MaskSet, _ options: TrainingOptions) -> Message? {
        guard options.loss.lambda1 != .value(0), masks.annotatedCount > 0 else { return nil }
        let share = "\((100 * masks.meanCoverage).rounded())"
        switch (MaskExtent(meanShare: masks.meanCoverage), options.loss.guidance) {
        case (.regions, .rightReasons):
            return """
                the masks mark \(share) % of an image on average, as whole backgrounds do, and penalties of gradients fit local \
                artefacts: \(option: .guidance) augment with \(option: .counterexampleFill) swap, or \(option: .guidance) \
                consistency, shows the network other backgrounds instead
                """
        case (.local, .counterexamples(let changes)) where changes.fill == .swap:
            return """
                the masks mark \(share) % of an image on average, as artefacts do that look alike in every image, so that those of \
                other samples change little: \(option: .guidance) rrr fits these
                """
        default: return nil
        }
    }

    /// Frozen normalisations without statistics normalise nothing.
    private static func normalizationRemark(on options: TrainingOptions) -> Message? {
        func isThere(_ layers: [LayerDescription]) -> Bool {
            layers.contains { $0.name == "batchnorm2d" || $0.branches.contains(where: isThere) }
        }
        guard options.initialWeights == nil, isThere(options.model.layers) else { return nil }
        return """
            batchnorm2d keeps the statistics that it starts with, and without \(option: .initialWeights) these are means \
            of 0 and variances of 1: it normalises nothing
            """
    }

    private static func labelRemark(on dataset: Dataset, _ samples: [Int]) -> Message? {
        guard let labels = dataset.labels, let first = samples.first else { return nil }
        guard samples.contains(where: { labels[$0] != labels[first] }) else {
            let name = dataset.classNames.map { "“\($0[labels[first]])”" } ?? "label \(labels[first])"
            return Message(
                "all \(samples.count) samples that are trained on are of one class (\(name)): there is nothing to tell "
                    + "apart")
        }
        guard dataset.classNames == nil, let least = labels.min(), least > 0 else { return nil }
        return Message(
            "the smallest label is \(least), where labels count from 0: no sample is of the classes below it")
    }

    /// Networks take floating-point images as they are, and learn badly of numbers far from 0. A few samples show it.
    private static func pixelRemark(
        on dataset: Dataset, _ samples: [Int], _ options: TrainingOptions
    ) throws -> Message? {
        guard dataset.elementType == .float32, options.normalization == .none else { return nil }
        let looked = stride(from: 0, to: samples.count, by: max(1, samples.count / 32)).map { samples[$0] }
        var image = [Float](repeating: 0, count: dataset.imageShape.elementCount)
        let reader = try ImageReader(dataset, cache: nil)
        var largest: Float = 0
        for sample in looked {
            try image.withUnsafeMutableBufferPointer { buffer in
                try reader.readImage(at: sample, into: .floats(buffer))
                for pixel in buffer { largest = max(largest, pixel.magnitude) }
            }
        }
        guard largest > 10 else { return nil }
        return """
            the images are floating-point numbers as far from 0 as \(largest), and reach the network as they are: give \
            \(option: .normalization), or divide them, by 255 where they are bytes
            """
    }
}

/// How samples are spread over classes, which is what a model knows that tells nothing apart.
struct ClassShares {
    /// Its least cross-entropy.
    let entropy: Double
    /// Its largest accuracy.
    let largest: Double

    init(of labels: [Int]) {
        let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
        let shares = counts.sorted { $0.key < $1.key }.map { Double($0.value) / Double(labels.count) }
        entropy = shares.reduce(0) { $0 - $1 * log($1) }
        largest = shares.max() ?? 0
    }
}
