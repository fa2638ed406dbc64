internal import ArgumentParser
import RRPreparation

struct ImportNPYCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "npy",
        abstract: "Make a dataset, and a mask set, of arrays in NPY files.",
        discussion: """
            Every array is a file as numpy.save writes it, in C or Fortran order; what it may hold is what \
            `rrdata import hdf5` takes. Several files of images follow one another, and so do those of --labels and \
            --masks.

            One array may come through standard input, as -.

            A folder of `rrdata export npy` is imported by its name: images, labels, class names, ids, splits and masks \
            come back as they were exported, and options name others.

            Examples:
              rrdata import npy x.npy --labels y.npy --layout NHWC -o d.h5
              rrdata import npy arrays -o d.h5 --masks-output m.h5
              rrdata import npy x.npy --masks a.npy --rows annotated.npy --marks right -o d.h5 --masks-output m.h5
            """)

    @Argument(help: "The files of images, or the folder of an export.")
    var images: [String]

    @Option(help: "A file of labels; may be repeated.")
    var labels: [String] = []

    @Flag(
        help:
            "Follow symbolic links in the folder of an export, and what HDF5 files name, wherever they lead.")
    var trustLinks = false

    @OptionGroup var arrays: MaskedArrayOptions

    var paths: CommandPaths { arrays.paths(images: images, labels: labels) }

    func run() throws { try arrays.run(.npy, images: images, labels: labels, trustsLinks: trustLinks) }

    func validate() throws {
        guard !images.isEmpty else { throw ValidationError("name the file of images") }
    }
}
