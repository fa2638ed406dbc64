import RRFormats
import RRSchemas
import TestSupport
import Testing

/// A model that tells three grays apart, `a`, `b` and `c`, and datasets that number or call these classes otherwise.
@Suite("classes are matched by name")
struct ClassNameTests {
    let folder: TemporaryFolder
    private static let grays: [String: UInt8] = ["a": 0, "b": 120, "c": 255]

    init() throws {
        folder = try TemporaryFolder()
        try write("train", ["a": "a", "b": "b", "c": "c"])
        try run(
            ["train", "train", "--model", "mlp", "--epochs", "60", "--learning-rate", "0.01", "-o", "run"])
    }

    /// Writes class folders, each with eight images of one of the grays.
    private func write(_ name: String, _ grayOfClass: [String: String]) throws {
        for (className, gray) in grayOfClass {
            for sample in 0..<8 {
                let shade = try #require(Self.grays[gray])
                let image = PNGImage(
                    width: 8, height: 8, channels: 1, bitDepth: 8, samples: Array(repeating: shade, count: 64)
                )
                try folder.write(PNGEncoder.encode(image), to: "\(name)/\(className)/\(sample).png")
            }
        }
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    @Test("a dataset that lacks a class is judged by the names of the others")
    func missingClass() throws {
        try write("part", ["b": "b", "c": "c"])
        let (text, errors) = try run(["evaluate", "run", "part", "--json"])
        let figures = try JSONValue(parsing: text)
        #expect(figures["accuracy"]?.doubleValue == 1)
        #expect(figures["per_class"]?.arrayValue?.map { $0["class"] } == [1, 2])
        #expect(figures["per_class"]?.arrayValue?.map { $0["name"] } == ["b", "c"])
        #expect(errors.contains("b is 1, c is 2"))
        #expect(try run(["evaluate", "run", "train", "--json"]).errors.isEmpty)
    }

    @Test("a dataset file is matched as its folder is, and its masks still belong to it")
    func datasetFile() throws {
        try write("part", ["b": "b", "c": "c"])
        try run(["import", "pngs", "part", "-o", "part.h5"])
        #expect(
            try JSONValue(parsing: run(["evaluate", "run", "part.h5", "--json"]).text)["accuracy"]?
                .doubleValue == 1)
        let arguments = ["part.h5", "--run", "run", "--top-k", "3", "--target", "label"]
        #expect(try run(["make-masks"] + arguments + ["-o", "m.h5"]).errors.contains("b is 1, c is 2"))
        try run(["evaluate", "run", "part.h5", "--masks", "m.h5"])
    }

    @Test("masks of the label's gradient are those of the class of that name")
    func maskTarget() throws {
        try write("part", ["b": "b", "c": "c"])
        for (dataset, masks) in [("part", "m"), ("train", "n")] {
            try run(["import", "pngs", dataset, "-o", "\(dataset).h5"])
            try run(
                [
                    "make-masks", "\(dataset).h5", "--run", "run", "--top-k", "5", "--target", "label", "-o",
                    masks,
                ])
        }
        /// The masks of the last sixteen samples, those of b and c.
        func masks(_ dataset: String, _ masks: String) throws -> [UInt8] {
            let arguments = ["stream", dataset, "--masks", masks, "--batch-size", "24", "--format", "npy"]
            let outcome = try CommandLineTool.run(arguments, in: folder.path)
            #expect(outcome.status == 0)
            return Array(outcome.output.suffix(16 * 64))
        }
        #expect(try masks("part.h5", "m") == masks("train.h5", "n"))
    }

