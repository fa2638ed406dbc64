internal import ArgumentParser
import RRPreparation

struct ExportNPYCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "npy",
        abstract: "Write a dataset as NumPy arrays in a folder.",
        discussion: """
            images.npy in the stored type, ids.npy as text, and as far as there are any labels.npy, splits.npy, groups.npy and \
            masks.npy (uint8, a row a sample, 0 where there is no mask). row.npy says which of the M \
            masks a sample has, M for none. export.json has the names of classes, splits and groups.

            `rrdata import npy FOLDER -o D.h5 --masks-output M.h5` gives the same files back, byte for byte.

            Example:
              rrdata export npy photos.h5 --masks masks.h5 --layout NHWC -o arrays
            """)

    @OptionGroup var export: ArrayExportOptions

    var paths: CommandPaths { export.export.paths(isFolder: true) }

    func run() throws { try export.run(.npy) }
}
