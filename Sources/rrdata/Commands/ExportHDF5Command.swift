internal import ArgumentParser
import RRDatasets
import RRPreparation

struct ExportHDF5Command: ParsableCommand {
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

    @OptionGroup var export: ExportOptions

    @Option(help: "The order of the dimensions of images and masks: NCHW or NHWC.")
    var layout: ExportLayout = .nchw

    @OptionGroup var report: ReportOptions

    func run() throws {
        var work = HDF5Export(source: try export.source(), output: export.output.output)
        work.layout = layout
        work.force = export.output.force
        let line = ProgressLine()
        let summary = try work.run { line.show("samples", done: $0, of: $1) }
        line.clear()
        summary.print(as: report)
    }
}
