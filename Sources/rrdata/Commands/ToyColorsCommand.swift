internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas

struct ToyColorsCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "toy-colors",
        abstract: "Make the toy colours: images that two rules tell apart, and a mask set for each rule.",
        discussion: """
            The toy colours of Ross, Hughes and Doshi-Velez (2017): 5×5 pixels, each of one of four colours. In \
            class 1 (both) the four corners have the same colour, and the three pixels at the top between them \
            have different ones; in class 0 (neither) neither holds. Which of the two rules does a model use? \
            Trained with the corners as A, it must use the other.

            Examples:
              rrdata toy-colors -o toy.h5 --corner-masks-output corners.h5 --top-masks-output top.h5
              rrdata train toy.h5 --masks corners.h5 --lambda1 1000 --model mlp -o other-rule
            """)

    @OptionGroup var output: OutputOptions

    @Option(help: "Where the mask set is written that marks the four corners.")
    var cornerMasksOutput: String

    @Option(help: "Where the mask set is written that marks the three pixels at the top.")
    var topMasksOutput: String

    @Option(help: "The number of samples in the split train; 20,000 as in the paper's code.")
    var train = 20_000

    @Option(help: "The number of samples in the split test; 20,000 as in train.")
    var test = 20_000

    @Option(help: "Decides the images; any number will do, and the same gives the same.")
    var seed: UInt64 = 0

    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output)
        paths.write(cornerMasksOutput, .cornerMasksOutput)
        paths.write(topMasksOutput, .topMasksOutput)
        return paths
    }

    func run() throws {
        var maker = ToyColorsMaker()
        maker.trainCount = train
        maker.testCount = test
        maker.seed = seed
        let summary = try maker.run(
            ToyColorsMaker.Outputs(
                dataset: output.output, cornerMasks: cornerMasksOutput, topMasks: topMasksOutput),
            force: output.force)
        if report.json {
            Console.print(json: [
                "output": .string(output.output), "corner_masks_output": .string(cornerMasksOutput),
                "top_masks_output": .string(topMasksOutput), "samples": .integer(summary.sampleCount),
                "both_rules": .integer(summary.bothRulesCount), "fingerprint": .string(summary.fingerprint),
            ])
        } else {
            Console.print(
                "\(output.output): \(train) images to train on and \(test) to test on, "
                    + "\(summary.bothRulesCount) of them by both rules; \(cornerMasksOutput) marks the corners, "
                    + "\(topMasksOutput) the top")
        }
    }
}
