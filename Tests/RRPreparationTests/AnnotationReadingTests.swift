import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

/// How files of annotation tools are told from others, and how their images find samples.
@Suite("Reading annotations")
struct AnnotationReadingTests {
    let subject: MaskImportCase

    init() throws { subject = try MaskImportCase(height: 4, width: 6) }

    func write(_ text: String, to name: String) throws {
        try subject.folder.write(Array(text.utf8), to: name)
    }

    func writeImage(_ samples: [UInt8], to name: String) throws {
        try subject.folder.write(
            PNGEncoder.encode(PNGImage(width: 6, height: 4, channels: 1, bitDepth: 8, samples: samples)),
            to: name)
    }

    static func labelme(_ shapes: String, image: String = "1.png", size: (Int, Int) = (4, 6)) -> String {
        """
        {"version": "5.5.0", "flags": {}, "shapes": [\(shapes)], "imagePath": "\(image)", "imageData": null,
         "imageHeight": \(size.0), "imageWidth": \(size.1)}
        """
    }

    static let rectangle =
        #"{"label": "logo", "points": [[1, 1], [2, 2.9]], "group_id": null, "shape_type": "rectangle", "flags": {}}"#

    static func task(_ results: String, image: String = "/data/upload/1/0123abcd-1.png", more: String = "")
        -> String
    {
        """
        {"id": 7, "data": {"image": "\(image)"}, "annotations": [{"id": 1, "result": [\(results)]}]\(more)}
        """
    }

    static func region(_ value: String, id: String = "a", type: String = "rectanglelabels", more: String = "")
        -> String
    {
        """
        {"original_width": 6, "original_height": 4, "image_rotation": 0, "id": "\(id)", "to_name": "image",
         "type": "\(type)"\(more), "value": {\(value)}}
        """
    }

    /// Columns 1 and 2 of rows 1 and 2.
    static let box = #""x": 16.666666666667, "y": 25, "width": 33.333333333333, "height": 50, "rotation": 0"#

    static func mask(_ places: [Int]) -> [UInt8] { (0..<24).map { places.contains($0) ? 1 : 0 } }

    static let square = mask([7, 8, 13, 14])

    // MARK: - Folders

    @Test("photographs beside labelme's files are what was annotated, and other files are named")
    func photographs() throws {
        try write(Self.labelme(Self.rectangle), to: "f/1.json")
        try write(#"{"some": "thing"}"#, to: "f/export.json")
        try writeImage((0..<24).map { UInt8($0) }, to: "f/1.png")
        let summary = try subject.run("f")
        #expect(summary.source == .labelme)
        #expect(try subject.masks()[1] == Self.square)
        #expect(summary.notes.contains { $0.description.contains("passed over: 1 (export.json)") })
    }

    @Test(
        "images of two values beside annotations may be masks: refused with both readings, unless an option says it"
    )
    func twoReadings() throws {
        try write(Self.labelme(Self.rectangle), to: "f/1.json")
        try writeImage(Self.mask([0, 1]).map { $0 * 255 }, to: "f/1.png")
        let error = try subject.error("f")
        #expect(error?.code == .badFolderStructure)
        #expect(error?.message.contains("annotations of labelme, or as a folder of PNG files") == true)
        try subject.run("f") { $0.format = .labelme }
        #expect(try subject.masks()[1] == Self.square)
        try subject.run("f") { ($0.format, $0.force) = (.pngs, true) }
        #expect(try subject.masks()[1] == Self.mask([0, 1]))
        try subject.run("f") { ($0.maskValues, $0.force) = ([255], true) }
        #expect(try subject.masks()[1] == Self.mask([0, 1]))
        try write("0 0.5 0.5 0.2 0.2", to: "f/1.txt")
        #expect(
            try subject.error("f") { $0.force = true }?.message.contains("labelme or yolo or pngs") == true)
    }

