import Foundation
import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

/// `Fixtures/formats/masks/palettes` and `grown.json` are by Pillow and OpenCV (`make_mask_palettes.py`).
@Suite("Which pixels of a mask image count")
struct MaskReadingTests {
    let folder: TemporaryFolder

    /// A dataset of three images, 5×7, whose ids are `a/x`, `a/y` and `b/z`.
    init() throws {
        folder = try TemporaryFolder()
        for id in ["a/x", "a/y", "b/z"] { try write([], to: "in/\(id).png") }
        try run("import pngs in -o d.h5")
    }

    /// A gray image of zeros with 255 at some places.
    private func write(_ places: [Int], to name: String) throws {
        var samples = [UInt8](repeating: 0, count: 35)
        for place in places { samples[place] = 255 }
        let image = PNGImage(width: 7, height: 5, channels: 1, bitDepth: 8, samples: samples)
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    private func place(_ fixture: String, as name: String = "f/a/x.png") throws {
        let bytes = try FileBytes.read(Fixtures.path("formats/masks/palettes/\(fixture).png"))
        try folder.write(bytes, to: name)
    }

    @discardableResult
    private func run(_ line: String, status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
        #expect(outcome.status == status, "\(line): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    /// The masks that an import of `f` makes, by id, as digits; samples without one are left out.
    private func masks(_ options: String = "", source: String = "f") throws -> [String: String] {
        try run("import masks \(source) --for d.h5 -o m.h5 --force \(options)")
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 35)
        defer { buffer.deallocate() }
        var found: [String: String] = [:]
        for (index, id) in try dataset.ids().enumerated() where masks.isAnnotated(index) {
            _ = masks.expandMask(ofSample: index, channels: 1, into: buffer)
            found[id] = buffer.map(String.init).joined()
        }
        return found
    }

    private func refusal(_ options: String = "") throws -> String {
        try run("import masks f --for d.h5 -o m.h5 \(options)", status: 65).errors
    }

    private static let marked = (0..<35).map { $0 % 3 == 0 ? "1" : "0" }.joined()

    private static func inverted(_ mask: String) -> String { String(mask.map { $0 == "1" ? "0" : "1" }) }

    @Test(
        "black and white palettes are read as the image that they show, others by number 0 as background, or not"
    )
    func palettes() throws {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/masks/palettes.json")))
        let readings = try JSONDecoder().decode([String: String?].self, from: data)
        #expect(readings.count == 17)
        for (name, expected) in readings {
            try place(name)
            if let expected {
                #expect(try masks()["a/x"] == expected, "\(name)")
            } else {
                let errors = try run("import masks f --for d.h5 -o no.h5", status: 65).errors
                #expect(errors.contains("a/x.png") && errors.contains("--mask-values"), "\(name)")
            }
        }
    }

    @Test("a palette that is read against its numbers is told of, and its numbers are read on demand")
    func againstNumbers() throws {
        try place("white-first")
        try place("white-first-1-bit", as: "f/a/y.png")
        try place("black-first", as: "f/b/z.png")
        let report = try run("import masks f --for d.h5 -o m.h5 --json")
        let note = "masks read by the black and white of their palettes, not by its numbers: 2"
        #expect(report.errors.contains(note))
        let notes = try JSONValue(parsing: report.text)["notes"]?.arrayValue?.compactMap(\.stringValue)
        #expect(notes?.first?.hasPrefix(note) == true)
        let info = try JSONValue(parsing: run("info m.h5 --json").text)
        #expect(info["provenance"]?["readings"]?.arrayValue?.count == 1)
        let numbers = try masks("--mask-values 1")
        #expect(numbers["a/x"] == Self.inverted(Self.marked) && numbers["b/z"] == Self.marked)
        try place("black-first")
        try place("black-first", as: "f/a/y.png")
        #expect(try !run("import masks f --for d.h5 -o m.h5 --force").errors.contains("palette"))
    }

    @Test("a palette with two readings is refused with the option for each")
    func unclear() throws {
        try place("red-and-green")
        let errors = try refusal()
        for part in ["0 is FF0000", "1 is 00FF00", "--mask-values 1", "--mask-colors 00FF00"] {
            #expect(errors.contains(part), "\(errors)")
        }
        #expect(try masks("--mask-values 1")["a/x"] == Self.marked)
        #expect(try masks("--mask-colors 00FF00")["a/x"] == Self.marked)
        #expect(try masks("--mask-colors FF0000")["a/x"] == Self.inverted(Self.marked))
    }

    @Test("void of Pascal VOC is never marked as wrong, and alone it is refused with both readings")
    func void() throws {
        try place("class-and-void")
        let expected = try #require(try masks()["a/x"])
        #expect(expected.prefix(7) == "1000001")
        #expect(try run("import masks f --for d.h5 -o m.h5 --force").errors.contains("void pixels"))
        // The right region is inverted, and void with it no more than without.
        let right = try #require(try masks("--marks right")["a/x"])
        #expect(right.prefix(7) == "0000000" && right.dropFirst(7) == Self.inverted(expected).dropFirst(7))
        // The same where values are asked for.
        #expect(try masks("--marks right --mask-values 1")["a/x"] == right)
        let inverted = try masks("--invert")
        #expect(try masks("--invert --mask-values 1") == inverted)
        #expect(try masks("--mask-values 1")["a/x"] == expected)
        try place("void-alone")
        let errors = try run("import masks f --for d.h5 -o no.h5", status: 65).errors
        #expect(errors.contains("--mask-values 255") && errors.contains("--mask-values 1 as void"))
        #expect(try masks("--mask-values 255")["a/x"] == Self.marked)
        try place("three-and-void")
        #expect(
            try run("import masks f --for d.h5 -o no.h5", status: 65).errors.contains("--mask-colors C08080"))
    }

