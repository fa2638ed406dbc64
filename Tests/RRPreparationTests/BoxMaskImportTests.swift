import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

@Suite("Importing masks of a table of boxes")
struct BoxMaskImportTests {
    let subject: MaskImportCase

    init() throws { subject = try MaskImportCase(height: 4, width: 5) }

    func write(_ text: String) throws { try subject.folder.write(Array(text.utf8), to: "boxes.csv") }

    /// The rows of a mask, a 1 where a text has a `#`.
    func mask(_ rows: String...) -> [UInt8] { rows.joined().map { $0 == "#" ? 1 : 0 } }

    @Test("corners and extents say the same, and a sample's boxes are united")
    func union() throws {
        let expected = mask("##...", "###..", ".##..", ".....")
        for text in [
            "id,x_min,y_min,x_max,y_max\nsample/2,0,0,2,2\nsample/2,1,1,3,3\n",
            "x,label,y,width,height,file_name\n0,a,0,2,2,sample/2.jpg\n1,\"b, c\",1,2,2,sample/2.jpg\n",
        ] {
            try write(text)
            let summary = try subject.run("boxes.csv") { $0.force = true }
            #expect(try subject.masks()[2] == expected)
            #expect(try subject.samplesWithRow() == [2])
            #expect(summary.source == .boxes && summary.tally.annotations?.used == 2)
        }
    }

    @Test("a pixel is in a box where its centre is; the first edge counts, the last does not")
    func fractions() throws {
        try write(
            """
            id,x_min,y_min,x_max,y_max
            0,0.5,0.5,2.5,1.5
            1,0.51,0.49,2.51,1.49
            2,-3,2.6,1e6,99
            3,2.2,1.2,2.4,1.4
            """)
        let summary = try subject.run("boxes.csv")
        let masks = try subject.masks()
        #expect(masks[0] == mask("##...", ".....", ".....", "....."))
        #expect(masks[1] == mask(".##..", ".....", ".....", "....."))
        #expect(masks[2] == mask(".....", ".....", ".....", "#####"))
        #expect(masks[3] == mask(".....", ".....", ".....", "....."))
        #expect(summary.emptyCount == 1 && summary.annotatedCount == 3)
    }

    @Test("rows for no sample are counted")
    func unmatched() throws {
        try write("id,x,y,width,height\nsample/1,0,0,1,1\nsample/77,0,0,1,1\n")
        let summary = try subject.run("boxes.csv")
        #expect(summary.tally.withoutSample.first == ["sample/77"])
        #expect(summary.tally.annotations == .init(used: 1, filtered: 0, unmatched: 1))
        try write("id,x,y,width,height\nsample/77,0,0,1,1\n")
        #expect(try subject.error("boxes.csv") { $0.force = true }?.code == .unmatchedMasks)
    }

