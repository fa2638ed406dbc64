internal import ArgumentParser
import RRPreparation

struct ImportIDXCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "idx",
        abstract: "Make a dataset of IDX files, the format of MNIST.",
        discussion: """
            The files may be compressed by gzip, and one may come through standard input, as -. Several files of images follow one another, and so do those of \
            --labels.

            Examples:
              rrdata import idx train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz -o mnist.h5
            """)

    @Argument(help: "The files of images.")
    var images: [String]

    @Option(help: "A file of labels; may be repeated.")
    var labels: [String] = []

    @OptionGroup var arrays: ArrayOptions

    var paths: CommandPaths { arrays.paths(images: images, labels: labels) }

    func run() throws { try arrays.run(.idx, images: images, labels: labels) }

    func validate() throws {
        guard !images.isEmpty else { throw ValidationError("name the file of images") }
    }
}