    @Test("colours count that are asked for, whatever the kind of image; transparent pixels do not")
    func colors() throws {
        try place("rgb")
        #expect(try refusal().contains("--mask-colors FF0000"))
        let red = String(Self.marked.enumerated().map { $0.offset == 33 ? "0" : $0.element })
        for fixture in ["rgb", "rgba"] {
            try place(fixture)
            #expect(try masks("--mask-colors ff0000")["a/x"] == red)
            let both = try #require(try masks("--mask-colors #FF0000,00FF00")["a/x"])
            #expect(both == String(red.enumerated().map { $0.offset == 32 ? "1" : $0.element }))
        }
        try write([2, 30], to: "f/a/x.png")
        #expect(try masks("--mask-colors FFFFFF")["a/x"]?.filter { $0 == "1" }.count == 2)
        let info = try JSONValue(parsing: run("info m.h5 --json").text)
        #expect(info["provenance"]?["options"]?["mask_colors"] == ["FFFFFF"])
    }

    @Test("masks grow and shrink as OpenCV lets them, in PNG files and in arrays")
    func growth() throws {
        struct Case: Decodable {
            let mask: String
            let distance: Int
            let dilated: String
            let eroded: String
        }
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/masks/grown.json")))
        let cases = try JSONDecoder().decode([Case].self, from: data)
        #expect(cases.count == 8)
        let zeros = String(repeating: "0", count: 35)
        for item in cases {
            let bits = item.mask.utf8.map { $0 & 1 }
            try write(bits.indices.filter { bits[$0] == 1 }, to: "f/a/x.png")
            #expect(try masks("--dilate \(item.distance)")["a/x"] ?? zeros == item.dilated)
            #expect(try masks("--erode \(item.distance)")["a/x"] ?? zeros == item.eroded)
            try folder.write(
                NPYHeader.bytes(shape: [3, 5, 7], type: .uint8) + bits + [UInt8](repeating: 0, count: 70),
                to: "f.npy")
            #expect(try masks("--dilate \(item.distance)", source: "f.npy")["a/x"] ?? zeros == item.dilated)
        }
        let info = try JSONValue(parsing: run("info m.h5 --json").text)
        #expect(info["provenance"]?["options"]?["dilate"] == 9)
    }

