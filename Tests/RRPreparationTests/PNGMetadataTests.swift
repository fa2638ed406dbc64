import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import TestSupport
import Testing

@Suite("Importing PNGs that a metadata file lists")
struct PNGMetadataTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func writeImages(_ names: String...) throws {
        for (number, name) in names.enumerated() {
            let image = PNGImage(width: 1, height: 1, channels: 1, bitDepth: 8, samples: [UInt8(number)])
            try folder.write(PNGEncoder.encode(image), to: "in/" + name)
        }
    }

    func write(_ text: String, to name: String = "metadata.csv") throws {
        try folder.write(Array(text.utf8), to: "in/" + name)
    }

    func run() throws -> ImportSummary {
        try PNGFolderImport(folder: folder.path("in"), output: folder.path("out.h5")).run()
    }

    func dataset() throws -> Dataset { try Dataset(path: folder.path("out.h5")) }

    @Test("a CSV gives labels, splits and masks, in any order, with quotes as RFC 4180 has them")
    func csv() throws {
        try writeImages("b.png", "sub/a, \"x\".png", "c.PNG", "not-listed.png")
        try write(
            "\u{FEFF}label,file_name,split,other,mask_file_name\r\n"
                + "dog,b.png,train,1,masks/b.png\r\n\r\n"
                + "\"big\ncat\",\"sub/a, \"\"x\"\".png\",test,2,\r\n"
                + "dog,c.PNG,test,\"3\",\"m,c.png\"")
        let summary = try run()
        #expect(summary.classNames == ["big\ncat", "dog"])
        #expect(
            summary.splits.map(\.name) == ["test", "train"] && summary.splits.map(\.sampleCount) == [2, 1])
        let dataset = try dataset()
        #expect(try dataset.ids() == ["sub/a, \"x\"", "c", "b"])
        #expect(dataset.labels == [0, 1, 1])
        #expect(dataset.splits == [0, 0, 1])
        #expect(summary.maskPaths == [[], ["m,c.png"], ["masks/b.png"]])
    }

    @Test("whole numbers are labels as they stand, in CSV and in JSON lines")
    func numbers() throws {
        try writeImages("b.png", "a.png")
        try write("file_name,label\nb.png,7\na.png,10\n")
        let summary = try run()
        #expect(summary.isLabelled && summary.classNames == nil && summary.maskPaths == nil)
        #expect(try dataset().labels == [7, 10])
        #expect(try dataset().ids() == ["b", "a"])
    }

    @Test("JSON lines in split folders, as Hugging Face has them")
    func jsonLines() throws {
        try writeImages("train/2.png", "train/1.png", "test/1.png")
        try write(
            #"{"file_name": "2.png", "label": "x", "text": "more"}"# + "\n\n"
                + #"{"label": "y", "file_name": "1.png", "mask_file_name": "m.png"}"#,
            to: "train/metadata.jsonl")
        try write(#"{"file_name": "1.png", "label": "y"}"# + "\r\n", to: "test/metadata.jsonl")
        let summary = try run()
        #expect(summary.classNames == ["x", "y"])
        let dataset = try dataset()
        #expect(try dataset.ids() == ["test/1", "train/2", "train/1"])
        #expect(dataset.labels == [1, 0, 1])
        #expect(summary.splits.map(\.name) == ["test", "train"])
        #expect(summary.maskPaths == [[], [], ["train/m.png"]])
    }

    @Test("without a label column there are no labels")
    func unlabelled() throws {
        try writeImages("a.png")
        try write("file_name\na.png\n")
        #expect(try !run().isLabelled)
    }

    @Test("a list of 1,000 images is sorted as the folder is")
    func order() throws {
        let names = (0..<1000).map { "x\($0 % 7)/\($0 % 3 == 0 ? "y/" : "y-")\($0).png" }
        for name in names { try writeImages(name) }
        try write("file_name\n" + names.reversed().joined(separator: "\n"))
        _ = try run()
        let listed = try dataset().ids()
        var options = PNGFolderImport.Options()
        options.reading.labels = .none
        _ = try PNGFolderImport(
            folder: folder.path("in"), output: folder.path("walked.h5"), options: options
        ).run()
        #expect(try listed == Dataset(path: folder.path("walked.h5")).ids())
    }

    @Test(
        "every defect is named with its line",
        arguments: [
            ("file_name,label\na.png\n", "line 2", DatasetError.Code.badMetadata),
            ("name,label\na.png,1\n", "file_name", .badMetadata), ("", "empty", .badMetadata),
            ("file_name,file_name\na.png,a.png\n", "two columns", .badMetadata),
            ("file_name,label\na.png,1\nb.png,\n", "line 3: there is no label", .badMetadata),
            ("file_name,label\na.png,\nb.png,1\n", "line 3: there is a label", .badMetadata),
            ("file_name,label\n\"a.png,1\nb.png,2\n", "line 2: a quote that is not closed", .badMetadata),
            ("file_name,label\n\"a.png\"x,1\n", "line 2: text after a closing quote", .badMetadata),
            ("file_name,label\na\"b.png,1\n", "line 2: a quote inside", .badMetadata),
            ("file_name,split\na.png,train\nb.png,\n", "line 3: some images have a split", .badMetadata),
            ("file_name\nmissing.png\n", "line 2: there is no file", .badMetadata),
            ("file_name\nnotes.txt\n", "line 2", .badMetadata), ("file_name\n\"\"\n", "line 2", .badMetadata),
            ("file_name\n../a.png\n", "line 2: the file_name", .unsafeId),
            ("file_name\nb/../a.png\n", "line 2", .unsafeId), ("file_name\n/a.png\n", "line 2", .unsafeId),
            ("file_name\n./a.png\n", "line 2", .unsafeId), ("file_name\nb//a.png\n", "line 2", .unsafeId),
            ("file_name,mask_file_name\na.png,../m.png\n", "line 2: the mask_file_name", .unsafeId),
            (
                "file_name\na.png\nb.png\na.png\n", "line 4: a.png has the same id as a.png on line 2",
                .duplicateId
            ),
            ("file_name,label\na.png,-1\n", "line 2: the label -1", .labelOutOfRange),
            ("file_name,label\na.png,1\nb.png,9999999\n", "line 3: the label", .labelOutOfRange),
            ("file_name\n", "names no images", .empty),
        ])
    func defects(text: String, words: String, code: DatasetError.Code) throws {
        try writeImages("a.png", "b.png")
        try folder.write([1], to: "in/notes.txt")
        try write(text)
        let error = #expect(throws: DatasetError.self) { try run() }
        #expect(error?.code == code)
        #expect(error?.path == folder.path("in/metadata.csv"))
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(try folder.names() == ["in"])
    }

    @Test(
        "every defect of JSON lines is named with its line",
        arguments: [
            ("{\"file_name\": \"a.png\"}\n{\"file_name\": ", "line 2: this is no JSON"),
            ("[1]", "line 1: this is no JSON object"),
            (#"{"file_name": 3}"#, "file_name is no text"), (#"{"label": 3}"#, "there is no file_name"),
            (#"{"file_name": "a.png", "label": 1.5}"#, "neither a text nor a whole number"),
            (#"{"file_name": "a.png", "label": ["x", "y"]}"#, "one class"),
        ])
    func jsonDefects(text: String, words: String) throws {
        try writeImages("a.png")
        try write(text, to: "metadata.jsonl")
        let error = #expect(throws: DatasetError.self) { try run() }
        #expect(error?.code == .badMetadata)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("two lists, and a split without one, are named")
    func lists() throws {
        try writeImages("train/a.png", "test/a.png")
        try write("file_name\na.png\n", to: "train/metadata.csv")
        let missing = #expect(throws: DatasetError.self) { try run() }
        #expect(missing?.path == folder.path("in/test"))
        try write("file_name\na.png\n", to: "test/metadata.csv")
        try write("", to: "test/metadata.jsonl")
        let both = #expect(throws: DatasetError.self) { try run() }
        #expect(both?.message.contains("metadata.jsonl") == true)
    }

    @Test("a link out of the folder is refused, by a file or by a folder on the way")
    func links() throws {
        try writeImages("a.png")
        try folder.write(FileBytes.read(folder.path("in/a.png")), to: "outside/b.png")
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: folder.path("in/b.png"), withDestinationPath: folder.path("outside/b.png"))
        try files.createSymbolicLink(atPath: folder.path("in/c"), withDestinationPath: "../outside")
        try files.createSymbolicLink(atPath: folder.path("in/d.png"), withDestinationPath: "a.png")
        for name in ["b.png", "c/b.png"] {
            try write("file_name\na.png\n\(name)\n")
            let error = #expect(throws: DatasetError.self) { try run() }
            #expect(error?.code == .unsafeId)
            #expect(error?.message.contains("line 3: “\(name)”") == true)
        }
        try write("file_name\nd.png\n")
        #expect(try run().sampleCount == 1)
    }
}
