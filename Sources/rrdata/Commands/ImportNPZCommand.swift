internal import ArgumentParser
import RRPreparation

struct ImportNPZCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "npz",
        abstract: "Make a dataset, and a mask set, of the arrays in an NPZ file.",
        discussion: """
            Arrays with the names of MedMNIST's files (train_images, train_labels, and so on for val and test) or of \
            Keras's (x_train, y_train, …) become splits without any option, x_valid and X_dev as val; their images are \
            (N,H,W) or (N,H,W,C). Each array that is not taken is named. \
            Other arrays are named by --images, --labels and --masks; what they may hold is what \
            `rrdata import hdf5` takes.

            Examples:
              rrdata import npz pathmnist.npz -o path.h5
              rrdata import npz skin.npz --images x --labels y --masks a --flags has_mask -o d.h5 --masks-output m.h5
            """)

    @Argument(help: "The NPZ file.")
    var file: String

    @Option(help: "The name of the images in the file; may be repeated.")
    var images: [String] = []

    @Option(help: "The name of the labels in the file; may be repeated.")
    var labels: [String] = []

    @OptionGroup var arrays: MaskedArrayOptions

    var paths: CommandPaths { arrays.paths(files: [file], images: images, labels: labels) }

    func run() throws { try arrays.run(.npz, files: [file], images: images, labels: labels) }
}
