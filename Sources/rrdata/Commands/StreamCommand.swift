internal import ArgumentParser
import RRDatasets
import RRFormats
import RRPreparation
import RRReports
import RRSchemas
import RRStreaming

struct StreamCommand: PathCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Stream batches of images, labels, indices and masks.",
        discussion: """
            npy writes four NPY arrays a batch, one after another, on standard output: images float32 \
            (B,C,H,W), labels int64 (B; -1 where absent), index int64 (B), masks uint8 (B,C,H,W; 0 where \
            absent). The README shows how Python reads them. webdataset writes a tar archive of four members a \
            sample: image.npy, mask.npy, cls and index. null reads everything and tells how fast.

            The file must not be written to meanwhile: that is an error.

            A folder of PNG files is streamed as its import would be, without one: the same samples, labels and order, \
            and all that says how a folder is read as import pngs has it. Images are decoded as \
            they are wanted, and kept while --memory has room for them. --masks and --cursor go by the fingerprint \
            of the pixels, for which all images are decoded once before the first batch.

            --cursor keeps the place in a small JSON file. It is written as batches leave the pipe, at most every \
            50 ms, so all that comes before it was read from the pipe; the same command goes on from there. With \
            ranks, give each a file of its own; they may be resumed, all from a copy of one file, with another \
            --world. What is left at an epoch's end is padded to the same size for every rank: index -1, label -1, \
            image and mask zero.

            --balance and --annotated-fraction draw samples, so an epoch may have some twice and others not; over \
            many epochs all have their turn. Both need --shuffle.

            Examples:
              rrdata stream photos --size 224x224 --fit crop --color rgb --batch-size 32 --shuffle --format npy | python train.py
              rrdata stream decoy.h5 --masks masks.h5 --batch-size 256 --shuffle --seed 7 --format npy | python train.py
              rrdata stream decoy.h5 --batch-size 256 --shuffle --raw --format webdataset > decoy.tar
              rrdata stream decoy.h5 --batch-size 256 --shuffle --format null
              rrdata stream decoy.h5 --batch-size 256 --shuffle --epochs 9 --cursor c.json --format npy | python train.py
              rrdata stream decoy.h5 --batch-size 64 --shuffle --rank 1 --world 4 --augment hflip,crop:4 --format npy
            """)

    enum Format: String, ExpressibleByArgument {
        case npy, webdataset, null
    }

    @Argument(help: "The dataset, or a folder of PNG files; several are streamed as one.")
    var dataset: [String]

    @Option(help: "The mask set of the dataset; of several files each may have one, given by --masks each.")
    var masks: [String] = []

    @Option(help: "The number of samples in a batch.")
    var batchSize: Int

    @Flag(help: "Visit the samples in a random order, another one each epoch.")
    var shuffle = false

    @Option(help: "Decides the order; any number will do, and the same gives the same.")
    var seed: UInt64 = 0

    @Option(help: "The number of passes over the samples; one shows each once.")
    var epochs = 1

    @Option(help: "The split to stream, or all; train where the dataset has splits, else all.")
    var split: String?

    @Flag(help: "Leave out the last batch of an epoch where it is smaller than the others.")
    var dropLast = false

    @OptionGroup var samples: SampleOptions

    @OptionGroup(title: "How a folder of PNG files is read") var folder: FolderOptions

    @Option(help: "A file that keeps the place in the stream, to go on from; it is replaced without --force.")
    var cursor: String?

    @Option(help: "npy, webdataset or null.")
    var format: Format

    @Flag(help: "Give images as they are stored, not as float32.")
    var raw = false

    @Option(
        help:
            "The memory for batches and kept images, as 512M or 4G; by default an eighth of the machine's, which leaves the rest to who trains."
    )
    var memory: MemorySize?

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var durability: DurabilityOptions

    @OptionGroup var report: ReportOptions

    var paths: CommandPaths {
        var paths = CommandPaths()
        for path in dataset { paths.read(path) }
        for path in masks { paths.read(path, option: .masks) }
        paths.read(samples.ids, option: .ids)
        paths.read(folder.metadata, option: .metadata)
        paths.write(cursor, .cursor, isAlwaysReplaced: true)
        return paths
    }

    func validate() throws {
        guard batchSize >= 1 else { throw ValidationError("--batch-size must be at least 1") }
        guard epochs >= 1 else { throw ValidationError("--epochs must be at least 1") }
        guard samples.augment == nil || !raw else {
            throw ValidationError("--augment changes float32 images, and --raw gives them as they are stored")
        }
        guard samples.resizeCrop == nil || !raw else {
            throw ValidationError("--resize-crop changes images, and --raw gives them as they are stored")
        }
        guard !report.json || format == .null else {
            throw ValidationError(
                "--json does not go with --format \(format), which has standard output to itself")
        }
    }

    func run() throws {
        let dataset = try folder.open(dataset)
        if dataset.readsFolder { Console.note(dataset.labelRemarks) }
        if !masks.isEmpty || cursor != nil { try dataset.prepareFingerprint() }
        let masks = try MaskSet.joining(masks, for: dataset)
        let clock = ContinuousClock()
        let start = clock.now
        var options = StreamOptions(
            batchSize: batchSize, isShuffled: shuffle, seed: seed, epochs: epochs, split: split,
            dropsLast: dropLast)
        try samples.apply(to: &options)
        let file = try cursor.map {
            try CursorFile(path: $0, dataset: dataset, masks: masks, options: options)
        }
        let place = try file?.read()
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: options, from: place ?? .beginning,
            resources: StreamResources(memory: memory?.bytes, threadCount: threads.jobs),
            givesStoredImages: raw)
        if let masks, !stream.hasAnnotation {
            // Whoever reads it trains on masks that are all zero.
            Console.note(
                "\(masks.missingAnnotation(inSplit: stream.split)), so every mask of this stream is zero")
        }
        var keeper = try file.map {
            try CursorKeeper($0, isNew: place == nil, writesBatches: format != .null)
        }
        var sampleCount = 0
        var batchCount = 0
        let storedType = raw ? dataset.elementType : nil
        var writer = NPYBatchWriter(storedType: storedType)
        var archive = WebDatasetBatchWriter(storedType: storedType)
        let line = ProgressLine()
        let total = stream.sampleCount
        while let batch = try stream.next() {
            // A reader that has had enough closes the pipe; that is no failure.
            let isRead =
                switch format {
                case .npy: try writer.write(batch)
                case .webdataset: try archive.write(batch)
                case .null: true
                }
            guard isRead else {
                try keeper?.finish()
                return
            }
            try keeper?.add(batch.next, byteCount: writer.byteCount + archive.byteCount)
            sampleCount += batch.indices.count { $0 >= 0 }
            batchCount += 1
            line.show("samples", done: sampleCount, of: total)
        }
        line.clear()
        if format == .webdataset { _ = try archive.finish() }
        try keeper?.finish()
        guard format == .null else { return }
        let seconds = (clock.now - start) / .seconds(1)
        let rate = Double(sampleCount) / max(seconds, 1e-9)
        if report.json {
            Console.print(json: [
                "samples": .integer(sampleCount), "batches": .integer(batchCount),
                "seconds": .number(seconds),
                "samples_per_second": .number(rate),
            ])
        } else {
            Console.print(
                "\(sampleCount) samples in \(batchCount) batches, \(Figure.text(seconds)) s: \(Int(rate)) samples/s"
            )
        }
    }
}
