internal import ArgumentParser
import RRPreparation

struct ExportHDF5Command: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "hdf5",
        abstract: "Write a dataset as plain arrays of an HDF5 file.",
        discussion: """
            /images in the stored type, /ids as text, and as far as there are any /labels, /split, /group and /masks (uint8, \
            a row a sample, 0 where there is no mask), with class_names, split_names and group_names as attributes. /row says which \
            of the M masks a sample has, M for none.

            `rrdata import hdf5 FILE -o D.h5 --masks-output M.h5` gives the same files back, byte for byte.

            Example:
              rrdata export hdf5 photos.h5 --masks masks.h5 --layout NHWC -o arrays.h5
            """)

    @OptionGroup var export: ArrayExportOptions

    var paths: CommandPaths { export.export.paths(isFolder: false) }

    func run() throws { try export.run(.hdf5) }
}
