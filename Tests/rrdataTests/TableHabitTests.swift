import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

/// Tables as spreadsheets, pandas and people write them; four images `0.png` to `3.png` beside a `metadata.csv`.
@Suite("Habits of tables")
struct TableHabitTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for number in 0..<4 {
            let image = PNGImage(width: 1, height: 1, channels: 1, bitDepth: 8, samples: [UInt8(number)])
            try folder.write(PNGEncoder.encode(image), to: "in/\(number).png")
        }
    }

    @discardableResult
    private func run(_ text: String, status: Int32 = 0) throws -> String {
        try folder.write(Array(text.utf8), to: "in/metadata.csv")
        let outcome = try CommandLineTool.run(
            ["import", "pngs", "in", "-o", "d.h5", "--force"], in: folder.path)
        #expect(outcome.status == status, "\(outcome.errors)")
        return outcome.errors
    }

    /// The class of each image, in the order of their names.
    private func classes() throws -> [String] {
        let dataset = try Dataset(path: folder.path("d.h5"))
        let labels = try #require(dataset.labels)
        return try zip(dataset.ids(), labels).sorted { $0.0 < $1.0 }.map { _, label in
            dataset.classNames?[Int(label)] ?? "\(label)"
        }
    }

    @Test(
        "spaces around names and values, other delimiters, quotes, CR LF and a byte order mark say nothing of classes",
        arguments: [
            "file_name , label\n0.png, cat\n 1.png ,cat \n2.png,\tdog\n3.png,dog",
            "file_name;label\n0.png;cat\n1.png;cat\n2.png;dog\n3.png;dog\n",
            "file_name\tlabel\r\n0.png\tcat\r\n1.png\tcat \r\n2.png\tdog\r\n3.png\tdog\r\n",
            "\u{FEFF}\"file_name\";\"label\"\r\n\"0.png\";\"cat\"\r\n\"1.png\";\"cat \"\r\n\"2.png\";\"dog\"\r\n3.png;dog",
            "file_name, \"label\" , x\n0.png, \"cat\",\n1.png,\"cat\" ,1\n2.png, \"dog\", \"a, b\"\n3.png,dog,\n, ,\n",
            "sep=;\r\nfile_name;label\r\n0.png;cat\r\n1.png;cat\r\n2.png;dog\r\n3.png;dog\r\n",
            "file_name|label\n0.png|cat\n1.png|cat\n2.png|dog\n3.png|dog\n",
        ])
    func classes(text: String) throws {
        let errors = try run(text)
        #expect(try classes() == ["cat", "cat", "dog", "dog"])
        #expect(try Dataset(path: folder.path("d.h5")).classNames == ["cat", "dog"])
        #expect(errors.contains("separated by") == !text.contains(","))
    }

    @Test("splits whose names differ in capitals alone are one, and classes that do are named")
    func capitals() throws {
        let errors = try run(
            "file_name,label,split\n0.png,Cat,Train\n1.png,cat,train\n2.png,dog,TEST\n3.png,dog,train \n")
        #expect(errors.contains("the splits “Train”, “train” are taken for one, “train”"), "\(errors)")
        #expect(errors.contains("“Cat”, “cat”"), "\(errors)")
        let dataset = try Dataset(path: folder.path("d.h5"))
        #expect(dataset.splitNames == ["TEST", "train"])
        #expect(dataset.splits == [0, 1, 1, 1])
        #expect(dataset.classNames == ["Cat", "cat", "dog"])
    }

    @Test("Excel's Unicode text, UTF-16 with a byte order mark, is a table", arguments: [false, true])
    func utf16(isBigEndian: Bool) throws {
        let text =
            "\u{FEFF}file_name\tlabel\r\n0.png\tcat\r\n1.png\tcat\r\n2.png\tchi\u{EA}n\r\n3.png\tchi\u{EA}n\r\n"
        let bytes = text.utf16.flatMap { unit -> [UInt8] in
            let pair = [UInt8(unit & 255), UInt8(unit >> 8)]
            return isBigEndian ? pair.reversed() : pair
        }
        try folder.write(bytes, to: "in/metadata.csv")
        let outcome = try CommandLineTool.run(["import", "pngs", "in", "-o", "d.h5"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try classes() == ["cat", "cat", "chi\u{EA}n", "chi\u{EA}n"])
    }

    @Test(
        "whole numbers are the same with a fraction of zero, and numbers are sorted as numbers",
        arguments: [
            (["1.0", "1", "10", "2.0"], ["1", "1", "10", "2"], nil),
            (["10.5", "2.5", "2.50", "-1"], ["10.5", "2.5", "2.5", "-1"], ["-1", "2.5", "10.5"]),
            (["1.0", "1", "a", "10"], ["1", "1", "a", "10"], ["1", "10", "a"]),
            (["1.0", "v1.0", "1.05", "1.0"], ["1.0", "v1.0", "1.05", "1.0"], ["1.0", "1.05", "v1.0"]),
        ] as [([String], [String], [String]?)])
    func numbers(labels: [String], expected: [String], names: [String]?) throws {
        try run("file_name,label\n" + labels.enumerated().map { "\($0).png,\($1)\n" }.joined())
        #expect(try classes() == expected)
        #expect(try Dataset(path: folder.path("d.h5")).classNames == names)
    }

    @Test("no value is no class", arguments: ["", "nan", "NaN", " ", "#N/A", "\"\"", "\"nan\""])
    func missing(value: String) throws {
        let one = try run("file_name,label\n0.png,a\n1.png,\(value)\n2.png,b\n3.png,b\n", status: 65)
        #expect(one.contains("line 3: there is no label"))
        let split = try run(
            "file_name,split\n0.png,train\n1.png,\(value)\n2.png,test\n3.png,test\n", status: 65)
        #expect(split.contains("line 3: some images have a split and others have none"))
        let all = try run("file_name,label\n" + (0..<4).map { "\($0).png,\(value)\n" }.joined())
        #expect(all.contains("no line has a label"))
        #expect(try Dataset(path: folder.path("d.h5")).labels == nil)
    }

    @Test("an export of classes with such names comes back as it was")
    func export() throws {
        try run("file_name,label\n0.png,NA\n1.png,x\n2.png,1.0\n3.png,x\n")
        // Class folders are taken to the letter.
        for (name, number) in [("nan", 0), (" a", 1), ("1.0", 2), ("x;y", 3)] {
            try folder.write(
                FileBytes.read(folder.path("in/\(number).png")), to: "classes/\(name)/\(number).png")
        }
        for line in [
            "import pngs classes -o e.h5", "export hdf5 e.h5 -o f.h5", "export pngs e.h5 -o out",
            "import pngs out -o g.h5",
        ] {
            let outcome = try CommandLineTool.run(
                line.split(separator: " ").map(String.init), in: folder.path)
            #expect(outcome.status == 0, "\(line): \(outcome.errors)")
        }
        #expect(try FileBytes.read(folder.path("e.h5")) == FileBytes.read(folder.path("g.h5")))
    }

    @Test("listed files and masks that are not there are skipped where that is asked for, each named")
    func missingFiles() throws {
        let text = "file_name,label,mask_file_name\n0.png,a,m/0.png\n7.png,b,m/7.png\n2.png,b,m/2.png\n"
        let mask = PNGImage(width: 1, height: 1, channels: 1, bitDepth: 8, samples: [255])
        try folder.write(PNGEncoder.encode(mask), to: "in/m/0.png")
        #expect(try run(text, status: 65).contains("line 3: there is no file “7.png”"))
        let line = "import pngs in -o e.h5 --masks-output m.h5 --on-error skip --json"
        let outcome = try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let skipped = try JSONValue(parsing: outcome.text)["skipped"]?.arrayValue ?? []
        #expect(skipped.map { $0["file"] } == ["7.png", "m/2.png"])
        #expect(outcome.errors.contains("skipped 7.png: line 3"))
        let dataset = try Dataset(path: folder.path("e.h5"))
        #expect(try dataset.ids() == ["0", "2"])
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        #expect(masks.isAnnotated(0) && !masks.isAnnotated(1))
        try folder.write(Array("file_name\n8.png\n9.png\n".utf8), to: "in/metadata.csv")
        let none = try CommandLineTool.run(
            ["import", "pngs", "in", "-o", "f.h5", "--on-error", "skip"], in: folder.path)
        #expect(none.status == 65 && none.errors.contains("none of the 2 files"))
    }

    @Test("paths of Windows are the files that they mean")
    func backslashes() throws {
        try folder.write(FileBytes.read(folder.path("in/0.png")), to: "in/sub/9.png")
        try run("file_name,label\nsub\\9.png,a\n1.png,b\n")
        #expect(try Dataset(path: folder.path("d.h5")).ids() == ["sub/9", "1"])
    }
}
