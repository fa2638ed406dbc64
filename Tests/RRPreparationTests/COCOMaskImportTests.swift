import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

/// `Fixtures/formats/masks/annotations.json` has seven images; `annotation-masks.json` is what pycocotools makes of them.
@Suite("Importing masks of COCO annotations")
struct COCOMaskImportTests {
    struct Expected: Decodable {
        let sample: Int
        let category: Int
        let area: Double
        let mask: String
    }

    let subject: MaskImportCase
    let expected: [Expected]
    static let fixture = Fixtures.path("formats/masks/annotations.json")

    init() throws {
        subject = try MaskImportCase(height: 9, width: 13)
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/masks/annotation-masks.json")))
        expected = try JSONDecoder().decode([Expected].self, from: data)
    }

    /// The unions of the masks that a filter takes.
    func unions(_ takes: (Expected) -> Bool) -> [[UInt8]] {
        var masks = Array(repeating: [UInt8](repeating: 0, count: 9 * 13), count: 7)
        for annotation in expected where takes(annotation) {
            for (position, digit) in annotation.mask.utf8.enumerated() where digit == UInt8(ascii: "1") {
                masks[annotation.sample][position] = 1
            }
        }
        return masks
    }

    @Test("run lengths, polygons and boxes are the masks of pycocotools, and a sample's are united")
    func everything() throws {
        let summary = try subject.run(Self.fixture)
        #expect(try subject.masks() == unions { _ in true })
        #expect(try subject.samplesWithRow() == [1, 2, 3, 4, 5, 6])
        #expect(summary.source == .coco && summary.tally.matching == .baseName)
        #expect(summary.tally.withoutSample.first == ["photos/elsewhere.jpg"])
        #expect(summary.tally.annotations == .init(used: 8, filtered: 0, unmatched: 1))
        #expect(summary.samplesWithoutMask == 1)
    }

    @Test("categories are taken by name or id, a name first")
    func categories() throws {
        for (wanted, ids) in [(["ruler"], [1]), (["2"], [2]), (["ruler", "ink"], [1, 2]), (["7"], [3])] {
            let summary = try subject.run(Self.fixture) { ($0.categories, $0.force) = (wanted, true) }
            #expect(try subject.masks() == unions { ids.contains($0.category) })
            #expect(summary.tally.annotations?.used == expected.count { ids.contains($0.category) })
        }
        let error = try subject.error(Self.fixture) { ($0.categories, $0.force) = (["rulers"], true) }
        #expect(error?.code == .invalidOption && error?.message.contains("ruler (1), ink (2)") == true)
    }

    @Test("areas are taken from the smallest to the largest, both included")
    func areas() throws {
        try subject.run(Self.fixture) { ($0.minimumArea, $0.maximumArea) = (10, 40) }
        #expect(try subject.masks() == unions { 10...40 ~= $0.area })
        try subject.run(Self.fixture) { ($0.minimumArea, $0.force) = (30.5, true) }
        #expect(try subject.masks() == unions { $0.area >= 30.5 })
    }

    /// A file with one image, `sample/3`, and annotations.
    func write(_ annotations: String, images: String? = nil) throws {
        let images = images ?? #"{"id": 5, "file_name": "sample/3.png", "height": 9, "width": 13}"#
        let text = "{\"images\": [\(images)], \"annotations\": [\(annotations)], \"categories\": []}"
        try subject.folder.write(Array(text.utf8), to: "a.json")
    }

