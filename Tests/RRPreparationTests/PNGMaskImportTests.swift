import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

/// `Fixtures/formats/masks/pngs` has images by Pillow, whose pixels follow formulas.
@Suite("Importing masks of a folder of PNG files")
struct PNGMaskImportTests {
    let subject: MaskImportCase

    init() throws { subject = try MaskImportCase() }

    /// Where (row * 7 + column) % 3 is 0.
    static let mask = (0..<35).map { UInt8($0 % 3 == 0 ? 1 : 0) }
    static let zeros = [UInt8](repeating: 0, count: 35)

    /// Puts fixtures under other names into `masks/`.
    func place(_ files: [(fixture: String, name: String)]) throws {
        for (fixture, name) in files {
            try subject.folder.write(
                FileBytes.read(Fixtures.path("formats/masks/pngs/\(fixture).png")), to: "masks/\(name)")
        }
    }

    /// Puts a gray image into `masks/`.
    func place(
        _ samples: [UInt8], as name: String, height: Int = 5, width: Int = 7, channels: Int = 1,
        depth: Int = 8
    ) throws {
        let image = PNGImage(
            width: width, height: height, channels: channels, bitDepth: depth, samples: samples)
        try subject.folder.write(PNGEncoder.encode(image), to: "masks/\(name)")
    }

    @Test(
        "0 and 1, or 0 and the largest value, of every kind of image that is gray",
        arguments: [
            "gray-1-bit", "gray-1", "gray-255", "gray16-1", "gray16-65535", "palette-1-bit", "palette-2-bit",
            "palette-8-bit", "palette-255", "rgb", "rgba",
        ])
    func kinds(fixture: String) throws {
        try place([(fixture, "sample/2.png")])
        let summary = try subject.run("masks")
        let masks = try subject.masks()
        #expect(masks[2] == Self.mask)
        #expect(masks.enumerated().allSatisfy { $0 == 2 || $1 == Self.zeros })
        #expect(summary.annotatedCount == 1 && summary.suppliedCount == 1 && summary.samplesWithoutMask == 6)
        #expect(summary.meanShare == 12.0 / 35 && !summary.suggestsRightMarks)
        #expect(summary.maskShape.dimensions == [1, 5, 7])
    }

    @Test("masks for images of three channels have one, and each sample gets its own")
    func alignment() throws {
        let subject = try MaskImportCase(channels: 3)
        var expected = Array(repeating: Self.zeros, count: 7)
        for sample in [5, 0, 3] {
            expected[sample] = (0..<35).map { $0 % (sample + 2) == 1 ? 1 : 0 }
            let image = PNGImage(width: 7, height: 5, channels: 1, bitDepth: 8, samples: expected[sample])
            try subject.folder.write(PNGEncoder.encode(image), to: "masks/sample/\(sample).png")
        }
        try subject.run("masks") { $0.threadCount = 3 }
        #expect(try subject.masks() == expected)
        #expect(try subject.samplesWithRow() == [0, 3, 5])
        let bytes = try FileBytes.read(subject.folder.path("m.h5"))
        try subject.run("masks") { ($0.threadCount, $0.force) = (1, true) }
        #expect(try FileBytes.read(subject.folder.path("m.h5")) == bytes)
    }

    @Test("classes: the values that count, as palette numbers and as gray")
    func maskValues() throws {
        try place([("classes-palette", "sample/0.png"), ("classes-gray", "sample/1.png")])
        let error = try subject.error("masks")
        #expect(error?.code == .nonBinaryMask)
        #expect(error?.path.hasSuffix("masks/sample/0.png") == true)
        #expect(error?.message.contains("value 2 at row 0, column 2") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("`maskValues`") == true)
        try subject.run("masks") { $0.maskValues = [3, 2, 70_00] }
        let expected = (0..<35).map { UInt8($0 % 4 >= 2 ? 1 : 0) }
        #expect(try subject.masks()[0] == expected && subject.masks()[1] == expected)
        try subject.run("masks") { ($0.maskValues, $0.force) = ([0], true) }
        #expect(try subject.masks()[1] == (0..<35).map { UInt8($0 % 4 == 0 ? 1 : 0) })
    }

