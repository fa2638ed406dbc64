import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("what every command that reads a folder takes and remarks")
struct FolderOptionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, value: UInt8 = 0, height: Int = 8, width: Int = 8) throws {
        let image = PNGImage(
            width: width, height: height, channels: 1, bitDepth: 8,
            samples: Array(repeating: value, count: height * width))
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    private func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    @Test(
        "labels that leave classes empty, and a single class, are remarked on where a folder is read",
        arguments: [
            ([1, 2, 3, 1], "the labels are 1 to 3, where labels count from 0: class 0 has no sample"),
            ([4, 4, 9, 9], "classes 0 to 3 have no sample"), ([7, 7, 7, 7], "of one class (label 7)"),
            ([0, 2, 5, 5], "the labels are 0 to 5, but 3 of these 6 classes have no sample, first 1"),
        ])
    func labels(labels: [Int], words: String) throws {
        for sample in labels.indices { try write("in/\(sample).png", value: UInt8(sample)) }
        let lines = labels.enumerated().map { "\($0).png,\($1)\n" }.joined()
        try folder.write(Array(("file_name,label\n" + lines).utf8), to: "in/metadata.csv")
        let imported = try run("import pngs in -o d.h5 --json")
        #expect(imported.status == 0 && imported.errors.contains(words), "\(imported.errors)")
        let notes = try JSONValue(parsing: imported.text)["notes"]?.arrayValue
        #expect(notes?.count == 1)
        let streamed = try run("stream in --batch-size 2 --format null")
        #expect(streamed.status == 0 && streamed.errors.contains(words), "\(streamed.errors)")
        // The export of a dataset gives back what was there, without a word.
        #expect(try run("export pngs d.h5 -o out").status == 0)
        #expect(try run("import pngs out -o again.h5").errors == "")
        #expect(try FileBytes.read(folder.path("again.h5")) == FileBytes.read(folder.path("d.h5")))
    }

    @Test("a folder with one class is remarked on by its name, and one with two is not")
    func oneClass() throws {
        try write("in/cat/0.png")
        try write("in/cat/1.png")
        #expect(
            try run("import pngs in -o d.h5").errors.contains("all 2 samples are of one class (“cat”)"))
        try write("in/dog/2.png")
        #expect(try run("import pngs in -o d.h5 --force").errors == "")
        #expect(try run("stream in --batch-size 2 --format null").errors == "")
    }

    @Test("each command takes the options that the refusal of a folder names")
    func everyCommand() throws {
        for (number, path) in ["fold0/a", "fold0/b", "fold1/a", "fold1/b", "notes"].enumerated() {
            for sample in 0..<2 {
                try write("in/\(path)/\(sample).png", value: UInt8(40 * number + sample), width: 6 + sample)
                try write("masks/\(path)/\(sample).png", value: UInt8(255 * sample))
            }
        }
        let options = "--splits train=fold0,test=fold1 --size 8x8"
        let train = "train in --model mlp --batch-size 2 --epochs 1 -o run"
        let refusal = try run(train)
        #expect(refusal.status == 65 && refusal.errors.contains("--size HEIGHTxWIDTH"), "\(refusal.errors)")
        #expect(try run("\(train) --splits train=fold0,test=fold1").status == 65)
        for line in [
            train, "evaluate run in", "make-masks in --run run --top-k 3 -o top.h5",
            "import masks masks --for in -o m.h5", "stream in --masks m.h5 --batch-size 2 --format null",
            "find-another in --rounds 1 --model mlp --epochs 1 -o others",
            "decoy in -o decoy.h5 --masks-output decoys.h5 --random-split test", "export npy in -o arrays",
            "export pngs in --masks top.h5 -o pngs",
        ] {
            let outcome = try run("\(line) \(options)")
            #expect(outcome.status == 0, "\(line): \(outcome.errors)")
            #expect(outcome.errors.contains("left out, since in none of the splits: notes"), "\(line)")
        }
        let evaluated = try run("evaluate run in \(options) --json")
        #expect(try JSONValue(parsing: evaluated.text)["samples"] == .integer(4), "\(evaluated.text)")
    }

    @Test("a list with columns of its own says what is trained on and measured")
    func columns() throws {
        for sample in 0..<6 { try write("in/\(sample).png", value: UInt8(40 * sample)) }
        let lines = (0..<6).map { "\($0).png,\($0 % 2),\($0 / 4)\n" }.joined()
        try folder.write(Array(("img_filename,y,split\n" + lines).utf8), to: "list.csv")
        let options =
            "--metadata list.csv --columns file=img_filename,label=y,split=split --split-values train=0,test=1"
        #expect(try run("train in --model mlp --epochs 1 -o run \(options)").status == 0)
        let evaluated = try run("evaluate run in --json \(options)")
        #expect(try JSONValue(parsing: evaluated.text)["samples"] == .integer(2), "\(evaluated.errors)")
    }

    @Test(
        "options for a folder are refused where there is none",
        arguments: [
            "train d.h5 --model mlp -o run --size 3x3", "export npy d.h5 -o x --labels none",
            "decoy d.h5 -o e.h5 --masks-output m.h5 --color gray",
            "make-masks d.h5 --gradients g.npy --top-k 1 -o m.h5 --no-splits",
            "import masks masks --for d.h5 -o m.h5 --splits train=a",
        ])
    func noFolder(line: String) throws {
        try write("in/a/0.png")
        try write("masks/a/0.png")
        #expect(try run("import pngs in -o d.h5").status == 0)
        let outcome = try run(line)
        #expect(outcome.status == 64 && outcome.errors.contains("folder of images"), "\(outcome.errors)")
    }
}
