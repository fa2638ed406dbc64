internal import ArgumentParser
import RRDatasets
import RRPreparation

struct ExportWebDatasetCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "webdataset",
        abstract: "Write a dataset as tar shards that WebDataset reads.",
        discussion: """
            000000.tar, 000001.tar, … in a folder; a sample is KEY.png (KEY.npy where its image is float), KEY.cls \
            with its label, and with --masks KEY.mask.png. The key is the id, percent-encoded so that it has no \
            points and slashes; urllib.parse.unquote gives the id back. A shard holds samples of one split, which \
            export.json names.

            Example:
              rrdata export webdataset photos.h5 --masks masks.h5 --samples-per-shard 5000 -o shards
            """)

    @OptionGroup var export: ExportOptions

    @Option(
        help:
            "The number of samples in a shard; shards are shared among workers, so that there should be more of them than workers."
    )
    var samplesPerShard: Int = 1000

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    var paths: CommandPaths { export.paths(isFolder: true) }

    func validate() throws {
        guard samplesPerShard >= 1 else { throw ValidationError("--samples-per-shard must be 1 or more") }
    }

    func run() throws {
        var work = WebDatasetExport(source: try export.source(), output: export.output.output)
        work.samplesPerShard = samplesPerShard
        work.force = export.output.force
        if let threadCount = threads.jobs { work.threadCount = threadCount }
        try ProgressLine.during("samples") { try work.run(progress: $0) }.print(as: report)
    }
}
