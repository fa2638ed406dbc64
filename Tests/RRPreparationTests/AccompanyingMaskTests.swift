import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing the masks of a folder of images along with them")
struct AccompanyingMaskTests {
    let folder: TemporaryFolder

    /// Images of 4×6 named `cat/1`, `cat/2` and `dog/3`, and masks for the first and the last.
    init() throws {
        folder = try TemporaryFolder()
        for (number, name) in ["cat/1", "cat/2", "dog/3"].enumerated() {
            try write((0..<24).map { UInt8($0 * (number + 2)) }, to: "images/\(name).png")
        }
        try write(Self.mask(1), to: "masks/cat/1_mask.png")
        try write(Self.mask(3), to: "masks/dog/3_mask.png")
    }

    static func mask(_ number: Int) -> [UInt8] { (0..<24).map { $0 % (number + 3) == 0 ? 255 : 0 } }
    static let zeros = [UInt8](repeating: 0, count: 24)

    func write(_ samples: [UInt8], to name: String, height: Int = 4, width: Int = 6) throws {
        let image = PNGImage(width: width, height: height, channels: 1, bitDepth: 8, samples: samples)
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    @discardableResult
    func run(
        source: String? = "masks", match: String? = "{id}_mask", images: String = "images",
        _ change: (inout PNGFolderImport.Options) -> Void = { _ in }
    ) throws -> ImportSummary {
        var masks = AccompanyingMasks(source: source.map(folder.path), output: folder.path("m.h5"))
        masks.options.match = match
        var options = PNGFolderImport.Options()
        options.masks = masks
        change(&options)
        return try PNGFolderImport(
            folder: folder.path(images), output: folder.path("d.h5"), options: options
        ).run()
    }

    func masks() throws -> [[UInt8]] {
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: dataset.imageShape.pixelCount)
        defer { buffer.deallocate() }
        return (0..<dataset.sampleCount).map { index in
            _ = masks.expandMask(ofSample: index, channels: 1, into: buffer)
            return buffer.map { $0 * 255 }
        }
    }

    @Test("both files are there and belong together")
    func both() throws {
        let summary = try run()
        #expect(try masks() == [Self.mask(1), Self.zeros, Self.mask(3)])
        #expect(summary.masks?.annotatedCount == 2 && summary.masks?.path == folder.path("m.h5"))
        #expect(summary.masks?.meanShare == (6.0 / 24 + 4.0 / 24) / 2)
        #expect(summary.notes == ["samples without a mask: 1 of 3"])
        // The dataset is the one that an import without masks makes.
        let alone = try PNGFolderImport(folder: folder.path("images"), output: folder.path("alone.h5")).run()
        #expect(alone.fingerprint == summary.fingerprint)
        #expect(try FileBytes.read(folder.path("alone.h5")) == FileBytes.read(folder.path("d.h5")))
    }

    @Test("images are resized smoothly and their masks by nearest pixels, along the same geometry")
    func resized() throws {
        try run { $0.reading.resizing = try? Resizing(height: 2, width: 3) }
        // The centre of a target pixel lies on the corner of four; the one below and to the right counts.
        let nearest = [7, 9, 11, 19, 21, 23]
        #expect(
            try masks() == [
                nearest.map { Self.mask(1)[$0] }, [UInt8](repeating: 0, count: 6),
                nearest.map { Self.mask(3)[$0] },
            ])
    }

    @Test("metadata names the file of each mask")
    func metadata() throws {
        let text = """
            file_name,label,mask_file_name
            images/dog/3.png,dog,masks/cat/1_mask.png
            images/cat/2.png,cat,
            images/cat/1.png,cat,masks/dog/3_mask.png
            """
        try folder.write(Array(text.utf8), to: "metadata.csv")
        let summary = try run(source: nil, match: nil, images: "")
        #expect(try masks() == [Self.mask(3), Self.zeros, Self.mask(1)])
        #expect(summary.masks?.annotatedCount == 2)
        let without = try run(images: "") { ($0.masks, $0.force) = (nil, true) }
        #expect(without.notes.first?.contains("`masksOutput`") == true)
    }

    @Test("where the masks fail, no dataset is left either")
    func neither() throws {
        let before = try folder.names()
        try write([UInt8](repeating: 7, count: 24), to: "masks/cat/2_mask.png")
        #expect(throws: DatasetError.self) { try run() }
        #expect(try folder.names() == before)
        #expect(throws: DatasetError.self) { try run(match: "no{id}") }
        #expect(throws: FormatError.self) { try run(source: "nowhere") }
        #expect(throws: DatasetError.self) { try run(source: nil) }
        let named = #expect(throws: DatasetError.self) { try run(source: nil, match: nil) }
        #expect(named?.message.contains("mask_file_name") == true)
        #expect(throws: DatasetError.self) { try run { $0.masks?.output = folder.path("d.h5") } }
        #expect(try folder.names() == before)
    }

    @Test("an existing mask set is kept, and then no dataset is left")
    func exists() throws {
        try folder.write([1], to: "m.h5")
        let error = #expect(throws: FormatError.self) { try run() }
        #expect(error?.code == .outputExists)
        #expect(try folder.names() == ["images", "m.h5", "masks"])
        #expect(try FileBytes.read(folder.path("m.h5")) == [1])
        try run { $0.force = true }
        #expect(try masks()[0] == Self.mask(1))
    }
}
