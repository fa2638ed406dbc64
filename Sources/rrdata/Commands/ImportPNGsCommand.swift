internal import ArgumentParser
import RRDatasets

struct ImportPNGsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pngs",
        abstract: "Make a dataset of a folder of PNG files.",
        discussion: """
            Folders on the first level are classes, in the order of their names; or they are train, val and test, \
            with the classes within. 8- and 16-bit gray, gray with alpha, RGB and RGBA files are taken as they are. \
            All files must agree in size and kind.

            Examples:
              rrdata import pngs photos -o photos.h5
              rrdata import pngs unsorted --labels none --on-error skip -o unsorted.h5
            """)

    @Argument(help: "The folder.")
    var folder: String

    @OptionGroup var output: OutputOptions

    @Option(help: "folders for a class a folder, none for images without labels.")
    var labels: PNGFolderImport.Labels = .folders

    @Option(help: "What a file that cannot be decoded leads to: stop, or skip it and say so.")
    var onError: PNGFolderImport.ErrorPolicy = .stop

    @Option(help: "none, or deflate for a smaller file that any HDF5 reader inflates.")
    var compress: Compression = .none

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
        var options = PNGFolderImport.Options()
        options.labels = labels
        options.onError = onError
        options.compression = compress
        options.force = output.force
        if let jobs = threads.jobs { options.jobs = jobs }
        let line = ProgressLine()
        let summary = try PNGFolderImport(folder: folder, output: output.output, options: options).run {
            line.show("images", done: $0, of: $1)
        }
        line.clear()
        ImportReport(summary: summary).print(as: report)
    }
}
