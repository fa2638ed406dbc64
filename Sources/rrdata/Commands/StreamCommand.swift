internal import ArgumentParser
import RRDatasets
import RRSchemas
import RRStreaming

struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Stream batches of images, labels, indices and masks.",
        discussion: """
            npy writes four NPY arrays a batch, one after another, on standard output: images float32 \
            (B,C,H,W), labels int64 (B; -1 where absent), index int64 (B), masks uint8 (B,C,H,W; 0 where \
            absent). The README shows how Python reads them. webdataset writes a tar archive of four members a \
            sample: image.npy, mask.npy, cls and index. null reads everything and tells how fast.

            The file must not be written to meanwhile: that is an error.

            Examples:
              rrdata stream decoy.h5 --masks masks.h5 --batch-size 256 --shuffle --seed 7 --format npy | python train.py
              rrdata stream decoy.h5 --batch-size 256 --shuffle --raw --format webdataset > decoy.tar
              rrdata stream decoy.h5 --batch-size 256 --shuffle --format null
            """)

    enum Format: String, ExpressibleByArgument {
        case npy, webdataset, null
    }

    @Argument(help: "The dataset; several files are streamed as one.")
    var dataset: [String]

    @Option(help: "The mask set of the dataset; of several files each may have one, given by --masks each.")
    var masks: [String] = []

    @Option(help: "The number of samples in a batch.")
    var batchSize: Int

    @Flag(help: "Visit the samples in a random order, another one each epoch.")
    var shuffle = false

    @Option(help: "Decides the order.")
    var seed: UInt64 = 0

    @Option(help: "The number of passes over the samples.")
    var epochs = 1

    @Option(help: "The split to stream, or all; train where the dataset has splits, else all.")
    var split: String?

    @Flag(help: "Leave out the last batch of an epoch where it is smaller than the others.")
    var dropLast = false

    @Option(help: "npy, webdataset or null.")
    var format: Format

    @Flag(help: "Give images as they are stored, not as float32.")
    var raw = false

    @Option(
        help: "The memory for batches and kept images, as 512M or 4G; an eighth of the machine's by default.")
    var memory: MemorySize?

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard batchSize >= 1 else { throw ValidationError("--batch-size must be at least 1") }
        guard epochs >= 1 else { throw ValidationError("--epochs must be at least 1") }
        guard !report.json || format == .null else {
            throw ValidationError(
                "--json does not go with --format \(format), which has standard output to itself")
        }
    }

    func run() throws {
        let dataset = try Dataset.joining(dataset)
        let masks = try MaskSet.joining(masks, for: dataset)
        let clock = ContinuousClock()
        let start = clock.now
        let stream = try BatchStream(
            dataset: dataset, masks: masks,
            options: StreamOptions(
                batchSize: batchSize, shuffle: shuffle, seed: seed, epochs: epochs, split: split,
                dropLast: dropLast),
            resources: StreamResources(memory: memory?.bytes, threadCount: threads.jobs),
            givesStoredImages: raw)
        var sampleCount = 0
        var batchCount = 0
        let storedType = raw ? dataset.elementType : nil
        let writer = NPYBatchWriter(storedType: storedType)
        var archive = WebDatasetBatchWriter(storedType: storedType)
        let line = ProgressLine()
        let total = stream.sampleCount
        while let batch = try stream.next() {
            // A reader that has had enough closes the pipe; that is no failure.
            switch format {
            case .npy: guard try writer.write(batch) else { return }
            case .webdataset: guard try archive.write(batch) else { return }
            case .null: break
            }
            sampleCount += batch.count
            batchCount += 1
            line.show("samples", done: sampleCount, of: total)
        }
        line.clear()
        if format == .webdataset { _ = try archive.finish() }
        guard format == .null else { return }
        let seconds = (clock.now - start) / .seconds(1)
        let rate = Double(sampleCount) / max(seconds, 1e-9)
        if report.json {
            Console.print([
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
