internal import Glibc
public import RRDatasets
public import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
public import RRTensor

/// What a model takes a sample for, and what it looks at in it.
public struct SampleAttribution: Sendable {
    /// The sample's row in the dataset.
    public let index: Int
    /// The class with the largest logit, as the model numbers its classes.
    public let prediction: Int
    /// Softmax of the logits, one a class.
    public let probabilities: [Double]
    /// The shape `(C, H, W)` of the image as the model sees it: of a run that resizes and crops, another than the dataset's.
    public let imageShape: ImageShape
    /// The image as it is before it is scaled for the network, `(C, H, W)`.
    public let image: [Float]
    /// `(H, W)`: Σ over the channels of |input gradient|; 0 where it is not finite.
    public let magnitudes: [Float]
    /// `(H, W)`: 1 where A marks any channel; nil for a sample without a mask.
    public let mask: [UInt8]?
}

extension Run {
    /// What the model takes samples for and looks at in them.
    ///
    /// - Parameters:
    ///   - dataset: images, with or without labels.
    ///   - masks: the masks of the dataset; nil for none.
    ///   - samples: rows of the dataset, none twice.
    ///   - target: the quantity whose input gradient is taken; `label` needs labels.
    ///   - threadCount: the number of threads; nil for one a processor core.
    /// - Returns: as `samples` are ordered.
    /// - Throws: `DatasetError` where a sample is damaged; `TrainingError` where the target needs labels that there are not;
    ///   `ExplanationError` where images do not fit the model; `FormatError` where weights cannot be read.
    public func attributions(
        of samples: [Int], in dataset: Dataset, masks: MaskSet? = nil,
        target: PenaltyTarget = .sumLogProbability, threadCount: Int? = nil
    ) throws -> [SampleAttribution] {
        if target == .label, dataset.labels == nil {
            throw TrainingError(
                .unsuitableDataset, .file(dataset.path), "has no labels, which \(option: .target) label needs"
            )
        }
        try dataset.check(samples)
        guard !samples.isEmpty else { return [] }
        let dataset = target == .label ? try matching(dataset).dataset : dataset
        func compute<Scalar: NetworkScalar>(_: Scalar.Type) throws -> [SampleAttribution] {
            let network = try Network<Scalar>(model)
            try network.checkMemory()
            let attributions = Attributions(
                try parameters(of: network),
                InputGradients(network: network, target: target, threadCount: threadCount))
            return try attributions.compute(samples, in: dataset, masks: masks, run: self)
        }
        return switch precision ?? .float {
        case .float: try compute(Float.self)
        case .double: try compute(Double.self)
        }
    }

    /// What the model calls a class, as far as anybody says; its digits where nobody does.
    ///
    /// - Parameters:
    ///   - prediction: the class by its number.
    ///   - dataset: whose names are taken where the run names none and has as many classes.
    public func className(of prediction: Int, in dataset: Dataset) -> String {
        let names: [String]? =
            if case .known(let known) = classNames { known } else {
                dataset.classCount == model.classCount ? dataset.classNames : nil
            }
        guard let names, names.indices.contains(prediction) else { return String(prediction) }
        return names[prediction]
    }
}

/// Computes attributions batch by batch.
private struct Attributions<Scalar: NetworkScalar> {
    private let parameters: Parameters<Scalar>
    private let explainer: InputGradients<Scalar>

    init(_ parameters: Parameters<Scalar>, _ explainer: InputGradients<Scalar>) {
        self.parameters = parameters
        self.explainer = explainer
    }

    func compute(
        _ samples: [Int], in dataset: Dataset, masks: MaskSet?, run: Run
    ) throws -> [SampleAttribution] {
        let ids = try dataset.ids()
        var options = StreamOptions(
            batchSize: min(samples.count, Evaluation.batchSize(for: run.model.input)), split: "all")
        options.ids = samples.map { ids[$0] }
        options.resizeCrop = run.resizeCrop
        let stream = try BatchStream(dataset: dataset, masks: masks, options: options)
        var found: [Int: SampleAttribution] = [:]
        while let batch = try stream.next() {
            let hasLabels = explainer.target == .label
            let labelled = try LabelledBatch(
                imageShape: batch.imageShape,
                images: run.normalization?.scaled(batch.images, pixelCount: batch.imageShape.pixelCount)
                    ?? batch.images,
                labels: hasLabels
                    ? batch.labels : SharedElements(repeatElement(Int64(0), count: batch.count)),
                indices: batch.indices)
            for attribution in try compute(labelled, of: batch) { found[attribution.index] = attribution }
        }
        return samples.compactMap { found[$0] }
    }

    private func compute(_ labelled: LabelledBatch, of batch: Batch) throws -> [SampleAttribution] {
        let (shape, classCount) = (batch.imageShape, explainer.network.model.classCount)
        let (logits, gradients) = try explainer.compute(labelled, at: parameters)
        return (0..<batch.count).map { position in
            let elements = position * shape.elementCount..<(position + 1) * shape.elementCount
            var magnitudes = Array(repeating: Float(0), count: shape.pixelCount)
            for (place, gradient) in gradients[elements].enumerated() where gradient.isFinite {
                magnitudes[place % shape.pixelCount] += abs(Float(gradient))
            }
            var mask: [UInt8]?
            if batch.annotated[position] {
                var union = Array(repeating: UInt8(0), count: shape.pixelCount)
                for (place, element) in elements.enumerated() where batch.masks[element] != 0 {
                    union[place % shape.pixelCount] = 1
                }
                mask = union
            }
            let softmax = Self.softmax(logits[position * classCount..<(position + 1) * classCount])
            return SampleAttribution(
                index: Int(batch.indices[position]), prediction: softmax.prediction,
                probabilities: softmax.probabilities, imageShape: shape,
                image: elements.map { batch.images[$0] }, magnitudes: magnitudes, mask: mask)
        }
    }

    /// Softmax of some logits, and the first of the largest.
    private static func softmax(_ logits: ArraySlice<Scalar>) -> (prediction: Int, probabilities: [Double]) {
        let values = logits.map { Double($0) }
        let largest = values.max() ?? 0
        let exponentials = values.map { exp($0 - largest) }
        let sum = exponentials.reduce(0, +)
        return (values.firstIndex(of: largest) ?? 0, exponentials.map { $0 / sum })
    }
}
