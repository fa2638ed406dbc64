import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

/// Each defect of a file of annotations is refused by what it is and where.
@Suite("Refusing damaged annotations")
struct AnnotationRefusalTests {
    let subject: MaskImportCase

    init() throws { subject = try MaskImportCase(height: 4, width: 6) }

    func check(_ text: String, to name: String, in source: String? = nil, _ hints: String...) throws {
        try subject.folder.write(Array(text.utf8), to: name)
        let error = try subject.error(source ?? name)
        #expect(error?.code == .badAnnotation)
        for hint in hints {
            #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
        }
    }

    @Test(
        "a shape of labelme",
        arguments: [
            (#""shape_type": "polygon""#, "no list “points”"), (#""points": [[1, 2, 3]]"#, "not x and y"),
            (#""points": [[1, "2"]]"#, "not x and y"), (#""points": [1, 2]"#, "not x and y"),
            (#""points": [[1, 2], [3, 1e9], [0, 0]]"#, "no place in an image"),
            (#""points": [[1, 2], [3, NaN], [0, 0]]"#, "coordinate nan"),
            (#""points": [[1, 2]], "shape_type": "rectangle""#, "has 1 points"),
            (#""points": [[1, 1], [3, 2], [3, 3], [1, 3]], "shape_type": "rectangle""#, "no corners"),
            (#""points": [[1, 2]], "shape_type": "circle""#, "has 1 points, not 2"),
            (#""points": [[1, 2], [9e5, 9e5]], "shape_type": "circle""#, "the radius"),
            (#""points": [[1, 2], [3, 4], [5, 6]], "shape_type": "line""#, "has 3 points"),
            (#""points": [[1, 2], [3, 4]], "shape_type": "point""#, "has 2 points"),
            (#""points": [[1, 2], [3, 4], [5, 6]], "shape_type": "oriented_rectangle""#, "has 3 points"),
            (#""points": [[1, 1], [2, 2]], "shape_type": "mask", "mask": "?""#, "no PNG file in base64"),
            (#""points": [[1, 1], [2, 2]], "shape_type": "mask""#, "no PNG file in base64"),
            (#""points": [[1, 1], [2, 2]], "shape_type": "mask", "mask": "QUJD""#, "shape 0 (“a”)"),
            (#""points": [[2, 2], [1, 1]], "shape_type": "mask", "mask": "QUJD""#, "the upper left first"),
            (#""points": [[NaN, 2], [1, 1]], "shape_type": "mask", "mask": "QUJD""#, "the upper left first"),
            (#""points": [[1, 1], [6, 2]], "shape_type": "mask", "mask": "QUJD""#, "not within the image"),
            (#""points": [[0, 0], [999999, 999999]], "shape_type": "mask", "mask": "QUJD""#, "not within"),
        ])
    func labelme(shape: String, hint: String) throws {
        try check(
            AnnotationReadingTests.labelme(#"{"label": "a", \#(shape)}"#), to: "1.json", hint, "shape 0")
    }

    @Test("a mask of labelme whose image has another size, or colours")
    func labelmeMask() throws {
        for (channels, hint) in [(1, "the mask's image has H×W = 2×2"), (3, "masks are gray")] {
            let (height, width) = channels == 1 ? (2, 2) : (2, 3)
            let png = try PNGEncoder.encode(
                PNGImage(
                    width: width, height: height, channels: channels, bitDepth: 8,
                    samples: [UInt8](repeating: 1, count: width * height * channels)))
            let text = AnnotationReadingTests.base64(png)
            let shape =
                #"{"label": "a", "points": [[0, 0], [2, 1]], "shape_type": "mask", "mask": "\#(text)"}"#
            try check(AnnotationReadingTests.labelme(shape), to: "1.json", hint)
        }
    }

    @Test("a file of labelme as a whole")
    func labelmeFile() throws {
        try check(#"{"imagePath": "1.png"}"#, to: "1.json", "no list “shapes”")
        try check(#"{"shapes": 3, "imagePath": "1.png"}"#, to: "1.json", "“shapes” is no list")
        try check(#"{"shapes": [], "shapes": []}"#, to: "1.json", "given twice")
        try check(AnnotationReadingTests.labelme("", size: (0, 6)), to: "1.json", "height 0")
        let deep = String(repeating: "[", count: 5000)
        for text in [#"{"shapes": [{"#, #"{"shapes": [], "x": \#(deep)"#, #"{"shapes": [\#(deep)"#] {
            try subject.folder.write(Array(text.utf8), to: "1.json")
            let error = #expect(throws: FormatError.self) { try subject.run("1.json") }
            #expect(error?.code == .malformed)
        }
        try subject.folder.write(
            Array(AnnotationReadingTests.labelme(AnnotationReadingTests.rectangle, size: (6, 4)).utf8),
            to: "1.json")
        let error = try subject.error("1.json")
        #expect(error?.code == .wrongMaskSize && error?.message.contains("fits once it is turned") == true)
        try subject.folder.write(
            Array(AnnotationReadingTests.labelme("", size: (900_000, 900_000)).utf8), to: "1.json")
        #expect(try subject.error("1.json")?.code == .wrongMaskSize)
    }

    @Test(
        "a shape of CVAT",
        arguments: [
            ("<box label='a' xtl='1' ytl='1' xbr='x' ybr='3'/>", "xbr is “x”"),
            ("<box label='a' xtl='1' ytl='1' xbr='3'/>", "ybr is “”"),
            ("<box label='a' xtl='1' ytl='1' xbr='0' ybr='3'/>", "width -1"),
            ("<box label='a' xtl='1' ytl='1' xbr='inf' ybr='3'/>", "xbr is “inf”"),
            ("<box label='a' xtl='1' ytl='1' xbr='3' ybr='3' rotation='nan'/>", "rotation"),
            ("<polygon label='a' points='1,2;3'/>", "“3” is not x and y"),
            ("<polygon label='a' points='1,2;3,z;4,4'/>", "“3,z” is not x and y"),
            ("<polygon label='a' points='1,2;3,1e9;4,4'/>", "no place in an image"),
            ("<ellipse label='a' cx='1' cy='2' rx='1'/>", "ry is “”"),
            ("<mask label='a' rle='1,2,1' left='0' top='0' width='2' height='3'/>", "add up to 4"),
            ("<mask label='a' rle='1,9' left='0' top='0' width='2' height='2'/>", "more than the 4"),
            ("<mask label='a' rle='-1,5' left='0' top='0' width='2' height='2'/>", "below 0"),
            (
                "<mask label='a' rle='1,9223372036854775807' left='0' top='0' width='2' height='2'/>",
                "more than"
            ),
            ("<mask label='a' rle='1;3' left='0' top='0' width='2' height='2'/>", "no whole number"),
            ("<mask label='a' rle='4' left='5' top='0' width='2' height='2'/>", "not within the image"),
            ("<mask label='a' rle='4' left='0' top='-1' width='2' height='2'/>", "not within the image"),
            ("<mask label='a' rle='4' left='0' top='0.5' width='2' height='2'/>", "no whole number"),
            ("<mask label='a' rle='' left='0' top='0' width='0' height='0'/>", "not within the image"),
            ("<mask label='a' rle='4' left='0' top='0' width='1000000' height='1000000'/>", "not within"),
            ("<blob label='a'/>", "not known"),
        ])
    func cvat(shape: String, hint: String) throws {
        let text =
            "<annotations><image id='0' name='1.png' width='6' height='4'>\n\(shape)</image></annotations>"
        try check(text, to: "a.xml", hint)
    }

    @Test("a file of CVAT as a whole")
    func cvatFile() throws {
        try check(
            "<annotations><image name='1.png'/></annotations>", to: "a.xml", "line 1", "no height and width")
        try check("<annotations><image width='6' height='4'/></annotations>", to: "a.xml", "no name")
        try check("<annotations></annotations>", to: "a.xml", "no <image>")
        try check("<svg/>", to: "a.xml", "<svg>")
        try check("<annotations><track id='0' label='a'/></annotations>", to: "a.xml", "CVAT for images 1.1")
        let bomb = "<!DOCTYPE a [<!ENTITY b 'cc'><!ENTITY d '&b;&b;&b;'>]><annotations>&d;</annotations>"
        for text in [bomb, "<annotations><image", "<annotations></image>"] {
            try subject.folder.write(Array(text.utf8), to: "a.xml")
            let error = #expect(throws: FormatError.self) { try subject.run("a.xml") }
            #expect(error?.code == .malformed)
        }
    }

    @Test(
        "a region of Label Studio",
        arguments: [
            (#""x": 1, "y": 1, "height": 3"#, "width is nan"),
            (#""x": 1, "width": 3, "height": 3"#, "y is nan"),
            (#""x": 1e99, "y": 1, "width": 3, "height": 3"#, "x is"),
            (#""x": 1, "y": 1, "width": -3, "height": 3"#, "a box has the width"),
            (#""x": 1, "y": 1, "width": 3, "height": 3, "rotation": NaN"#, "rotation is nan"),
            (#""x": 1, "y": 1, "radiusX": 3"#, "radiusY is nan"),
            (#""points": [[1, 2], [3]]"#, "not x and y"),
            (#""points": [[1, 2], [3, 4], [1e99, 5]]"#, "no place"),
            (#""format": "rle", "rle": [0, 256]"#, "no byte"),
            (#""format": "rle", "rle": [0, 1.5]"#, "no byte"),
            (#""format": "rle", "rle": [0, 1]"#, "cut short"),
            (#""format": "rle", "rle": [255, 255, 255, 255, 57, 27, 252]"#, "4294967295 values"),
        ])
    func labelStudio(value: String, hint: String) throws {
        let region = AnnotationReadingTests.region(value)
        try check("[\(AnnotationReadingTests.task(region))]", to: "a.json", hint, "task 7")
    }

    @Test("a file of Label Studio as a whole")
    func labelStudioFile() throws {
        typealias Text = AnnotationReadingTests
        let region = Text.region(Text.box)
        try check("[]", to: "a.json", "no tasks")
        try check("[3]", to: "a.json", "no object")
        try check(#"[{"id": 3, "data": {}}]"#, to: "a.json", "names its image")
        try check("[\(Text.task("3"))]", to: "a.json", "region 0: it is no object")
        let unsized = region.replacing("original_width", with: "width_of")
        try check("[\(Text.task(unsized))]", to: "a.json", "no original_width")
        let turned = region.replacing("image_rotation\": 0", with: "image_rotation\": 90")
        try check("[\(Text.task(turned))]", to: "a.json", "turned by 90")
        let larger = Text.region(Text.box, id: "b").replacing(
            "\"original_width\": 6", with: "\"original_width\": 7")
        try check("[\(Text.task("\(region), \(larger)"))]", to: "a.json", "another size")
        let elsewhere = Text.region(Text.box, id: "b").replacing(
            "\"to_name\": \"image\"", with: "\"to_name\": \"right\"")
        try check("[\(Text.task("\(region), \(elsewhere)"))]", to: "a.json", "several images (image, right)")
        for text in ["[", "[{\"data\": {}}", "[" + String(repeating: "[", count: 999)] {
            try subject.folder.write(Array(text.utf8), to: "a.json")
            #expect(throws: (any Error).self) { try subject.run("a.json") }
        }
    }

    @Test(
        "a line of YOLO's labels",
        arguments: [
            ("0.5 0.5 0.5 0.5 0.5", "the class is “0.5”"), ("-1 0.5 0.5 0.5 0.5", "the class is “-1”"),
            ("0 0.5 0.5 0.5", "3 numbers"), ("0 0.5 0.5 0.5 0.5 0.9", "5 numbers"),
            ("0 0.1 0.1 0.5 0.5 0.9 0.9 0.7", "7 numbers"), ("0 0.5 0.5 0.5 x", "no number"),
            ("0 0.5 0.5 12 0.5", "12.0 is no share"), ("0 0.5 0.5 nan 0.5", "nan is no share"),
            ("0 0.5 0.5 -0.005 0.5", "below 0"), ("0 0.1 0.1 0.5 0.5 0.9 -0.2", "-0.2 is no share"),
        ])
    func yolo(line: String, hint: String) throws {
        try check("0 0.5 0.5 0.1 0.1\n\n\(line)\n", to: "f/1.txt", in: "f", "line 3", hint)
    }
}