    @Test("--invert changes 0 and 1 in every source, before masks grow")
    func invert() throws {
        try write(Array(8..<35), to: "f/a/x.png")
        try folder.write(Array("id,x,y,width,height\na/x,1,1,6,1\na/x,0,2,7,3\n".utf8), to: "f.csv")
        try folder.write(
            Array(
                #"{"images": [{"id": 1, "file_name": "a/x.png", "height": 5, "width": 7}], "annotations": [{"image_id": 1, "bbox": [1, 1, 6, 1]}, {"image_id": 1, "bbox": [0, 2, 7, 3]}]}"#
                    .utf8), to: "f.json")
        try folder.write(
            NPYHeader.bytes(shape: [3, 5, 7], type: .uint8) + (0..<35).map { $0 < 8 ? 0 : 1 }
                + [UInt8](repeating: 1, count: 70), to: "f.npy")
        for source in ["f", "f.csv", "f.json", "f.npy"] {
            #expect(
                try masks("--invert", source: source) == [
                    "a/x": String(repeating: "1", count: 8) + String(repeating: "0", count: 27)
                ], "\(source)")
            let grown = try masks("--invert --dilate 1", source: source)["a/x"]
            #expect(grown?.prefix(21) == "111111111111111100000", "\(source)")
        }
        try folder.write(
            NPYHeader.bytes(shape: [3, 1, 5, 7], type: .uint8) + [UInt8](repeating: 1, count: 105),
            to: "x.npy")
        try run("import npy x.npy --masks f.npy --invert -o e.h5 --masks-output n.h5")
        let info = try JSONValue(parsing: run("info n.h5 --json").text)
        #expect(info["provenance"]?["options"]?["invert"] == true)
    }

    @Test("several numbered masks of one image become their union")
    func union() throws {
        for (name, place) in [
            ("x_mask", 0), ("x_mask_1", 1), ("x_mask_2", 9), ("y_mask-1", 3), ("y_mask-2", 4),
        ] {
            try write([place], to: "f/\(name).png")
        }
        try write([5], to: "f/x_masked_1.png")
        #expect(try refusal().contains("--match '{id}_mask'"))
        let found = try masks("--match {id}_mask")
        #expect(found.count == 2 && found["a/y"]?.prefix(7) == "0001100")
        #expect(found["a/x"]?.prefix(14) == "11000000010000")
        let errors = try run("import masks f --for d.h5 -o m.h5 --force --match {id}_mask").errors
        #expect(errors.contains("whose union is taken: 2 (x_mask.png, x_mask_1.png, x_mask_2.png, …)"))
        #expect(errors.contains("for no sample of the dataset: 1 (x_masked_1.png)"))
        // A number without a word before it may be an id's.
        try write([6], to: "g/x.png")
        try write([6], to: "g/x_1.png")
        #expect(try run("import masks g --for d.h5 -o m.h5 --force").errors.contains("(x_1.png)"))
    }

    @Test(
        "options that contradict each other, and distances that are none, are wrong use",
        arguments: [
            ("--mask-colors FF0000 --mask-values 1", "--mask-colors"),
            ("--mask-colors FF0000 --mask-threshold 0.5", "--mask-threshold"),
            ("--mask-colors red", "--mask-colors"), ("--dilate 0", "--dilate"), ("--erode 10001", "--erode"),
            ("--dilate 1 --erode 1", "--erode"), ("--strict", "--strict"),
        ])
    func usage(options: String, hint: String) throws {
        try write([1], to: "f/a/x.png")
        #expect(try run("import masks f --for d.h5 -o m.h5 \(options)", status: 64).errors.contains(hint))
    }
}
