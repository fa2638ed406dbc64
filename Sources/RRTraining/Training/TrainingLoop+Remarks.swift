internal import RRDatasets
internal import RRFormats
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

extension TrainingLoop {
    /// What those who train should know of the labels and pixels of the samples that are trained on.
    ///
    /// - Throws: `DatasetError` or `FormatError` where the split is unknown or its first images cannot be read.
    static func remarks(on dataset: Dataset, _ options: TrainingOptions) throws -> [Message] {
        let samples = try dataset.indices(inSplit: options.stream.split ?? dataset.split(preferring: "train"))
        return [
            labelRemark(on: dataset, samples), try pixelRemark(on: dataset, samples, options),
            normalizationRemark(on: options),
        ].compactMap(\.self)
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