    @Test(
        "a defect is named with its line",
        arguments: [
            ("id,x,y,width,height\n0,0,0,1,1\n1,a,0,1,1\n", "line 3: x is “a”"),
            ("id,x,y,width,height\n0,nan,0,1,1\n", "line 2: x is “nan”"),
            ("id,x,y,width,height\n0,0,0,1e300,1\n", "line 2: width is “1e300”"),
            ("id,x,y,width,height\n\n0,0,0,-1,1\n", "line 3: the box ends before it begins"),
            ("id,x_min,y_min,x_max,y_max\n0,3,0,2,1\n", "line 2: the box ends before it begins"),
            ("id,x,y,width,height\n0,5,0,1,1\n", "line 2: the box, x 5.0 to 6.0"),
            ("id,x,y,width,height\n0,0,-2,1,2\n", "lies outside of the image of H×W = 4×5"),
            ("id,x,y,width,height\n,0,0,1,1\n", "line 2: the id is empty"),
            ("id,x,y,w\n0,0,0,1\n", "the header names id, x, y, w; needed"),
            ("foo,x,y,w,h\n0,0,0,1,1\n", "the header names foo, x, y, w, h"),
            ("id,file_name,x,y,width,height\n0,0,0,0,1,1\n", "either id or file_name"),
            ("id,x,y,width,height,x_min,y_min,x_max,y_max\n0,0,0,1,1,0,0,1,1\n", "either x_min"),
        ])
    func defects(text: String, hint: String) throws {
        try write(text)
        let error = try subject.error("boxes.csv")
        #expect(error?.code == .badAnnotation)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("a line that is no CSV is named")
    func malformed() throws {
        try write("id,x,y,width,height\n0,0,0,1\n")
        let error = #expect(throws: FormatError.self) { try subject.run("boxes.csv") }
        #expect(error?.message.contains("line 2 has 4 fields") == true)
    }

    @Test(
        "columns as others call them, and lines that say that there is nothing",
        arguments: [
            // VinDr-CXR, also as the copies with smaller pictures fill them.
            "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n2,Nodule,8,R9,1,1,3,3\n4,No finding,14,R9,,,,\n",
            "image_id,class_name,x_min,y_min,x_max,y_max,width,height\n2,Nodule,1,1,3,3,5,4\n4,No finding,0,0,1,1,5,4\n",
            // RSNA's pneumonia challenge, as pandas writes numbers that may be missing.
            "patientId,x,y,width,height,Target\n2,1.0,1.0,2.0,2.0,1\n4,,,,,0\n",
            "patientId,x,y,width,height,Target\n2,1.0,1.0,2.0,2.0,1\n4,nan,nan,nan,nan,0\n",
            // TensorFlow's and YOLO's tables, NIH's, and a spreadsheet's.
            "filename,width,height,class,xmin,ymin,xmax,ymax\nx/2.jpg,5,4,a,1,1,3,3\n4.jpg,5,4,,,,,\n",
            "image,x_center,y_center,width,height\n2.png,0.4,0.5,0.4,0.5\n4.png,NA,NA,NA,NA\n",
            "Image Index,Finding Label,Bbox [x,y,w,h],,,\n2.png,Mass,1,1,2,2,,,\n4.png,,,,,,,,\n",
            "image; x1 ;y1;x2;y2\r\n2.png;0,9; 1,0;3;3\r\n4.png;;;;\r\n",
            "file_name,left,top,w,h\nimages\\2.png,1,1,2,2\n.\\4.png,,,,\n",
        ])
    func otherColumns(text: String) throws {
        try write(text)
        let summary = try subject.run("boxes.csv") { $0.empty = .annotated }
        #expect(try subject.samplesWithRow() == [2, 4])
        #expect(try subject.masks()[2] == mask(".....", ".##..", ".##..", "....."))
        #expect(summary.emptyCount == 1 && summary.tally.annotations?.used == 1)
        let notes = summary.notes.map(\.description)
        #expect(notes.contains { $0.hasSuffix("which say that nothing is marked: 1") })
    }

    @Test(
        "a line that contradicts itself, and columns that name different samples, are refused",
        arguments: [
            ("patientId,x,y,width,height,Target\n2,1,1,2,2,0\n", "line 2: there is a box, but the target 0"),
            ("patientId,x,y,width,height,Target\n2,,,,,1\n", "line 2: the target is 1, but"),
            ("image_id,class_name,x_min,y_min,x_max,y_max\n2,No finding,0,0,3,1\n", "but “No finding” says"),
            ("id,x,y,width,height\n2,1,,2,2\n", "line 2: y is “”"),
            ("id,image_id,x,y,w,h\n0,3,0,0,1,1\n1,3,0,0,1,1\n", "line 2: the columns id and image_id name"),
            ("image,xmin,ymin,xmax,ymax,x1,y1,x2,y2\n0,0,0,1,1,0,0,1,1\n", "the header names"),
        ])
    func contradictions(text: String, hint: String) throws {
        try write(text)
        let error = try subject.error("boxes.csv")
        #expect(error?.code == .badAnnotation)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("of several columns the one is taken that names samples, and told")
    func nameColumns() throws {
        try write("id,image_id,x,y,w,h\n70,3,0,0,1,1\n71,5,1,0,1,1\n")
        let summary = try subject.run("boxes.csv")
        #expect(try subject.samplesWithRow() == [3, 5])
        #expect(summary.notes.contains("the samples' names are those of the column image_id"))
    }

    @Test("coordinates from 0 to 1 are shares of the image, unless all are whole")
    func shares() throws {
        try write("id,x_min,y_min,x_max,y_max\n0,0.2,0.25,0.6,1\n1,0,0,1,1\n")
        let summary = try subject.run("boxes.csv")
        #expect(try subject.masks()[0] == mask(".....", ".##..", ".##..", ".##.."))
        #expect(try subject.masks()[1] == [UInt8](repeating: 1, count: 20))
        #expect(summary.notes.contains { $0.description.contains("shares of the image's width and height") })
        try write("id,x_min,y_min,x_max,y_max\n1,0,0,1,1\n")
        try subject.run("boxes.csv") { $0.force = true }
        #expect(try subject.masks()[1] == mask("#....", ".....", ".....", "....."))
    }

    @Test("the columns width and height beside four edges are the image's size, which must be the dataset's")
    func imageSize() throws {
        try write("filename,width,height,xmin,ymin,xmax,ymax\n0.png,10,8,1,1,3,3\n")
        let error = try subject.error("boxes.csv")
        #expect(error?.code == .wrongMaskSize)
        #expect(
            error?.message.contains("8×10") == true
                && error?.message.contains("leave these columns out") == true)
        // Those of the box say nothing of the image.
        try write("filename,width,height,xmin,ymin,xmax,ymax\n0.png,2,2,1,1,3,3\n")
        try subject.run("boxes.csv")
        #expect(try subject.masks()[0] == mask(".....", ".##..", ".##..", "....."))
    }
}
