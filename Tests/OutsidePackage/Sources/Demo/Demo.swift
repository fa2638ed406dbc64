import RRDatasets
import RRExplanation
import RRNetworks
import RRPreparation
import RRStreaming
import RRTraining

/// The job of `make demo` without the command line: from a folder of images to a model that is right for the right
/// reasons, and masks of what the other one looks at.
///
/// Run in a folder that has `fashion`, the images; `.ci/test-outside` compares what it leaves with what the commands
/// leave.
@main
enum Demo {
    static func main() throws {
        _ = try PNGFolderImport(folder: "fashion", output: "fashion.h5").run()

        var decoys = DecoyMaker(dataset: try Dataset(path: "fashion.h5"))
        decoys.randomSplit = "test"
        _ = try decoys.run(output: "decoy.h5", masksOutput: "masks.h5")

        let report = try ValidationReport(datasetPath: "decoy.h5", maskPaths: ["masks.h5"])
        guard report.isSound else { throw Unsound(findings: report.findings) }

        let dataset = try Dataset(path: "decoy.h5")
        let masks = try MaskSet(path: "masks.h5", for: dataset)
        let plain = try train(dataset, masks: nil, output: "plain")
        let right = try train(dataset, masks: masks, output: "right")
        for run in [plain, right] {
            let evaluation = try run.evaluate(dataset, masks: masks)
            print(evaluation.accuracy, evaluation.explanation?.gradientShare.insideMask ?? .nan)
        }

        _ = try MaskMaking(dataset: dataset, selection: .top(count: 16)).write(plain, to: "top16.h5")

        let options = StreamOptions(batchSize: 256, isShuffled: true, seed: 7)
        var sampleCount = 0
        let stream = try BatchStream(dataset: dataset, masks: masks, options: options)
        while let batch = try stream.next() { sampleCount += batch.count }
        print(sampleCount)
    }

    private static func train(_ dataset: Dataset, masks: MaskSet?, output: String) throws -> Run {
        var options = TrainingOptions(model: BuiltInModel.mlp.description(for: dataset))
        if masks != nil { options.loss.lambda1 = 1 }
        options.stream.batchSize = 32
        options.stream.epochs = 40
        _ = try TrainingLoop(dataset: dataset, masks: masks, options: options).run(output: output)
        return try Run(path: output)
    }

    struct Unsound: Error {
        let findings: [Finding]
    }
}
