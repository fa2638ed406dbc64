import Foundation
import RRDatasets
import RRFormats
import RRStreaming
import RRTensor
import TestSupport
import Testing

@Suite("The C interface")
struct InterfaceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A dataset, its masks and the same dataset with other pixels.
    private func writeSamples(_ type: ImageElementType = .uint8) throws {
        var sample = try SampleDataset(folder, channels: 2)
        sample.elementType = type
        try sample.write()
        try sample.writeMasks()
        sample.pixelOffset = 1
        try sample.write("other.h5")
    }

    @Test("the header is C and C++ by itself", arguments: [["c", "c99"], ["c++", "c++11"]])
    func header(language: [String]) throws {
        try CProgram.compile([
            "-x", language[0], "-std=\(language[1])", "-Wpedantic", "-Wno-pragma-once-outside-header",
            "-fsyntax-only",
            "\(CProgram.header)/rrdata.h",
        ])
    }

    @Test("every function does what the header says, on several threads and after a fork")
    func everyFunction() throws {
        try writeSamples()
        let outcome = try CProgram("interface").run(
            ["d.h5", "m.h5", "other.h5", Fixtures.path("fashion")], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "all holds\n")
    }

    /// Some options of a stream, as the interface and as the library take them.
    private static let streams: [(json: String, options: StreamOptions)] = [
        (#"{"batch_size": 3}"#, StreamOptions(batchSize: 3)),
        (
            #"{"batch_size": 2, "shuffle": true, "seed": "18446744073709551615", "epochs": 3, "split": "all"}"#,
            StreamOptions(batchSize: 2, isShuffled: true, seed: .max, epochs: 3, split: "all")
        ),
        (
            #"{"batch_size": 2, "shuffle": true, "seed": 7, "epochs": 2, "split": "all", "drop_last": true, "balance": "equal"}"#,
            {
                var options = StreamOptions(
                    batchSize: 2, isShuffled: true, seed: 7, epochs: 2, split: "all", dropsLast: true)
                options.balance = .equal
                return options
            }()
        ),
        (
            #"{"batch_size": 4, "shuffle": true, "split": "all", "annotated_fraction": 0.5, "augment": "hflip,crop:1", "jobs": 1}"#,
            StreamOptions(
                batchSize: 4, isShuffled: true, split: "all", annotatedFraction: 0.5,
                augmentation: try? Augmentation("hflip,crop:1"))
        ),
        (
            #"{"batch_size": 3, "split": "all", "resize_crop": "4:3x2", "augment": "rotate:9"}"#,
            {
                var options = StreamOptions(
                    batchSize: 3, split: "all", augmentation: try? Augmentation("rotate:9"))
                options.resizeCrop = ResizeCrop("4:3x2")
                return options
            }()
        ),
        (
            #"{"batch_size": 2, "split": "all", "rank": 1, "world": 3, "epochs": 2, "seed": null, "memory": 100000}"#,
            {
                var options = StreamOptions(batchSize: 2, epochs: 2, split: "all")
                (options.rank, options.world) = (1, 3)
                return options
            }()
        ),
        (
            #"{"batch_size": 2, "split": "all", "annotated_only": true, "ids": ["sample/4", "sample/1", "sample/0"]}"#,
            {
                var options = StreamOptions(batchSize: 2, split: "all")
                (options.annotatedOnly, options.ids) = (true, ["sample/4", "sample/1", "sample/0"])
                return options
            }()
        ),
    ]

    /// What `Programs/stream.c` writes of a stream.
    private func bytes(
        of options: StreamOptions, masks isMasked: Bool = true, isRaw: Bool = false
    ) throws -> Data {
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = isMasked ? try MaskSet(path: folder.path("m.h5"), for: dataset) : nil
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: options, givesStoredImages: isRaw)
        var bytes = Data()
        while let batch = try stream.next() {
            // One of the two is empty.
            batch.storedImages.withUnsafeBytes { bytes.append(contentsOf: $0) }
            batch.images.withUnsafeBytes { bytes.append(contentsOf: $0) }
            batch.labels.withUnsafeBytes { bytes.append(contentsOf: $0) }
            batch.indices.withUnsafeBytes { bytes.append(contentsOf: $0) }
            if isMasked { batch.masks.withUnsafeBytes { bytes.append(contentsOf: $0) } }
            batch.annotated.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    @Test("a stream is that of the library, byte for byte", arguments: streams.indices)
    func sameStream(number: Int) throws {
        try writeSamples()
        let (json, options) = Self.streams[number]
        let outcome = try CProgram("stream").run(["d.h5", "m.h5", json], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(!outcome.output.isEmpty)
        #expect(try outcome.output == bytes(of: options))
    }

    @Test("images come as they are stored where that is wanted, and without masks")
    func raw() throws {
        try writeSamples()
        let json = #"{"batch_size": 3, "split": "all", "raw": true}"#
        let outcome = try CProgram("stream").run(["d.h5", "-", json], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            try outcome.output
                == bytes(of: StreamOptions(batchSize: 3, split: "all"), masks: false, isRaw: true))
    }

    @Test("a stream goes on from a cursor, which is also the command's")
    func cursor() throws {
        try writeSamples()
        let program = try CProgram("stream")
        let json = #"{"batch_size": 2, "shuffle": true, "epochs": 3, "split": "all"}"#
        var output = Data()
        for batches in ["1", "4", "2", "-1"] {
            let outcome = try program.run(["d.h5", "m.h5", json, "c.json", batches], in: folder)
            #expect(outcome.status == 0, "\(outcome.errors)")
            output += outcome.output
        }
        #expect(
            try output
                == bytes(of: StreamOptions(batchSize: 2, isShuffled: true, epochs: 3, split: "all")))
        // At the end, as the command finds it.
        let command = try CommandLineTool.run(
            [
                "stream", "d.h5", "--masks", "m.h5", "--batch-size", "2", "--shuffle", "--epochs", "3",
                "--split", "all",
                "--cursor", "c.json", "--format", "null", "--json",
            ], in: folder.path)
        #expect(command.status == 0, "\(command.errors)")
        #expect(command.text.contains("\"batches\": 0,"))
        // Of other options it is refused.
        let other = try program.run(
            ["d.h5", "m.h5", json.replacingOccurrences(of: "true", with: "false"), "c.json", "1"], in: folder)
        #expect(other.status == 1)
        #expect(other.errors.contains("the cursor was written with shuffle true"))
    }

    @Test("a file over which libhdf5 crashes ends the process that reads it, and no other")
    func containment() throws {
        let outcome = try CProgram("stream").run(
            [Fixtures.path("formats/hdf5/hostile-crash.h5"), "-", #"{"batch_size": 1}"#], in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("the file is damaged: libhdf5 broke off reading it"))
    }

    @Test(
        "a program that reads HDF5 files is told apart from others, and started ahead for files that are expected"
    )
    func readers() throws {
        try writeSamples()
        let outcome = try CProgram("reader").run(["d.h5", "m.h5", CommandLineTool.path], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "all holds\n")
    }

    @Test("a dataset that is cut short under the stream is an error that names a sample")
    func cutShort() throws {
        var sample = try SampleDataset(folder, channels: 2, height: 64, width: 64)
        sample.maskBits = try MaskBits(rowCount: 1, elementsPerRow: 64 * 64)
        sample.maskRows = sample.maskRows.map { _ in 0 }
        try sample.write()
        let process = try CProgram("cut").run(["d.h5"], in: folder)
        #expect(process.status == 0, "\(process.errors)")
        #expect(process.text.contains("sample"))
    }

    @Test("the README's program runs as it stands")
    func readme() throws {
        let text = try String(contentsOf: URL(filePath: Fixtures.path("../README.md")), encoding: .utf8)
        let program = try #require(text.components(separatedBy: "```c\n").dropFirst().first)
        let lines = try #require(program.components(separatedBy: "\n```").first)
        try lines.write(toFile: folder.path("readme.c"), atomically: true, encoding: .utf8)
        let sample = try SampleDataset(folder)
        try sample.write("decoy.h5")
        try sample.writeMasks(for: "decoy.h5", "masks.h5")
        let outcome = try CProgram("readme", source: folder.path("readme.c")).run([], in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text.hasPrefix("4 images, of which the first is row "))
    }
}
