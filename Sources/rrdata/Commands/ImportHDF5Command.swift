internal import ArgumentParser
import RRPreparation

struct ImportHDF5Command: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "hdf5",
        abstract: "Make a dataset, and a mask set, of arrays in HDF5 files.",
        discussion: """
            Images are (N,C,H,W), or as --layout or --shape says, of any integer or floating-point type; integers are \
            stored as uint8 or uint16, the smallest that holds them, floating-point numbers as float32. Labels are \
            whole numbers or class names, one a sample, or (N,K) with a single 1 in each row. Masks are 0 or 1, one \
            an image, or fewer with --rows, --ids or --flags; a mask of zeros leaves its sample unannotated.

            --images, --labels and --masks may be repeated, and there may be several files: their arrays follow one \
            another, those of the first file first. Files and plugins that a file names are opened with --trust-links \
            only.

            Labels may be in a file of their own: --labels labels.h5:/y. Arrays named x_train and y_train, test/images and \
            the like become splits where no --images is given, and each array that is not taken is named. Images may be \
            PNG files, a sequence of bytes each.

            A file of `rrdata export hdf5` needs no names: images, labels, class names, ids, splits and masks come back \
            as they were exported, and options name others.

            Examples:
              rrdata import hdf5 skin.h5 --images /images --labels /labels -o skin-dataset.h5
              rrdata import hdf5 skin.h5 --images x --masks a --masks-layout NHW --marks right -o d.h5 --masks-output m.h5
              rrdata import hdf5 skin.h5 --images x --labels y --masks a --flags has_mask -o d.h5 --masks-output m.h5
              rrdata import hdf5 batch1.h5 batch2.h5 --images data --shape 3x32x32 --labels labels -o cifar.h5
              rrdata import hdf5 export.h5 -o d.h5 --masks-output m.h5
            """)

    @Argument(help: "The HDF5 files.")
    var files: [String]

    @Option(help: "The path of the images in the file; may be repeated. Of an export of ours it is known.")
    var images: [String] = []

    @Option(help: "The path of the labels in the file; may be repeated.")
    var labels: [String] = []

    @Flag(help: "Open other files and load filter plugins that a file names.")
    var trustLinks = false

    @OptionGroup var arrays: MaskedArrayOptions

    var paths: CommandPaths { arrays.paths(files: files, images: images, labels: labels) }

    func run() throws {
        try arrays.run(.hdf5, files: files, images: images, labels: labels, trustsLinks: trustLinks)
    }

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("name the HDF5 file") }
    }
}
