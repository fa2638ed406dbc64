import RRFormats
import RRTensor
import RRSchemas
import TestSupport
import Testing

@Suite("What a file is, by its content")
struct FileSignatureTests {
    @Test(
        "safetensors are told by their own form, whatever the length of their header looks like",
        arguments: [
            (0x0000_007B, "JSON"), (0x0000_4B50, "ZIP"), (0x0000_8B1F, "gzip"), (0x0001_0000, "IDX"),
            (0x0000_0280, "a pickle of protocol 2"), (0x0000_0480, "a pickle of protocol 4"),
            (0x0000_0A20, "white space"), (0x0008_8B1F, "gzip of deflate"), (0x0008_0000, "IDX of bytes"),
        ])
    func safeTensors(length: Int, lookalike: String) throws {
        let folder = try TemporaryFolder()
        let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        let file = ArchiveBuilder.safeTensors(
            header, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], length: length)
        try folder.write(file.make(), to: "x.bin")
        let outcome = try CommandLineTool.run(["info", "x.bin", "--json"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try JSONValue(parsing: outcome.text)
        #expect(json["format"] == "safetensors")
        #expect(json["elements"] == 2)
        let tensors = try StateDictFile.read(folder.path("x.bin"))
        #expect(tensors.first?.entries.map(\.shape) == [[2]])
    }

    @Test(
        "files of the other formats are still what they were",
        arguments: [
            ("npy/u1.npy", "npy"), ("npz/named.npz", "npz"), ("idx/u1.idx", "idx"), ("idx/u1.gz", "idx"),
            ("png/gray-8.png", "png"), ("hdf5/strings.h5", "hdf5"), ("masks/annotations.json", "coco"),
            ("weights/state-dict.pt", "pytorch"), ("safetensors/f32.safetensors", "safetensors"),
        ])
    func others(name: String, format: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(FileBytes.read(Fixtures.path("formats/" + name)), to: "x.bin")
        let outcome = try CommandLineTool.run(["info", "x.bin", "--json"], in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try JSONValue(parsing: outcome.text)["format"]?.stringValue == format)
    }

    @Test(
        "arrays in gzip's blocks that are not compressed have the shape that they state",
        arguments: [(1, 8), (255, 256), (300, 500)])
    func storedBlocks(height: Int, width: Int) throws {
        let folder = try TemporaryFolder()
        let pixels = MalformedInput.noise(height * width)
        let file = ArchiveBuilder.idx([1, height, width], elements: pixels)
        try folder.write(ArchiveBuilder.storedGzip(file).make(), to: "x.gz")
        let info = try CommandLineTool.run(["info", "x.gz", "--json"], in: folder.path)
        #expect(try JSONValue(parsing: info.text)["shape"] == [1, .integer(height), .integer(width)])
        let array = try ArrayFile(path: folder.path("x.gz")).array(nil)
        #expect(try array.integers() == pixels.map { Int64($0) })
    }

    @Test("a color that an export cannot have is not stored, and is named")
    func color() throws {
        let folder = try TemporaryFolder()
        let dataset = try Workshop.shared.get().path("fashion.h5")
        #expect(
            try CommandLineTool.run(["export", "pngs", dataset, "-o", "out"], in: folder.path).status == 0)
        let mark = try #require(
            [".export.json", "export.json"].map { "out/" + $0 }.first {
                FileTree.kind(of: folder.path($0)) == .file
            })
        let text = String(decoding: try FileBytes.read(folder.path(mark)), as: UTF8.self)
        for (number, color) in ["rgb", "\\u001b[31mred", "gray"].enumerated() {
            try folder.write(
                Array(text.replacing(#""color": "gray""#, with: #""color": "\#(color)""#).utf8), to: mark)
            let outcome = try CommandLineTool.run(
                ["import", "pngs", "out", "-o", "\(number).h5"], in: folder.path)
            #expect(outcome.status == 0)
            #expect(outcome.errors.contains("color") == (color != "gray"), "\(outcome.errors)")
            #expect(!outcome.errors.contains("\u{1B}"))
            let info = try CommandLineTool.run(["info", "\(number).h5", "--json"], in: folder.path)
            #expect(try JSONValue(parsing: info.text)["color"] == "gray")
        }
    }

    @Test(
        "a failure has its code, its exit code and its message in --json, and nothing on standard output else"
    )
    func failure() throws {
        let folder = try TemporaryFolder()
        let plain = try CommandLineTool.run(["info", "no.h5"], in: folder.path)
        #expect(plain.status == 66 && plain.output.isEmpty)
        let outcome = try CommandLineTool.run(["info", "no.h5", "--json"], in: folder.path)
        let error = try #require(try JSONValue(parsing: outcome.text)["error"])
        #expect(error["code"] == "not-found" && error["exit"] == 66)
        #expect(outcome.errors == "rrdata: error: \(error["message"]?.stringValue ?? "")\n")
        #expect(outcome.errors == plain.errors)
    }
}
