import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("Folders that hold masks beside their images")
struct MasksAmongImagesTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes images of a gray, or masks of which one pixel is set, each of the next pixel.
    private func write(_ names: [String], in root: String = "in") throws {
        var place = 0
        for name in names {
            var samples = Array(repeating: UInt8(100), count: 64)
            if name.lowercased().contains("mask") || name.contains("seg") {
                samples = Array(repeating: 0, count: 64)
                samples[place] = 255
                place += 1
            }
            let image = PNGImage(width: 8, height: 8, channels: 1, bitDepth: 8, samples: samples)
            try folder.write(PNGEncoder.encode(image), to: "\(root)/\(name)")
        }
    }

    private func run(_ arguments: [String], status: Int32 = 0) throws -> String {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return outcome.errors
    }

    @Test(
        "such a folder is refused with the command that imports both, and imported by it",
        arguments: [
            (["a/images/1.png", "a/images/2.png", "a/masks/1.png"], ["a/images/1": [0]]),
            (["a/1.png", "a/1_mask.png", "a/1_mask_1.png", "a/2.png"], ["a/1": [0, 1]]),
            (["a/x.png", "a/x_segmentation.png", "b/y.png"], ["a/x": [0]]),
            (["a/benign (1).png", "a/benign (1)_mask.png"], ["a/benign (1)": [0]]),
            (["a/Image/1.png", "a/Mask/1_mask.png", "a/Mask/1_mask2.png"], ["a/Image/1": [0, 1]]),
            (["a/7-Mask.png", "a/7.png", "train.png/8.png"], ["a/7": [0]]),
            (["a/mask_7.png", "a/7.png", "b/8.png"], ["a/7": [0]]),
            (
                ["a/imagesTr/1_0000.png", "a/imagesTr/2_0000.png", "a/masksTr/1.png"],
                ["a/imagesTr/1_0000": [0]]
            ),
            (["a/JPEGImages/1.png", "a/MaskClass/1.png", "a/JPEGImages/2.png"], ["a/JPEGImages/1": [0]]),
        ] as [([String], [String: [Int]])])
    func separated(names: [String], masks expected: [String: [Int]]) throws {
        try write(names)
        let refusal = try run(["import", "pngs", "in", "-o", "d.h5"], status: 65)
        #expect(
            refusal.contains(
                "`rrdata import pngs in --masks-among-images --masks-output MASKS.h5 …` imports both"),
            "\(refusal)")
        #expect(refusal.contains("--no-masks-among-images takes them for images"))
        #expect(
            try run(["stream", "in", "--batch-size", "4", "--format", "null"], status: 65)
                == refusal.replacing("import pngs", with: "import images"))

        _ = try run(["import", "pngs", "in", "--masks-among-images", "-o", "d.h5", "--masks-output", "m.h5"])
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        var found: [String: [Int]] = [:]
        for (index, id) in try dataset.ids().enumerated() where masks.isAnnotated(index) {
            let mask = try #require(masks.mask(ofSample: index))
            found[id] = mask.elements.indices.filter { mask.elements[$0] == 1 }
        }
        #expect(found == expected)
        #expect(dataset.sampleCount == names.count - expected.values.joined().count)

        let note = try run(["import", "pngs", "in", "--masks-among-images", "-o", "x.h5"])
        #expect(note.contains("left out; --masks-output imports them"))
        _ = try run(["import", "pngs", "in", "--no-masks-among-images", "-o", "all.h5"])
        #expect(try Dataset(path: folder.path("all.h5")).sampleCount == names.count)
    }

    @Test(
        "folders that hold masks by a word of their names are refused beside those with images",
        arguments: [
            ("JPEGImages", "SegmentationClass"), ("PNGImages", "SegmentationObject"), ("img", "ann"),
            ("train_images", "train_masks"), ("imagesTr", "labelsTr"), ("original_photos", "gtFine"),
        ])
    func words(images: String, masks: String) throws {
        try write(["\(images)/1.png", "\(images)/2.png", "\(masks)/1.png", "\(masks)/2.png"])
        let refusal = try run(["import", "pngs", "in", "-o", "d.h5"], status: 65)
        #expect(refusal.contains("`rrdata import pngs in/\(images) --masks in/\(masks)"), "\(refusal)")
        _ = try run(["import", "pngs", "in", "--no-masks-among-images", "--no-splits", "-o", "d.h5"])
        #expect(try Dataset(path: folder.path("d.h5")).sampleCount == 4)
    }

    @Test("masks beside all classes are named as what --masks takes, by a command that works")
    func siblings() throws {
        try write(["images/a/1.png", "images/b/2.png", "masks/a/1.png", "masks/b/2.png"])
        let refusal = try run(["import", "pngs", "in", "-o", "d.h5"], status: 65)
        #expect(
            refusal.contains(
                "`rrdata import pngs in/images --masks in/masks --masks-output MASKS.h5 …` imports both"))
        _ = try run([
            "import", "pngs", "in/images", "--masks", "in/masks", "-o", "d.h5", "--masks-output", "m.h5",
        ])
        #expect(try Dataset(path: folder.path("d.h5")).classNames == ["a", "b"])
    }

    @Test("names that only look like it are images, and a mask without an image is named")
    func others() throws {
        try write(["a/labelled.png", "a/segment.png", "gt/1.png", "mask/2.png", "b/unmasked_1.png"])
        #expect(try run(["import", "pngs", "in", "-o", "d.h5"]).isEmpty)
        try write(["a/1.png", "a/1_mask.png", "a/9_mask.png"], in: "other")
        let note = try run(
            ["import", "pngs", "other", "--masks-among-images", "-o", "o.h5", "--masks-output", "m.h5"])
        #expect(note.contains("masks whose image is not there: 1 (a/9_mask.png)"))
        #expect(try Dataset(path: folder.path("o.h5")).sampleCount == 1)
    }
}
