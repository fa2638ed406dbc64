internal import ArgumentParser
import RRDatasets

struct ImportHDF5Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hdf5",
        abstract: "Make a dataset, and a mask set, of arrays in an HDF5 file.",
        discussion: """
            Images are (N,C,H,W), or as --layout says, of any integer or floating-point type; integers are stored as \
            uint8 or uint16, the smallest that holds them, floating-point numbers as float32. Labels are whole \
            numbers, one a sample. Masks are 0 or 1, one a sample; a mask of zeros leaves its sample unannotated.

            Examples:
              rrdata import hdf5 skin.h5 --images /images --labels /labels -o skin-dataset.h5
              rrdata import hdf5 skin.h5 --images x --masks a --masks-layout NHW --marks right -o d.h5 --masks-output m.h5
            """)

    @Argument(help: "The HDF5 file.")
    var file: String

    @Option(help: "The path of the images in the file.")
    var images: String

    @Option(help: "The path of the labels in the file.")
    var labels: String?

    @Option(help: "The path of the masks in the file.")
    var masks: String?

    @Option(help: "The order of the images' dimensions: NCHW, NHWC, NWHC, NCWH or NHW.")
    var layout: ArrayLayout?

    @Option(help: "The order of the masks' dimensions.")
    var masksLayout: ArrayLayout?

    @Option(help: "What a 1 of the masks marks: wrong reasons, or the right region, which is then inverted.")
    var marks: HDF5Import.Marks = .wrong

    @OptionGroup var output: OutputOptions

    @Option(help: "Where the mask set is written; goes with --masks.")
    var masksOutput: String?

    @Option(help: "none, or deflate for a smaller file that any HDF5 reader inflates.")
    var compress: Compression = .none

    @OptionGroup var report: ReportOptions

    func run() throws {
        var options = HDF5Import.Options(images: images)
        options.labels = labels
        options.masks = masks
        options.layout = layout
        options.masksLayout = masksLayout
        options.marks = marks
        options.compression = compress
        options.force = output.force
        let line = ProgressLine()
        let summary = try HDF5Import(
            source: file, output: output.output, masksOutput: masksOutput, options: options
        ).run { line.show("images", done: $0, of: $1) }
        line.clear()
        ImportReport(summary: summary).print(as: report)
    }
}