    @Test("a folder of masks stays one, whatever texts lie beside them")
    func masksAlone() throws {
        try writeImage(Self.mask([3]), to: "f/1.png")
        try write(#"{"images": [], "annotations": []}"#, to: "f/coco.json")
        try write("made on a Monday, 5 of 7", to: "f/notes.txt")
        try write("<html><body/></html>", to: "f/a.xml")
        try write("", to: "f/empty.txt")
        #expect(try subject.run("f").source == .pngs)
        #expect(try subject.masks()[1] == Self.mask([3]))
    }

    @Test("a format that the source cannot be is a fault of the option")
    func impossibleFormat() throws {
        try write(Self.labelme(Self.rectangle), to: "f/1.json")
        for (source, format) in [
            ("f", MaskSourceKind.coco), ("f", .labelStudio), ("f/1.json", .yolo), ("f/1.json", .pngs),
        ] {
            #expect(try subject.error(source) { $0.format = format }?.code == .invalidOption)
        }
        #expect(try subject.error("f") { $0.format = .yolo }?.code == .empty)
        // Whoever says what a file is is believed.
        #expect(throws: FormatError.self) { try subject.run("f/1.json") { $0.format = .cvat } }
    }

    @Test("options that a form has no use for are refused")
    func options() throws {
        try write(Self.labelme(Self.rectangle), to: "1.json")
        let changes: [(inout MaskImport.Options) -> Void] = [
            { $0.match = "{id}" }, { $0.maskValues = [1] }, { $0.minimumArea = 3 }, { $0.masks = "a" },
        ]
        for change in changes { #expect(try subject.error("1.json", change)?.code == .invalidOption) }
        try write("<annotations><image id='0' name='1.png' width='6' height='4'/></annotations>", to: "a.xml")
        #expect(try subject.error("a.xml") { $0.maskThreshold = 0.5 }?.code == .invalidOption)
    }

    @Test("CVAT's file is found in a folder of its export")
    func exported() throws {
        try write(
            "<annotations><image id='0' name='1.png' width='6' height='4'><box label='a' xtl='1' ytl='1' xbr='3' "
                + "ybr='3'/></image></annotations>", to: "f/annotations.xml")
        try writeImage((0..<24).map { UInt8($0) }, to: "f/images/1.png")
        #expect(try subject.run("f").source == .cvat)
        #expect(try subject.masks()[1] == Self.square)
        try write("<annotations/>", to: "f/b.xml")
        #expect(try subject.error("f") { $0.force = true }?.message.contains("several files of CVAT") == true)
    }

    // MARK: - Names

    @Test(
        "Label Studio's addresses are read to the names of images",
        arguments: [
            "/data/upload/1/0123abcd-1.png", "/data/local-files/?d=photos/1.jpg", "s3://bucket/some/1.png",
            "https://host.example/a%20b/1.png?token=/x/y.z", "1.png", "sample/1", "0123abcd-1.png",
        ])
    func addresses(image: String) throws {
        try write("[\(Self.task(Self.region(Self.box), image: image))]", to: "a.json")
        let summary = try subject.run("a.json")
        #expect(try subject.masks()[1] == Self.square)
        #expect(summary.source == .labelStudio)
        let note = summary.notes.map(\.description).first {
            $0.hasPrefix("the samples' names are those of “image”")
        }
        #expect(note?.contains("eight characters") == image.contains("abcd"))
    }

    @Test("two keys of the data that name different samples equally well are refused")
    func contradictoryKeys() throws {
        let text = Self.task(Self.region(Self.box)).replacing(
            "\"image\": \"/data", with: "\"other\": \"2.png\", \"image\": \"/data")
        try write("[\(text)]", to: "a.json")
        let error = try subject.error("a.json")
        #expect(
            error?.code == .badAnnotation && error?.message.contains("“other”") == true,
            "\(error?.message ?? "")")
    }

    @Test("labelme's files find samples by their own name or by that of the image")
    func labelmeNames() throws {
        try write(Self.labelme(Self.rectangle, image: #"..\\photos\\3.jpg"#), to: "f/first.json")
        try subject.run("f/first.json")
        #expect(try subject.masks()[3] == Self.square)
        try write(Self.labelme(Self.rectangle, image: "IMG_77.jpg"), to: "g/5.json")
        try subject.run("g") { $0.force = true }
        #expect(try subject.masks()[5] == Self.square)
        try write(Self.labelme(Self.rectangle, image: "2.jpg"), to: "h/5.json")
        #expect(try subject.error("h") { $0.force = true }?.message.contains("imagePath") == true)
        try write(Self.labelme(Self.rectangle, image: "x.jpg"), to: "i/y.json")
        #expect(try subject.error("i") { $0.force = true }?.code == .unmatchedMasks)
    }

    @Test("two images for one sample are refused")
    func duplicates() throws {
        for name in ["f/a/1.json", "f/b/1.json"] { try write(Self.labelme(Self.rectangle), to: name) }
        let error = try subject.error("f")
        #expect(error?.code == .duplicateMask)
    }

    // MARK: - What is taken

    @Test(
        "annotations that were cancelled, predictions and keypoints are not taken, several annotations are united"
    )
    func annotations() throws {
        let other = Self.region(#""x": 0, "y": 0, "width": 16.7, "height": 25, "rotation": 0"#)
        let point = Self.region(#""x": 50, "y": 50, "width": 0.3"#, id: "k", type: "keypointlabels")
        let more = """
            , "predictions": [{"result": [\(other)]}]
            """
        let text = Self.task("\(Self.region(Self.box)), \(point)", more: more).replacing(
            "\"annotations\": [",
            with:
                "\"annotations\": [{\"result\": [\(other)]}, {\"was_cancelled\": true, \"result\": [\(Self.region(#""x": 0, "y": 0, "width": 100, "height": 100"#))]}, "
        )
        try write(text, to: "a.json")
        let summary = try subject.run("a.json")
        #expect(try subject.masks()[1] == Self.mask([0, 7, 8, 13, 14]))
        let notes = summary.notes.map(\.description)
        #expect(notes.contains("images with several annotations, whose union is taken: 1"))
        #expect(notes.contains("predictions, which are not taken: 1"))
        #expect(notes.contains("shapes that enclose nothing, left out: keypointlabels 1"))
    }

    @Test("a label that stands apart from its shape belongs to it by its id")
    func labelsApart() throws {
        let label = Self.region(#""labels": ["ruler"]"#, type: "labels")
        try write("[\(Self.task("\(label), \(Self.region(Self.box, type: "rectangle"))"))]", to: "a.json")
        let summary = try subject.run("a.json") { $0.categories = ["ruler"] }
        #expect(summary.tally.annotations == .init(used: 1))
        #expect(try subject.masks()[1] == Self.square)
    }

    @Test("of soft masks all that is not 0 counts, or what is at least a share of the largest value")
    func softMasks() throws {
        let png = try PNGEncoder.encode(
            PNGImage(width: 3, height: 2, channels: 1, bitDepth: 8, samples: [0, 1, 128, 255, 127, 0]))
        let shape =
            #"{"label": "a", "points": [[1, 1], [3, 2]], "shape_type": "mask", "mask": "\#(Self.base64(png))"}"#
        try write(Self.labelme(shape), to: "1.json")
        try subject.run("1.json")
        #expect(try subject.masks()[1] == Self.mask([8, 9, 13, 14]))
        try subject.run("1.json") { ($0.maskThreshold, $0.force) = (0.5, true) }
        #expect(try subject.masks()[1] == Self.mask([9, 13]))
        // Four runs of RGBA values, each of 24 values: covers 0, 64, 128 and 255.
        var bits = String(24 * 4, radix: 2).padded(32) + "00111" + "0100010001000100"
        for cover in [0, 64, 128, 255] { bits += "100" + "10111" + String(cover, radix: 2).padded(8) }
        let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
            Int(bits.dropFirst(start).prefix(8), radix: 2).map { $0 << max(0, 8 - (bits.count - start)) } ?? 0
        }
        let brush = Self.region(
            #""format": "rle", "rle": \#(bytes), "brushlabels": ["a"]"#, type: "brushlabels")
        try write("[\(Self.task(brush))]", to: "a.json")
        try subject.run("a.json") { $0.force = true }
        #expect(try subject.masks()[1] == Self.mask(Array(6..<24)))
        try subject.run("a.json") { ($0.maskThreshold, $0.force) = (0.5, true) }
        #expect(try subject.masks()[1] == Self.mask(Array(12..<24)))
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let number = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for digit in 0...part.count { text.append(digits[number >> (18 - 6 * digit) & 63]) }
            text += String(repeating: "=", count: 3 - part.count)
        }
        return text
    }

    @Test("an image that was looked at and has no shape says that nothing is marked")
    func empty() throws {
        try write(Self.labelme(""), to: "f/1.json")
        #expect(try subject.run("f").suppliedCount == 1)
        try subject.run("f") { ($0.empty, $0.force) = (.annotated, true) }
        #expect(try subject.samplesWithRow() == [1])
        try write("", to: "y/2.txt")
        try write("0 0.5 0.5 0.1 0.1\n", to: "y/3.txt")
        try subject.run("y") { ($0.empty, $0.force) = (.annotated, true) }
        #expect(try subject.samplesWithRow() == [2, 3])
        let images =
            "<image id='0' name='1.png' width='6' height='4'/><image id='1' name='2.png' width='6' height='4'>"
        try write(
            "<annotations>\(images)<polyline label='a' points='1,1;2,2'/></image></annotations>", to: "a.xml")
        let summary = try subject.run("a.xml") { ($0.empty, $0.force) = (.annotated, true) }
        #expect(try subject.samplesWithRow() == [])
        #expect(summary.notes.contains("shapes that enclose nothing, left out: polyline 1"))
    }

    @Test("polygons of two points are counted, and refused where that is asked for")
    func degenerate() throws {
        let line = #"{"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "polygon"}"#
        try write(Self.labelme("\(Self.rectangle), \(line)"), to: "1.json")
        let summary = try subject.run("1.json")
        #expect(try subject.masks()[1] == Self.square)
        #expect(
            summary.notes.contains {
                $0.description.contains("fewer than three points, which mark nothing: 1")
            })
        let error = try subject.error("1.json") { ($0.isStrict, $0.force) = (true, true) }
        #expect(error?.code == .badAnnotation && error?.message.contains("shape 1 (“a”)") == true)
    }

    @Test(
        "the names of YOLO's classes are found beside the labels and above them",
        arguments: [
            ("classes.txt", "logo\r\nruler\n"), ("obj.names", "logo\nruler"),
            ("data.yaml", "nc: 2\nnames: ['logo', \"ruler\"]\n"),
            ("data.yaml", "names:\n- logo\n- ruler\nnc: 2\n"),
            ("data.yaml", "names:\n  0: logo # the first\n  1: 'ruler'\npath: x\n"),
            ("data.yaml", "names: {0: logo, 1: ruler}"), ("data.yml", "names: [logo,\n  ruler]\n"),
            ("dataset.yaml", "# names: [x]\nnames:\n  - logo\n\n  - ruler\n"),
        ])
    func classNames(file: String, text: String) throws {
        try write("0 0.5 0.5 1 1\n1 0.333333 0.5 0.333333 0.5\n", to: "d/labels/batch/1.txt")
        try write(text, to: "d/\(file)")
        for category in ["ruler", "1"] {
            try subject.run("d/labels/batch") { ($0.categories, $0.force) = ([category], true) }
            #expect(try subject.masks()[1] == Self.square)
        }
        let error = try subject.error("d") { ($0.categories, $0.force) = (["2"], true) }
        #expect(error?.message.contains("there are logo (0), ruler (1)") == true, "\(error?.message ?? "")")
    }

    @Test("names of classes in a form that is not known are refused, not guessed")
    func unknownNames() throws {
        try write("0 0.5 0.5 1 1\n", to: "d/1.txt")
        for text in ["names: cats.txt", "names:\n  a: b", "names: [logo", "names: {logo}"] {
            try write(text, to: "d/data.yaml")
            let error = try subject.error("d")
            #expect(error?.code == .badAnnotation && error?.path.hasSuffix("data.yaml") == true, "\(text)")
        }
    }
}

extension String {
    fileprivate func padded(_ count: Int) -> String {
        String(repeating: "0", count: count - self.count) + self
    }
}