    @Test("soft masks: the share from which a pixel counts, the threshold itself included")
    func threshold() throws {
        try place([("soft", "sample/0.png"), ("soft16", "sample/6.png")])
        let values = (0..<35).map { ($0 / 7 * 40 + $0 % 7 * 9 + 3) % 256 }
        #expect(try subject.error("masks")?.message.contains("`maskThreshold`") == true)
        for threshold in [0.5, Double(values[11]) / 255, 1] {
            try subject.run("masks") { ($0.maskThreshold, $0.force) = (threshold, true) }
            let expected = values.map { UInt8(Double($0) / 255 >= threshold ? 1 : 0) }
            #expect(try subject.masks()[0] == expected && subject.masks()[6] == expected)
        }
        try place([("palette-8-bit", "sample/1.png")])
        #expect(
            try subject.error("masks") { ($0.maskThreshold, $0.force) = (0.5, true) }?.code == .nonBinaryMask)
    }

    @Test("colours, transparency and a mixture of 1 and 255 are refused by file and place")
    func refused() throws {
        for (fixture, hint) in [("colored", "colour (1, 1, 0)"), ("transparent", "not opaque")] {
            try place([(fixture, "sample/4.png")])
            let error = try subject.error("masks")
            #expect(error?.code == .nonBinaryMask && error?.message.contains(hint) == true)
        }
        try place([0, 1, 255] + [UInt8](repeating: 0, count: 32), as: "sample/4.png")
        #expect(try subject.error("masks")?.message.contains("value 255 at row 0, column 2") == true)
    }

    @Test("right regions are inverted, samples without a mask are not")
    func marksRight() throws {
        try place([("gray-255", "sample/2.png")])
        try place(Self.zeros, as: "sample/3.png")
        let summary = try subject.run("masks") { $0.marks = .right }
        #expect(try subject.masks() == (0..<7).map { $0 == 2 ? Self.mask.map { 1 - $0 } : Self.zeros })
        #expect(summary.annotatedCount == 1 && summary.emptyCount == 1)
        // 23 of 35 are marked, and that is as it should be.
        #expect(summary.meanShare == 23.0 / 35 && !summary.suggestsRightMarks)
    }

    @Test("masks over more than half of their images suggest that they mark the right regions")
    func suggestion() throws {
        try place(Self.mask.map { 1 - $0 }, as: "sample/3.png")
        #expect(try subject.run("masks").suggestsRightMarks)
    }

    @Test("a mask of zeros is none, unless it says that nothing is marked")
    func empty() throws {
        try place([("gray-1", "sample/1.png")])
        try place(Self.zeros, as: "sample/3.png")
        let summary = try subject.run("masks")
        #expect(summary.annotatedCount == 1 && summary.emptyCount == 1 && summary.suppliedCount == 2)
        #expect(try subject.samplesWithRow() == [1])
        let kept = try subject.run("masks") { ($0.empty, $0.force) = (.annotated, true) }
        #expect(kept.annotatedCount == 2 && kept.emptyCount == 1)
        #expect(try subject.samplesWithRow() == [1, 3])
        #expect(try subject.masks()[3] == Self.zeros)
        try subject.run("masks") { ($0.empty, $0.marks, $0.force) = (.annotated, .right, true) }
        #expect(try subject.masks()[3] == [UInt8](repeating: 1, count: 35))
    }

    @Test("a pattern says where the id stands in a file's name")
    func match() throws {
        try place([
            ("gray-1", "sample/2_segmentation.png"), ("gray-1", "sample/2_superpixels.png"),
            ("gray-1", "sample/99_segmentation.png"),
        ])
        try subject.folder.write([1], to: "masks/readme.txt")
        let summary = try subject.run("masks") { $0.match = "{id}_segmentation" }
        #expect(try subject.samplesWithRow() == [2])
        #expect(summary.tally.withoutSample.count == 2 && summary.tally.otherFileCount == 1)
        #expect(
            summary.tally.withoutSample.first == ["sample/2_superpixels.png", "sample/99_segmentation.png"])
        for pattern in ["segmentation", "{id}_{id}", ""] {
            let error = try subject.error("masks") { ($0.match, $0.force) = (pattern, true) }
            #expect(error?.code == .invalidOption && error?.message.contains("{id}") == true)
        }
    }

    @Test("without the ids' folders, files are matched by what stands behind them")
    func baseNames() throws {
        try place([("gray-1", "4.PNG"), ("gray-1", "more/5.png")])
        let summary = try subject.run("masks")
        #expect(try subject.samplesWithRow() == [4, 5])
        #expect(summary.tally.matching == .baseName)
        // A whole id settles it: then no other name is taken by its last part.
        try place([("gray-1", "sample/1.png")])
        let exact = try subject.run("masks") { $0.force = true }
        #expect(try subject.samplesWithRow() == [1])
        #expect(exact.tally.matching == .id && exact.tally.withoutSample.count == 2)
    }

    @Test("two masks for one sample are refused by name")
    func duplicates() throws {
        try place([("gray-1", "a/4.png"), ("gray-1", "b/4.png")])
        let error = try subject.error("masks")
        #expect(error?.code == .duplicateMask)
        #expect(error?.message.contains("a/4.png and b/4.png") == true)
    }

    @Test("masks of which none is for a sample are refused, with ids, names and the pattern that would match")
    func noMatch() throws {
        try place([("gray-1", "sample/2_mask.png"), ("gray-1", "sample/3_mask.png")])
        let error = try subject.error("masks")
        #expect(error?.code == .unmatchedMasks)
        for part in ["“sample/2_mask.png”", "“sample/0”", "`match` '{id}_mask'"] {
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
        let foreign = try subject.error("masks") { $0.match = "x{id}" }
        #expect(foreign?.code == .unmatchedMasks)
    }

    @Test("a mask of another size is refused with both sizes")
    func size() throws {
        try place([UInt8](repeating: 1, count: 35), as: "sample/1.png", height: 7, width: 5)
        let error = try subject.error("masks")
        #expect(error?.code == .wrongMaskSize)
        #expect(error?.message.contains("7×5") == true && error?.message.contains("5×7") == true)
    }

    @Test("a damaged file ends the import, by name, whatever the number of threads")
    func damaged() throws {
        for number in [6, 3, 4] { try subject.folder.write([0x89, 0x50], to: "masks/sample/\(number).png") }
        try place([("gray-1", "sample/1.png")])
        for threadCount in [1, 4] {
            let error = try subject.error("masks") { $0.threadCount = threadCount }
            #expect(error?.code == .unreadableImage && error?.path.hasSuffix("sample/3.png") == true)
        }
    }

    @Test("a symbolic link out of the folder is refused")
    func links() throws {
        try place([("gray-1", "sample/1.png")])
        try FileManager.default.createSymbolicLink(
            atPath: subject.folder.path("masks/sample/2.png"),
            withDestinationPath: Fixtures.path("formats/masks/pngs/gray-1.png"))
        let error = try subject.error("masks")
        #expect(error?.code == .unsafeId && error?.path.hasSuffix("sample/2.png") == true)
    }

    @Test("an empty folder is refused")
    func noFiles() throws {
        try subject.folder.write([1], to: "masks/readme.txt")
        #expect(try subject.error("masks")?.code == .empty)
    }

    @Test("the mask set says how it was made, and belongs to its dataset")
    func provenance() throws {
        try place([("classes-gray", "sample/1_x.png")])
        try subject.run("masks/") { ($0.maskValues, $0.match, $0.marks) = ([1, 2], "{id}_x", .right) }
        #expect(
            try subject.provenance()
                == .string(
                    #"{"command":"import masks","kind":"pngs","options":{"empty":"unannotated","marks":"right","#
                        + #""mask_values":[1,2],"match":"{id}_x"},"source":"masks"}"#))
    }

    @Test("an output that exists is kept, unless force is given")
    func exists() throws {
        try place([("gray-1", "sample/1.png")])
        try subject.folder.write([7], to: "m.h5")
        let error = #expect(throws: FormatError.self) { try subject.run("masks") }
        #expect(error?.code == .outputExists)
        #expect(try FileBytes.read(subject.folder.path("m.h5")) == [7])
        try subject.run("masks") { $0.force = true }
        #expect(try subject.samplesWithRow() == [1])
    }
}
