import RRDatasets
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

/// A dataset of two classes that any model can tell apart, with a mask over the left half for some samples, and three groups.
struct TwoShades {
    let folder: TemporaryFolder
    let dataset: Dataset
    let masks: MaskSet
    let model: ModelDescription

    static let sampleCount = 48
    /// 40, 6 and 2 samples.
    static let groups = (0..<sampleCount).map { $0 < 40 ? 0 : $0 < 46 ? 1 : 2 }

    /// - Parameters:
    ///   - stride: every sample whose number is a multiple of it is annotated.
    ///   - groupedByLabel: whether groups are the classes.
    ///   - marked: the pixels that its mask marks; nil for two of four columns.
    init(
        isLabelled: Bool = true, isGrouped: Bool = true, seed: UInt64 = 1, annotatedEvery stride: Int = 3,
        marking marked: Range<Int>? = nil, groupedByLabel: Bool = false
    ) throws {
        folder = try TemporaryFolder()
        let shape = try ImageShape(channels: 1, height: 4, width: 4)
        var generator = SplitMix64(seed: seed)
        let images = (0..<Self.sampleCount).map { index in
            (0..<16).map { _ in UInt8(index % 2 * 150) + UInt8(generator.next() % 100) }
        }
        var sample = try SampleDataset(folder, images: images, of: shape)
        sample.color = "gray"
        sample.labels = isLabelled ? (0..<Self.sampleCount).map { $0 % 2 } : nil
        sample.groups =
            isGrouped
            ? SampleGroups(
                numbers: groupedByLabel ? (0..<Self.sampleCount).map { $0 % 2 } : Self.groups, names: nil)
            : nil
        sample.maskBits = try MaskBits(rowCount: 2, elementsPerRow: 16)
        for position in 0..<16 where marked?.contains(position) ?? (position % 4 < 2) {
            sample.maskBits[0, position] = true
        }
        sample.maskRows = (0..<Self.sampleCount).map { $0 % stride == 0 ? 0 : 1 }
        dataset = try sample.dataset()
        masks = try sample.masks(dataset.fingerprint)
        model = BuiltInModel.mlp.description(input: shape, classCount: 2)
    }

    var options: TrainingOptions {
        var options = TrainingOptions(model: model, loss: LossOptions(lambda1: .value(1)))
        options.stream.batchSize = 8
        options.stream.epochs = 5
        options.optimization.learningRate = 0.01
        return options
    }

    func train(_ options: TrainingOptions, output: String = "run") throws -> TrainingSummary {
        try TrainingLoop(dataset: dataset, masks: masks, options: options)
            .run(output: folder.path(output), force: true) { _ in }
    }
}

/// A change to options, and the option of the command line that names it.
struct OptionChange: Sendable, CustomTestStringConvertible {
    let name: String
    let apply: @Sendable (inout TrainingOptions) -> Void

    init(_ name: String, _ apply: @escaping @Sendable (inout TrainingOptions) -> Void) {
        self.name = name
        self.apply = apply
    }

    var testDescription: String { name }
}
