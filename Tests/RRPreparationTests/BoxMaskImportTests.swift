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
            ("id,x,y,w,h\n0,0,0,1,1\n", "the header names id, x, y, w, h"),
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
}