    @Test(
        "a hostile annotation is refused by its id and its defect",
        arguments: [
            (#""segmentation": {"size": [9, 13], "counts": [5, 6]}"#, "add up to 11"),
            (#""segmentation": {"size": [9, 13], "counts": [5, 9223372036854775807]}"#, "more than the 117"),
            (#""segmentation": {"size": [9, 13], "counts": [5, -6, 118]}"#, "length -6"),
            (#""segmentation": {"size": [9, 13], "counts": [5.5, 111.5]}"#, "no whole number"),
            (#""segmentation": {"size": [9, 13], "counts": "zz zz"}"#, "none of its characters"),
            (#""segmentation": {"size": [9, 13], "counts": "05"}"#, "add up to 5"),
            (#""segmentation": {"size": [9, 13], "counts": 3}"#, "neither text nor a list"),
            (#""segmentation": {"size": [90000, 90000], "counts": [8100000000]}"#, "90000×90000"),
            (#""segmentation": {"size": [], "counts": [117]}"#, "the image has 9×13"),
            (#""segmentation": {"counts": [117]}"#, "size and counts"),
            (#""segmentation": [[0, 0, NaN, 5, 5, 5]]"#, "coordinate nan"),
            (#""segmentation": [[0, 0, 1e999, 5, 5, 5]]"#, "coordinate inf"),
            (#""segmentation": [[0, 0, 5, 5, 5]]"#, "5 numbers"),
            (#""segmentation": [[0, 0, 5, 5, 5, "6"]]"#, "no number"),
            (#""segmentation": [0, 0, 5, 5, 5, 6]"#, "no list of polygons"),
            (#""segmentation": [[0, 0, 9e7, 0, 0, 9e7]]"#, "coordinate 90000000.0"),
            (#""segmentation": "RLE""#, "neither a list of polygons nor"),
            (#""bbox": [1, 2, -3, 4]"#, "width -3"),
            (#""bbox": [1, 2, 3]"#, "the bbox is not"),
            (#""bbox": [1, 2, 3, "4"]"#, "the bbox is not"),
            (#""bbox": [NaN, 2, 3, 4]"#, "coordinate nan"),
            (#""area": 4"#, "neither a segmentation nor a bbox"),
        ])
    func hostile(segmentation: String, hint: String) throws {
        try write(
            #"{"id": 1, "image_id": 5, "bbox": [0, 0, 2, 2]}, {"image_id": 5, \#(segmentation), "id": 42}"#)
        let error = try subject.error("a.json")
        #expect(error?.code == .badAnnotation)
        #expect(error?.message.contains("annotation 42") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test(
        "an annotation must belong to an image of the file, and say so",
        arguments: [
            (#"{"id": 8, "image_id": 6, "bbox": [0, 0, 1, 1]}"#, "annotation 8 is for the image 6"),
            (#"{"id": 8, "image_id": "x", "bbox": [0, 0, 1, 1]}"#, "annotation 8 is for the image “x”"),
            (#"{"id": 8, "image_id": 5.5, "bbox": [0, 0, 1, 1]}"#, "the image_id of annotation number 0"),
            (#"{"id": 8, "bbox": [0, 0, 1, 1]}"#, "annotation 8 has no image_id"),
            (#"{"bbox": [0, 0, 1, 1]}"#, "annotation number 0 of the list has no image_id"),
            (#"{"id": [8], "image_id": 5}"#, "the id of annotation number 0"), ("7", "annotation number 0"),
        ])
    func foreign(annotation: String, hint: String) throws {
        try write(annotation)
        let error = try subject.error("a.json")
        #expect(error?.code == .badAnnotation)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    static let square = #""segmentation": [[2, 3, 6, 3, 6, 8, 2, 8]]"#

    @Test(
        "numbers with a fraction of zero, and whole numbers as text, are the whole numbers",
        arguments: [
            (
                #"{"id": 5.0, "file_name": "sample/3.png", "height": 9.0, "width": 13.0}"#,
                #"{"id": 1.0, "image_id": 5, "category_id": 1.0, \#(square)}"#
            ),
            (
                #"{"id": "5", "file_name": "sample/3.png", "height": 9, "width": 13}"#,
                #"{"id": "1", "image_id": 5, "category_id": "1", \#(square)}"#
            ),
            (
                #"{"id": "five", "file_name": "sample/3.png", "height": 9, "width": 13}"#,
                #"{"id": "a", "image_id": "five", "category_id": "1", \#(square)}"#
            ),
            (
                #"{"id": 5, "file_name": "images\\3.png", "height": 9, "width": 13}"#,
                #"{"id": 1, "image_id": 5.0, "category_id": 1, \#(square)}"#
            ),
            (
                #"{"id": 5, "file_name": "C:\\sample\\3.png", "height": 9, "width": 13}"#,
                #"{"id": 1, "image_id": 5, "category_id": 1, "segmentation": "#
                    + #"{"size": [9.0, 13.0], "counts": [21.0, 5.0, 4.0, 5.0, 4.0, 5.0, 4.0, 5.0, 64.0]}}"#
            ),
            (
                #"{"id": 5, "file_name": "./sample/3.png", "height": 9, "width": 13}"#,
                #"{"id": 1, "image_id": 5, "category_id": 1, "segmentation": [[]], "bbox": [2, 3, 4, 5]}"#
            ),
        ])
    func spellings(image: String, annotation: String) throws {
        try write(annotation, images: image)
        try subject.folder.write(
            Array(
                "{\"images\": [\(image)], \"annotations\": [\(annotation)], \"categories\": [{\"id\": 1.0, \"name\": \"x\"}]}"
                    .utf8), to: "a.json")
        try subject.run("a.json") { $0.categories = ["x"] }
        var expected = [UInt8](repeating: 0, count: 9 * 13)
        for row in 3..<8 { for column in 2..<6 { expected[row * 13 + column] = 1 } }
        #expect(try subject.masks()[3] == expected)
    }

    @Test(
        "what is wrong with one annotation alone is left out and counted, or stops where that is asked for",
        arguments: [
            (
                #""image_id": 6, \#(square)"#, "annotations for images that are not in the file, left out: 1",
                "image 6"
            ),
            (#""image_id": 5, "segmentation": [[1, 1, 5, 5]]"#, "fewer than three points", "4 numbers"),
            (
                #""image_id": 5, "segmentation": [[1, 1], [2, 3, 6, 3, 6, 8, 2, 8]]"#, "mark nothing: 1",
                "2 numbers"
            ),
            (#""image_id": 5, "segmentation": [[]]"#, "mark nothing: 1", "neither a segmentation nor a bbox"),
            (
                #""image_id": 5, "segmentation": [[], []]"#, "mark nothing: 1",
                "neither a segmentation nor a bbox"
            ),
        ])
    func leftOut(annotation: String, note: String, fault: String) throws {
        try write(#"{"id": 1, "image_id": 5, \#(Self.square)}, {"id": 42, \#(annotation)}"#)
        let error = try subject.error("a.json") { $0.isStrict = true }
        #expect(error?.code == .badAnnotation && error?.message.contains("annotation 42") == true)
        #expect(error?.message.contains(fault) == true, "\(error?.message ?? "")")
        let summary = try subject.run("a.json")
        #expect(
            summary.notes.contains { $0.description.contains(note) && $0.description.contains("`isStrict`") })
        #expect(try subject.masks()[3].count { $0 == 1 } == 20)
    }

    @Test("coordinates from 0 to 1 are shares of the image, unless one is beyond or all are whole")
    func shares() throws {
        for shape in [
            #""bbox": [0.153846153846, 0.3333333333, 0.3076923077, 0.5555555556]"#,
            #""segmentation": [[0.153846154, 0.33333333, 0.461538462, 0.33333333, 0.461538462, 0.88888889, 0.153846154, 0.88888889]]"#,
        ] {
            try write(#"{"id": 1, "image_id": 5, \#(shape)}"#)
            let summary = try subject.run("a.json") { $0.force = true }
            #expect(try subject.masks()[3].count { $0 == 1 } == 20)
            #expect(try subject.masks()[3][3 * 13 + 2] == 1)
            #expect(
                summary.notes.contains { $0.description.contains("shares of the image's width and height") })
        }
        try write(
            #"{"id": 1, "image_id": 5, "bbox": [0.5, 0.5, 0.5, 0.5]}, {"id": 2, "image_id": 5, "bbox": [0, 0, 3, 1]}"#
        )
        let summary = try subject.run("a.json") { $0.force = true }
        #expect(!summary.notes.contains { $0.description.contains("shares") })
    }

    @Test(
        "images that cannot be told apart, found or sized are refused",
        arguments: [
            (
                #"{"id": 5, "file_name": "sample/3.png"}"#, DatasetError.Code.badAnnotation,
                "no height and width"
            ),
            (#"{"id": 5, "height": 9, "width": 13}"#, .badAnnotation, "no file_name"),
            (#"{"file_name": "sample/3.png", "height": 9, "width": 13}"#, .badAnnotation, "no id"),
            (
                #"{"id": 5, "file_name": "sample/3.png"}, {"id": 5, "file_name": "sample/4.png"}"#,
                .badAnnotation, "two images have the id 5"
            ),
            (
                #"{"id": 5, "file_name": "sample/3.png", "height": 13, "width": 9}"#, .wrongMaskSize,
                "13×9, but the dataset's images are of 9×13"
            ),
            (
                #"{"id": 5, "file_name": "sample/3.png", "height": 4611686018427387904, "width": 4}"#,
                .wrongMaskSize, "4611686018427387904"
            ),
            (#"{"id": 5, "file_name": "z.png", "height": 9, "width": 13}"#, .unmatchedMasks, "“sample/0”"),
        ])
    func images(images: String, code: DatasetError.Code, hint: String) throws {
        try write(#"{"id": 1, "image_id": 5, "bbox": [0, 0, 1, 1]}"#, images: images)
        let error = try subject.error("a.json")
        #expect(error?.code == code)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("two images for one sample are refused by name")
    func duplicates() throws {
        try write(
            #"{"id": 1, "image_id": 5, "bbox": [0, 0, 1, 1]}, {"id": 2, "image_id": 6, "bbox": [0, 0, 1, 1]}"#,
            images: #"{"id": 5, "file_name": "3.png", "height": 9, "width": 13}, "#
                + #"{"id": 6, "file_name": "old/3.jpg", "height": 9, "width": 13}"#)
        let error = try subject.error("a.json")
        #expect(error?.code == .duplicateMask && error?.message.contains("3.png and old/3.jpg") == true)
    }

    @Test("a filter by area needs areas")
    func noArea() throws {
        try write(#"{"id": 1, "image_id": 5, "bbox": [0, 0, 1, 1]}"#)
        let error = try subject.error("a.json") { $0.minimumArea = 3 }
        #expect(error?.message.contains("annotation 1 has no area") == true)
    }

    @Test(
        "a file that is no COCO annotation file is refused",
        arguments: [
            ("{\"images\": []}", "no list “annotations”"), ("{\"annotations\": []}", "no list “images”"),
            ("{\"images\": [], \"images\": []}", "given twice"), ("{\"images\": 3}", "no list"),
        ])
    func otherFile(text: String, hint: String) throws {
        try subject.folder.write(Array(text.utf8), to: "a.json")
        let error = try subject.error("a.json")
        #expect(error?.code == .badAnnotation && error?.message.contains(hint) == true)
    }

    @Test("what is no JSON is refused by line and column")
    func otherText() throws {
        try subject.folder.write(Array("{\"images\": [],\n\"annotations\": []]".utf8), to: "a.json")
        let error = #expect(throws: FormatError.self) { try subject.run("a.json") }
        #expect(error?.code == .malformed && error?.message.contains("line 2, column 18") == true)
        try subject.folder.write([1, 2, 3], to: "a.bin")
        #expect(throws: FormatError.self) { try subject.run("a.bin") }
    }

    @Test(
        "options of another source are refused, and so are numbers that make no sense",
        arguments: [
            { (options: inout MaskImport.Options) in options.match = "{id}" }, { $0.maskValues = [1] },
            { $0.maskThreshold = 0.5 }, { $0.minimumArea = -1 }, { $0.maximumArea = .nan },
            { ($0.minimumArea, $0.maximumArea) = (5, 4) },
        ] as [@Sendable (inout MaskImport.Options) -> Void])
    func options(change: @Sendable (inout MaskImport.Options) -> Void) throws {
        #expect(try subject.error(Self.fixture, change)?.code == .invalidOption)
    }
}
