import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("A folder of PNGs as a dataset")
struct PNGFolderDatasetTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(
        _ name: String, width: Int = 2, channels: Int = 1, bitDepth: Int = 8
    ) throws {
        let image = PNGImage(
            width: width, height: 3, channels: channels, bitDepth: bitDepth,
            samples: Array(repeating: 7, count: 3 * width * channels * bitDepth / 8))
        try folder.write(PNGEncoder.encode(image), to: "in/" + name)
    }

    private func error(_ reading: ImageFolderOptions = ImageFolderOptions()) throws -> DatasetError {
        try #require(
            #expect(throws: DatasetError.self) {
                try Dataset(pngFolder: folder.path("in"), reading: reading)
            })
    }

    @Test("files that differ are refused by the first that does, with the options that help")
    func differences() throws {
        for number in 10..<40 { try write("a/\(number).png") }
        try write("b/1.png", width: 4)
        try write("b/2.png", channels: 3, bitDepth: 16)
        let fault = try error()
        #expect(fault.code == .inconsistentImages && fault.path == folder.path("in"))
        for text in [
            "b/1.png from those before it", "8-bit gray 2×3", "8-bit gray 4×3", "16-bit rgb 2×3",
            "`resizing`",
            "`color`",
            "`depth`", "ImageFolderImport", "BatchStream",
        ] {
            #expect(fault.message.contains(text), "\(text)")
        }
        var reading = ImageFolderOptions()
        (reading.color, reading.depth) = (.rgb, .eight)
        reading.resizing = try Resizing(height: 5, width: 6)
        let dataset = try Dataset(pngFolder: folder.path("in"), reading: reading)
        #expect(dataset.imageShape.dimensions == [3, 5, 6] && dataset.sampleCount == 32)
        #expect(try dataset.resizing() == reading.resizing)
    }

    @Test("an empty folder, a class without files and files in no class are refused")
    func structure() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path("in/empty"), withIntermediateDirectories: true)
        #expect(try error().code == .empty)
        try write("full/1.png")
        let fault = try error()
        #expect(fault.code == .empty && fault.path.hasSuffix("in/empty"))
        try FileManager.default.removeItem(atPath: folder.path("in/empty"))
        try write("1.png")
        #expect(try error().code == .badFolderStructure)
        try FileManager.default.removeItem(atPath: folder.path("in"))
        #expect(throws: FormatError.self) { try Dataset(pngFolder: folder.path("in")) }
        #expect(throws: FormatError.self) { try Dataset(path: folder.path("in")) }
    }

    @Test(
        "a file whose header is damaged is refused at once, by its name",
        arguments: ["damaged-empty", "damaged-zero-bytes", "damaged-vast", "damaged-bomb"])
    func damagedHeader(name: String) throws {
        let bytes = try FileBytes.read(Fixtures.path("formats/png/\(name).png"))
        for number in 0..<5 { try write("a/\(number).png") }
        try folder.write(bytes, to: "in/b/\(name).png")
        let fault = try error()
        #expect(fault.code == .unreadableImage && fault.path.hasSuffix("in/b/\(name).png"))
    }

    /// `Fixtures/formats/png-grid`, a file each.
    private static let grid: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("formats/png-grid")))?
        .filter { $0.hasSuffix(".png") } ?? []

    @Test("every kind of PNG has the shape and pixels of its import")
    func everyKind() throws {
        #expect(Self.grid.count == 58)
        for name in Self.grid {
            let folder = try TemporaryFolder()
            try folder.write(FileBytes.read(Fixtures.path("formats/png-grid/\(name)")), to: "in/a/\(name)")
            _ = try PNGFolderImport(folder: folder.path("in"), output: folder.path("d.h5")).run()
            let (direct, imported) = (
                try Dataset(path: folder.path("in")), try Dataset(path: folder.path("d.h5"))
            )
            #expect(direct.imageShape == imported.imageShape && direct.elementType == imported.elementType)
            #expect(try direct.fingerprint == imported.fingerprint, "\(name)")
            #expect(try direct.image(at: 0).elements == imported.image(at: 0).elements, "\(name)")
        }
    }

    @Test("chunks before the pixels count however long they are", arguments: [10, 4000, 4050, 4080, 100_000])
    func longChunks(size: Int) throws {
        let bytes = try FileBytes.read(Fixtures.path("formats/png-grid/gray-8-trns.png"))
        let text = [UInt8](repeating: 65, count: size)
        var chunk = Array("tEXt".utf8) + [97, 0] + text
        let checksum = chunk.withUnsafeBytes { CRC32.checksum(of: $0) }
        let length = UInt32(text.count + 2)
        func bigEndian(_ number: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        }
        chunk = bigEndian(length) + chunk + bigEndian(checksum)
        try folder.write(Array(bytes[..<33]) + chunk + bytes[33...], to: "in/a/1.png")
        try folder.write(bytes, to: "in/a/2.png")
        // The transparent colour comes after the text, and makes a channel.
        #expect(try Dataset(path: folder.path("in")).imageShape.dimensions == [2, 7, 9])
    }

    @Test("an export of a folder is an import's: sample by sample, with a fingerprint")
    func export() throws {
        for number in 0..<5 { try write("\(number % 2)/\(number).png", channels: 3) }
        _ = try ArrayExport(
            source: ExportSource(dataset: Dataset(path: folder.path("in"))), format: .npy,
            output: folder.path("out")
        )
        .run()
        let array = try FileBytes.read(folder.path("out/images.npy"))
        #expect(array.suffix(90).allSatisfy { $0 == 7 })
    }

    @Test("info tells of samples, classes and splits, or what stands against them")
    func information() throws {
        try write("train/a/1.png")
        try write("train/b/1.png")
        try write("test/b/1.png")
        let json = try #require(try OtherFileDescription.json(of: folder.path("in")))
        #expect(json["samples"] == 3 && json["shape"] == [3, 1, 3, 2] && json["type"] == "uint8")
        #expect(json["splits"] == [["name": "test", "samples": 1], ["name": "train", "samples": 2]])
        #expect(
            json["classes"] == [
                ["label": 0, "name": "a", "samples": 1], ["label": 1, "name": "b", "samples": 2],
            ])
        try write("test/b/2.png", width: 9)
        let problem = try OtherFileDescription.json(of: folder.path("in"))?["problem"]?.stringValue
        #expect(problem?.contains("test/b/2.png") == true)
        let flat = try OtherFileDescription.json(of: folder.path("in/train/a"))
        #expect(flat?["samples"] == 1 && flat?["classes"] == nil)
    }
}
