import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing a folder of PNGs")
struct PNGFolderImportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Writes a gray image of 3 rows of 2 pixels, all of one value.
    func write(_ value: UInt8, to name: String, channels: Int = 1, bitDepth: Int = 8, width: Int = 2) throws {
        let count = 3 * width * channels * bitDepth / 8
        let image = PNGImage(
            width: width, height: 3, channels: channels, bitDepth: bitDepth,
            samples: Array(repeating: value, count: count))
        try folder.write(PNGEncoder.encode(image), to: "in/" + name)
    }

    @discardableResult
    func run(
        _ output: String = "out.h5", _ change: (inout PNGFolderImport.Options) -> Void = { _ in }
    ) throws -> ImportSummary {
        var options = PNGFolderImport.Options()
        options.threadCount = 2
        change(&options)
        return try PNGFolderImport(folder: folder.path("in"), output: folder.path(output), options: options)
            .run()
    }

    func error(_ change: (inout PNGFolderImport.Options) -> Void = { _ in }) throws -> DatasetError? {
        let error = #expect(throws: DatasetError.self) { try run("out.h5", change) }
        #expect(try folder.names() == ["in"])
        return error
    }

    @Test("class folders are labels, files at any depth samples, in the order of their bytes")
    func classes() throws {
        try write(1, to: "b/2.png")
        try write(2, to: "b/10.PNG")
        try write(3, to: "a/x/1.png")
        try write(4, to: "a/x-1.png")
        try write(5, to: "a/x.png")
        try write(6, to: "Z/ü.png")
        try write(7, to: "b/.hidden.png")
        try folder.write([1], to: "in/b/notes.txt")
        try folder.write([1], to: "in/read.me")
        let summary = try run()
        #expect(summary.sampleCount == 6)
        #expect(summary.imageShape.dimensions == [1, 3, 2])
        #expect(summary.elementType == .uint8)
        #expect(summary.color == "gray")
        #expect(summary.classNames == ["Z", "a", "b"])
        #expect(summary.splits.isEmpty)
        #expect(summary.otherFileCount == 2)

        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(try file.memberNames(of: "/") == ["checksum", "ids", "images", "labels"])
        #expect(try file.dataset("/ids").readStrings() == ["Z/ü", "a/x/1", "a/x-1", "a/x", "b/10", "b/2"])
        #expect(try file.dataset("/labels").readAll(as: Int64.self) == [0, 1, 1, 1, 2, 2])
        #expect(try file.dataset("/labels").elementType == .int64)
        let images = try file.dataset("/images")
        #expect(images.elementType == .uint8)
        #expect(images.shape.dimensions == [6, 1, 3, 2])
        let expected = [6, 3, 4, 5, 2, 1].flatMap { Array(repeating: UInt8($0), count: 6) }
        #expect(try images.readAll(as: UInt8.self) == expected)
        #expect(try file.attribute("class_names", of: "/labels") == .strings(["Z", "a", "b"]))
        #expect(try file.attribute("DIMENSION_LABELS", of: "/images") == .strings(["N", "C", "H", "W"]))
        #expect(try file.attribute("color", of: "/images") == .string("gray"))
        #expect(try file.attribute("format") == .string("rrdata.dataset"))
        #expect(try file.attribute("format_version") == .string("1.1"))
        #expect(try file.attribute("fingerprint") == .string(summary.fingerprint))
        let checksums = (0..<6).map { image in
            expected[image * 6..<image * 6 + 6].withUnsafeBytes { CRC32.checksum(of: $0) }
        }
        #expect(try file.dataset("/checksum").readAll(as: UInt32.self) == checksums)
    }

    @Test("train, val and test on the first level are splits")
    func splits() throws {
        try write(1, to: "train/a/1.png")
        try write(2, to: "train/b/1.png")
        try write(3, to: "test/b/1.png")
        let summary = try run()
        #expect(summary.splits.map(\.name) == ["test", "train"])
        #expect(summary.splits.map(\.sampleCount) == [1, 2])
        #expect(summary.classNames == ["a", "b"])
        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(try file.dataset("/ids").readStrings() == ["test/b/1", "train/a/1", "train/b/1"])
        #expect(try file.dataset("/split").readAll(as: UInt8.self) == [0, 1, 1])
        #expect(try file.dataset("/split").elementType == .uint8)
        #expect(try file.attribute("split_names", of: "/split") == .strings(["test", "train"]))
        #expect(try file.dataset("/labels").readAll(as: Int64.self) == [1, 0, 1])
    }

    @Test("names that differ only in their Unicode normalisation are two classes")
    func normalization() throws {
        try write(1, to: "train/caf\u{E9}/1.png")
        try write(2, to: "train/cafe\u{301}/1.png")
        try write(3, to: "test/caf\u{E9}/2.png")
        let names = try #require(try run().classNames)
        #expect(names.map { Array($0.utf8) } == [Array("cafe\u{301}".utf8), Array("caf\u{E9}".utf8)])
        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(try file.dataset("/labels").readAll(as: Int64.self) == [1, 0, 1])
    }

    @Test("one split is none")
    func oneSplit() throws {
        try write(1, to: "train/a/1.png")
        #expect(try run().splits.isEmpty)
        #expect(try !HDF5File(reading: folder.path("out.h5")).exists("/split"))
    }

    @Test("without labels folders have no meaning, except splits")
    func noLabels() throws {
        try write(1, to: "1.png")
        try write(2, to: "deep/er/2.png")
        let summary = try run { $0.reading.labels = .none }
        #expect(!summary.isLabelled && summary.classNames == nil)
        let file = try HDF5File(reading: folder.path("out.h5"))
        #expect(try file.memberNames(of: "/") == ["checksum", "ids", "images"])
        #expect(try file.dataset("/ids").readStrings() == ["1", "deep/er/2"])
    }

    @Test(
        "every served kind is stored as (C, H, W) in its own depth",
        arguments: [
            ("gray-8", 1, 8), ("gray-alpha-8", 2, 8), ("rgb-8", 3, 8), ("rgba-8", 4, 8), ("gray-16", 1, 16),
            ("gray-alpha-16", 2, 16), ("rgb-16-interlaced", 3, 16), ("rgba-16", 4, 16),
        ])
    func kinds(name: String, channels: Int, bitDepth: Int) throws {
        try folder.write(FileBytes.read(Fixtures.path("formats/png/\(name).png")), to: "in/a/1.png")
        let summary = try run()
        #expect(summary.color == (["gray", "gray-alpha", "rgb", "rgba"])[channels - 1])
        #expect(summary.elementType == (bitDepth == 16 ? .uint16 : .uint8))
        let images = try HDF5File(reading: folder.path("out.h5")).dataset("/images")
        #expect(images.shape.dimensions == [1, channels, 5, 7])
        var expected: [Int64] = []
        for channel in 0..<channels {
            for row in 0..<5 {
                for column in 0..<7 {
                    expected.append(
                        bitDepth == 16
                            ? Int64((row * 5001 + column * 733 + channel * 17011 + 5) % 65536)
                            : Int64((row * 40 + column * 9 + channel * 70 + 3) % 256))
                }
            }
        }
        #expect(try images.readAll(as: Int64.self) == expected)
    }

    @Test("the number of threads and a second run change no byte", arguments: [Compression.none, .deflate])
    func sameBytes(compression: Compression) throws {
        for position in 0..<100 {
            try write(UInt8(position), to: "\(position % 3)/\(position).png", channels: 3)
        }
        for (name, threadCount) in [("one", 1), ("two", 2), ("nine", 9)] {
            try run(name) {
                $0.threadCount = threadCount
                $0.compression = compression
            }
        }
        let one = try FileBytes.read(folder.path("one"))
        #expect(try FileBytes.read(folder.path("two")) == one)
        #expect(try FileBytes.read(folder.path("nine")) == one)
        let images = try HDF5File(reading: folder.path("one")).dataset("/images")
        #expect(try images.readAll(as: UInt8.self)[18..<36] == ArraySlice(repeating: UInt8(12), count: 18))
        if compression == .deflate {
            #expect(images.layout == .chunked([100, 3, 3, 2], filters: ["deflate"]))
        }
    }

    @Test("blocks of images meet without a seam")
    func manyImages() throws {
        let files = try (0..<251).map { value in
            let samples = [UInt8](repeating: UInt8(value), count: 3)
            return try PNGEncoder.encode(
                PNGImage(width: 1, height: 3, channels: 1, bitDepth: 8, samples: samples))
        }
        try folder.write(files[0], to: "in/a/10000.png")
        for position in 1..<5000 {
            try FileBytes.write(files[position % 251], to: folder.path("in/a/\(10_000 + position).png"))
        }
        var calls: [Int] = []
        let importer = PNGFolderImport(folder: folder.path("in"), output: folder.path("out.h5"))
        _ = try importer.run { done, total in
            calls.append(done)
            #expect(total == 5000)
        }
        #expect(calls.count > 1 && calls.last == 5000)
        let images = try HDF5File(reading: folder.path("out.h5")).dataset("/images")
        let expected = (0..<5000).flatMap { Array(repeating: UInt8($0 % 251), count: 3) }
        #expect(try images.readAll(as: UInt8.self) == expected)
    }

    @Test("decoding that runs ahead of a slow writer waits, and writes over nothing")
    func slowWriter() throws {
        for value in 0..<7 {
            let samples = [UInt8](repeating: UInt8(value * 30), count: 250 * 400)
            let image = PNGImage(width: 250, height: 200, channels: 1, bitDepth: 16, samples: samples)
            try folder.write(PNGEncoder.encode(image), to: "in/a/\(value).png")
        }
        for number in 7..<700 {
            try FileManager.default.linkItem(
                atPath: folder.path("in/a/\(number % 7).png"), toPath: folder.path("in/a/\(number).png"))
        }
        let importer = PNGFolderImport(folder: folder.path("in"), output: folder.path("out.h5"))
        var blockCount = 0
        _ = try importer.run { _, _ in
            blockCount += 1
            usleep(30_000)
        }
        #expect(blockCount > 6)
        let dataset = try Dataset(path: folder.path("out.h5"))
        let ids = try dataset.ids()
        var image = [UInt8](repeating: 9, count: 250 * 400)
        for index in stride(from: 0, to: 700, by: 3) {
            // The checksum is verified on the way.
            try image.withUnsafeMutableBytes { try dataset.readStored(at: index, into: $0) }
            let number = try #require(Int(ids[index].dropFirst(2)))
            #expect(image[0] == UInt8(number % 7 * 30) && image.last == image[0])
        }
    }

    @Test("a corrupt file among good ones ends the import, named, and leaves nothing")
    func corruptFile() throws {
        for position in 0..<20 { try write(1, to: "a/\(position).png") }
        var bytes = try FileBytes.read(folder.path("in/a/13.png"))
        bytes[bytes.count - 14] ^= 1
        try folder.write(bytes, to: "in/a/13.png")
        let error = try error()
        #expect(error?.code == .unreadableImage)
        #expect(error?.path == folder.path("in/a/13.png"))
        #expect(error?.message.contains("CRC") == true)
    }

    @Test("with skip a corrupt file is left out and named")
    func skip() throws {
        for position in 0..<10 { try write(UInt8(position), to: "\(position / 5)/\(position).png") }
        try folder.write([1, 2, 3], to: "in/0/0.png")
        let whole = try FileBytes.read(folder.path("in/1/7.png"))
        try folder.write(Array(whole.dropLast(13)), to: "in/1/7.png")
        let summary = try run { $0.onError = .skip }
        #expect(summary.sampleCount == 8)
        #expect(summary.skippedFiles.map(\.path) == ["0/0.png", "1/7.png"])
        let file = try HDF5File(reading: folder.path("out.h5"))
        let kept = [1, 2, 3, 4, 5, 6, 8, 9]
        #expect(try file.dataset("/ids").readStrings() == kept.map { "\($0 / 5)/\($0)" })
        #expect(try file.dataset("/labels").readAll(as: Int64.self) == kept.map { Int64($0 / 5) })
        let expected = kept.flatMap { Array(repeating: UInt8($0), count: 6) }
        #expect(try file.dataset("/images").readAll(as: UInt8.self) == expected)
        #expect(try file.dataset("/checksum").shape.dimensions == [8])
        #expect(try folder.names() == ["in", "out.h5"])
        guard case .string(let provenance) = try file.attribute("provenance") else {
            Issue.record("no provenance")
            return
        }
        #expect(provenance.contains("1/7.png"))
    }

    @Test("with skip and nothing left there is an error")
    func nothingLeft() throws {
        try folder.write([1, 2, 3], to: "in/a/1.png")
        #expect(try error { $0.onError = .skip }?.code == .empty)
    }

    @Test("images that differ are listed by kind")
    func disagreement() throws {
        for position in 0..<5 { try write(1, to: "a/\(position).png") }
        try write(1, to: "b/wide.png", width: 4)
        try write(1, to: "b/color.png", channels: 3)
        try write(1, to: "b/deep.png", bitDepth: 16)
        let error = try error()
        #expect(error?.code == .inconsistentImages)
        for words in [
            "8-bit gray 2×3 (width × height): 5 (a/0.png, a/1.png, a/2.png, …)",
            "8-bit gray 4×3 (width × height): 1 (b/wide.png)", "8-bit rgb 2×3", "16-bit gray 2×3",
        ] {
            #expect(error?.message.contains(words) == true)
        }
    }

    @Test("an empty class, no class, a stray file and a stray folder are named")
    func structure() throws {
        try write(1, to: "a/1.png")
        try folder.write([1], to: "in/b/notes.txt")
        let empty = try error()
        #expect(empty?.code == .empty)
        #expect(empty?.path == folder.path("in/b"))
        try write(1, to: "b/1.png")
        try write(1, to: "stray.png")
        let stray = try error()
        #expect(stray?.code == .badFolderStructure)
        #expect(
            stray?.message.contains("stray.png") == true && stray?.message.contains("`labels` none") == true)
    }

    @Test("folders beside splits, and files beside them, are named")
    func besideSplits() throws {
        try write(1, to: "train/a/1.png")
        try write(1, to: "extra/a/1.png")
        let error = try error()
        #expect(error?.code == .badFolderStructure)
        #expect(error?.message.contains("extra") == true)
    }

    @Test("a file beside splits is named")
    func fileBesideSplits() throws {
        try write(1, to: "train/a/1.png")
        try write(1, to: "test/a/1.png")
        try write(1, to: "stray.png")
        let error = try error()
        #expect(error?.code == .badFolderStructure)
        #expect(error?.message.contains("stray.png") == true)
    }

    @Test("an empty split is an error")
    func emptySplit() throws {
        try write(1, to: "train/a/1.png")
        try folder.write([1], to: "in/test/notes.txt")
        let error = try error()
        #expect(error?.code == .empty)
        #expect(error?.path == folder.path("in/test"))
    }

    @Test("a link out of the folder is refused by its name; within it, it counts as what it names")
    func links() throws {
        try write(1, to: "a/1.png")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder.path("in/a/2.png"), withDestinationPath: "1.png")
        try files.createSymbolicLink(atPath: folder.path("in/b"), withDestinationPath: "a")
        #expect(try run().sampleCount == 4)
        try files.removeItem(atPath: folder.path("out.h5"))
        try folder.write(FileBytes.read(folder.path("in/a/1.png")), to: "outside/1.png")
        for (name, target) in [("in/a/3.png", "../../outside/1.png"), ("in/c", folder.path("outside"))] {
            try files.createSymbolicLink(atPath: folder.path(name), withDestinationPath: target)
            let error = #expect(throws: FormatError.self) { try run() }
            #expect(error?.code == .unsupported && error?.path == folder.path(name))
            #expect(error?.message.contains("out of the folder") == true)
            try files.removeItem(atPath: folder.path(name))
        }
        #expect(try folder.names() == ["in", "outside"])
    }

    @Test("a name that is not UTF-8 is refused, spelled out")
    func foreignName() throws {
        try write(1, to: "a/1.png")
        let path = Array(folder.path("in/a/").utf8) + [0x66, 0xE9, 0x2E, 0x70, 0x6E, 0x67, 0]
        let descriptor = path.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer {
            $0.baseAddress.map { open($0, O_CREAT | O_WRONLY, 0o600) } ?? -1
        }
        try #require(descriptor >= 0)
        close(descriptor)
        let error = #expect(throws: FormatError.self) { try run() }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("f\\xE9.png") == true)
    }

    @Test("two files with one id are an error")
    func duplicateIds() throws {
        try write(1, to: "a/1.png")
        try write(1, to: "a/1.PNG")
        let error = try error()
        #expect(error?.code == .duplicateId)
        #expect(error?.message.contains("1.PNG and 1.png") == true)
    }

    @Test("a missing folder is missing input, and an output that exists is kept")
    func files() throws {
        let missing = #expect(throws: FormatError.self) { try run() }
        #expect(missing?.code == .notFound)
        try write(1, to: "a/1.png")
        try folder.write([1], to: "out.h5")
        let exists = #expect(throws: FormatError.self) { try run() }
        #expect(exists?.code == .outputExists)
        #expect(try FileBytes.read(folder.path("out.h5")) == [1])
        try run { $0.force = true }
        #expect(try HDF5File(reading: folder.path("out.h5")).exists("/images"))
    }
}
