internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas

struct DecoyCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "decoy",
        abstract: "Plant a decoy in every image, and mark it in a mask set.",
        discussion: """
            A 4×4 patch in one of the four corners, drawn by two fair coins, has the value 255 - 25·label. In the \
            random split its value says nothing. A model that looks at it is right for the wrong reason.

            Example:
              rrdata decoy fashion.h5 -o decoy.h5 --masks-output masks.h5 --random-split test --seed 0
            """)

    @Argument(help: "The dataset, or a folder of PNG files, with uint8 images and at most 10 classes.")
    var dataset: String

    @OptionGroup var output: OutputOptions

    @Option(help: "Where the mask set is written.")
    var masksOutput: String

    @Option(help: "The split in which the patch's value is random.")
    var randomSplit: String?

    @Option(
        help: "Decides the corners and the random values; any number will do, and the same gives the same.")
    var seed: UInt64 = 0

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths(output)
        paths.read(dataset)
        paths.write(masksOutput, .masksOutput)
        return paths
    }

    func run() throws {
        let dataset = try folder.open(dataset)
        var maker = DecoyMaker(dataset: dataset)
        maker.randomSplit = randomSplit
        maker.seed = seed
        let summary = try ProgressLine.during("images") {
            try maker.run(
                output: output.output, masksOutput: masksOutput, force: output.force, progress: $0)
        }
        if report.json {
            Console.print(json: [
                "output": .string(output.output), "masks_output": .string(masksOutput),
                "samples": .integer(summary.sampleCount), "random": .integer(summary.randomCount),
                "fingerprint": .string(summary.fingerprint),
            ])
        } else {
            Console.print(
                "\(output.output): \(summary.sampleCount) images with a decoy, \(summary.randomCount) of them with a "
                    + "random value; \(masksOutput) marks the decoys")
        }
    }
}
