import RRDatasets
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

/// A dataset of two classes that any model can tell apart, with a mask over the left half for some samples.
struct TwoShades {
    let folder: TemporaryFolder
    let dataset: Dataset
    let masks: MaskSet
    let model: ModelDescription

    static let sampleCount = 48

    init(isLabelled: Bool = true, seed: UInt64 = 1) throws {
        folder = try TemporaryFolder()
        let shape = try ImageShape(channels: 1, height: 4, width: 4)
        let writer = try DatasetWriter(
            path: folder.path("d.h5"), force: false, sampleCount: Self.sampleCount, imageShape: shape,
            elementType: .uint8, color: "gray", compression: .none)
        var generator = SplitMix64(seed: seed)
        for index in 0..<Self.sampleCount {
            let pixels = (0..<16).map { _ in UInt8(index % 2 * 150) + UInt8(generator.next() % 100) }
            try pixels.withUnsafeBytes {
                try writer.write(images: $0, rows: index..<index + 1, checksums: [CRC32.checksum(of: $0)])
            }
        }
        _ = try writer.complete(
            SampleTable(
                ids: (0..<Self.sampleCount).map(String.init),
                labels: isLabelled ? (0..<Self.sampleCount).map { $0 % 2 } : nil), provenance: [:])
        try writer.commit()
        dataset = try Dataset(path: folder.path("d.h5"))
        var bits = try MaskBits(rowCount: 2, elementsPerRow: 16)
        for position in 0..<16 where position % 4 < 2 { bits[0, position] = true }
        masks = try MaskSet(
            bits: bits, rows: (0..<Self.sampleCount).map { $0 % 3 == 0 ? 0 : 1 }, maskShape: shape,
            datasetFingerprint: dataset.fingerprint)
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