    @Test("samples of a class that the model does not know are refused")
    func unknownClass() throws {
        try write("strange", ["b": "b", "d": "c"])
        for arguments in [
            ["evaluate", "run", "strange"],
            ["make-masks", "strange", "--run", "run", "--top-k", "3", "--target", "label", "-o", "m.h5"],
        ] {
            let errors = try run(arguments, status: 65).errors
            #expect(
                errors.contains("8 samples of the class “d”") && errors.contains("0 is a, 1 is b, 2 is c"))
        }
        try run(["make-masks", "strange", "--run", "run", "--top-k", "3", "-o", "m.h5"])
    }

    @Test("a class that is called almost as one of the model's is answered with that")
    func nearlyNamed() throws {
        try write("train-birds", ["landbird": "a", "waterbird": "b"])
        try run(["train", "train-birds", "--model", "mlp", "--epochs", "1", "-o", "birds"])
        try write("test-birds", ["landbird": "a", "water bird": "b"])
        let errors = try run(["evaluate", "birds", "test-birds"], status: 65).errors
        #expect(errors.contains("did you mean “waterbird”?"), "\(errors)")
        #expect(!errors.contains("“landbird”?"))
    }

    @Test("another file for validation is matched by name, or refused")
    func validation() throws {
        try write("part", ["b": "b", "c": "c"])
        try run(["import", "pngs", "part", "-o", "part.h5"])
        let arguments = ["train", "train", "--model", "mlp", "--epochs", "60", "--learning-rate", "0.01"]
        let errors = try run(arguments + ["--validation", "part.h5", "-o", "judged"]).errors
        #expect(errors.contains("b is 1, c is 2"))
        let metrics = try String(
            decoding: FileBytes.read(folder.path("judged/metrics.jsonl")), as: UTF8.self)
        let last = try JSONValue(parsing: String(try #require(metrics.split(separator: "\n").last)))
        #expect(last["validation"]?["accuracy"]?.doubleValue == 1, "\(last)")
        try write("strange", ["b": "b", "d": "c"])
        try run(["import", "pngs", "strange", "-o", "strange.h5"])
        let refusal = try run(arguments + ["--validation", "strange.h5", "-o", "x"], status: 65).errors
        #expect(refusal.contains("--validation strange.h5") && refusal.contains("“d”"))
    }

    @Test("files of other classes are not joined in silence")
    func joined() throws {
        try write("part", ["b": "b", "c": "c"])
        for name in ["train", "part"] { try run(["import", "pngs", name, "-o", "\(name).h5"]) }
        let errors = try run(
            ["stream", "train.h5", "part.h5", "--batch-size", "4", "--format", "null"], status: 65
        ).errors
        #expect(errors.contains("the classes are b, c, but train.h5 has a, b, c"))
    }

    @Test("classes whose names are numbers are matched with labels of these numbers")
    func numberedClasses() throws {
        try write("numbered", ["1": "a", "2": "b", "10": "c"])
        try run(
            [
                "train", "numbered", "--model", "mlp", "--epochs", "60", "--learning-rate", "0.01", "-o",
                "of-numbers",
            ])
        let images = (0..<3).flatMap { Array(repeating: Self.grays[["a", "b", "c"][$0]] ?? 0, count: 64) }
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 8, 8), }"
        try folder.write(Self.npy(header, images), to: "x.npy")
        try folder.write(
            Self.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", [1, 2, 10]), to: "y.npy")
        try run(["import", "npy", "x.npy", "--labels", "y.npy", "--layout", "NHW", "-o", "bare.h5"])
        let (text, errors) = try run(["evaluate", "of-numbers", "bare.h5", "--json"])
        #expect(try JSONValue(parsing: text)["accuracy"]?.doubleValue == 1)
        #expect(errors.contains("by name"))
        // A model with bare numbers, and a dataset whose class folders are called 1, 2 and 10.
        try run(
            [
                "train", "bare.h5", "--model", "mlp", "--epochs", "200", "--learning-rate", "0.01", "-o",
                "of-bare",
            ])
        let other = try run(["evaluate", "of-bare", "numbered", "--json"])
        #expect(try JSONValue(parsing: other.text)["accuracy"]?.doubleValue == 1)
        // Labels without names are taken by number where the model's names are words, and a line says so.
        #expect(try run(["evaluate", "run", "bare.h5"], status: 65).errors.contains("10"))
    }

    private static func npy(_ header: String, _ bytes: [UInt8]) -> [UInt8] {
        let padding = String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64)
        let length = header.utf8.count + padding.utf8.count + 1
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
            + Array((header + padding + "\n").utf8) + bytes
    }
}
