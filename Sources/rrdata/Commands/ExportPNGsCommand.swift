internal import ArgumentParser
import RRDatasets
import RRPreparation

struct ExportPNGsCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "pngs",
        abstract: "Write a dataset as a folder of PNG files.",
        discussion: """
            `rrdata import pngs` of the folder gives the same dataset back: each file is named by its sample's id, \
            and where folders do not say it all, metadata.csv has labels, splits and groups. uint8 becomes 8-bit and uint16 \
            16-bit PNG. Masks become 1-bit PNG of the same names, white where a 1 was, in a folder of their own; a \
            sample without a mask has none there. A mask that differs from channel to channel is an error.

            Examples:
              rrdata export pngs photos.h5 -o photos
              rrdata export pngs photos.h5 --masks masks.h5 --split train -o photos --masks-output marks
            """)

    @OptionGroup var export: ExportOptions

    @Option(help: "The folder for the masks; the output's name and -masks by default.")
    var masksOutput: String?

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = export.paths(isFolder: true)
        if export.masks != nil {
            paths.write(
                masksOutput ?? PNGFolderExport.masksPath(beside: export.output.output), .masksOutput,
                isFolder: true)
        }
        return paths
    }

    func validate() throws {
        guard masksOutput == nil || export.masks != nil else {
            throw ValidationError("--masks-output needs --masks")
        }
    }

    func run() throws {
        var work = PNGFolderExport(source: try export.source(), output: export.output.output)
        work.masksOutput = masksOutput
        work.force = export.output.force
        if let threadCount = threads.jobs { work.threadCount = threadCount }
        try ProgressLine.during("files") { try work.run(progress: $0) }.print(as: report)
    }
}
