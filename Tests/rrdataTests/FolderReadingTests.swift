import Foundation
import RRDatasets
import RRFormats
import TestSupport
import Testing

/// Folders as people keep them: what is a split, what is a class, and what is refused since it may be either.
@Suite("Splits of folders as people call them")
struct FolderReadingTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ names: [String]) throws {
        for (number, name) in names.enumerated() {
            let image = PNGImage(
                width: 8, height: 8, channels: 1, bitDepth: 8,
                samples: Array(repeating: UInt8(number), count: 64))
            try folder.write(PNGEncoder.encode(image), to: "in/" + name)
        }
    }

    /// Imports the folder, and gives the number of samples by split and class: `train/cat`.
    private func imported(_ options: [String] = []) throws -> (counts: [String: Int], notes: String) {
        let outcome = try CommandLineTool.run(
            ["import", "pngs", "in", "-o", "d.h5", "--force"] + options, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let dataset = try Dataset(path: folder.path("d.h5"))
        var counts: [String: Int] = [:]
        for sample in try dataset.samples(inSplit: "all") {
            let label = sample.label.flatMap { dataset.classNames?[$0] } ?? ""
            counts[(sample.split ?? "") + "/" + label, default: 0] += 1
        }
        return (counts, outcome.errors)
    }

    @Test(
        "a folder that is called as splits are is a split, and a line says so",
        arguments: [
            ("Training", "Testing", "train", "test"), ("Train", "Test", "train", "test"),
            ("TRAIN", "VAL", "train", "val"), ("train", "valid", "train", "val"),
            ("train", "validation", "train", "val"), ("train", "dev", "train", "val"),
            ("train", "holdout", "train", "test"), ("training_set", "test_set", "train", "test"),
            ("train2017", "val2017", "train", "val"), ("Train Data", "hold-out", "train", "test"),
            ("01_train", "02_test", "train", "test"), ("cv_train", "cv_val", "train", "val"),
            ("MyTraining", "MyTesting", "train", "test"), ("imgs-train", "imgs-test", "train", "test"),
        ])
    func habits(first: String, second: String, firstSplit: String, secondSplit: String) throws {
        try write([
            "\(first)/cat/1.png", "\(first)/cat/2.png", "\(first)/dog/3.png", "\(second)/cat/4.png",
        ])
        let (counts, notes) = try imported()
        #expect(counts == ["\(firstSplit)/cat": 2, "\(firstSplit)/dog": 1, "\(secondSplit)/cat": 1])
        #expect(notes.contains("\(second) as \(secondSplit)") && notes.contains("--no-splits"))
        #expect(try imported(["--no-splits"]).counts == ["/\(first)": 3, "/\(second)": 1])
        let outcome = try CommandLineTool.run(
            ["stream", "in", "--split", secondSplit, "--batch-size", "2", "--format", "null", "--json"],
            in: folder.path)
        #expect(outcome.status == 0 && outcome.text.contains("\"samples\": 1"), "\(outcome.errors)")
        #expect(outcome.errors.contains("\(second) as \(secondSplit)"))
    }

    @Test("train, val and test are splits as ever, without a word")
    func usualNames() throws {
        try write(["train/cat/1.png", "val/cat/2.png", "test/dog/3.png"])
        let (counts, notes) = try imported()
        #expect(counts == ["train/cat": 1, "val/cat": 1, "test/dog": 1])
        #expect(notes.isEmpty)
    }

    @Test(
        "names that can be read in two ways are refused with the option for each",
        arguments: [
            (["train/1.png", "bus/2.png", "car/3.png"], "bus, car"),
            (["Training/a/1.png", "Testing/a/2.png", "docs/3.png"], "docs"),
            (["val/a/1.png", "validation/a/2.png"], "val, validation would all be the split val"),
            (["Training/1.png", "Testing/2.png"], "may be splits or classes"),
            (["train_station/1.png", "test_station/2.png"], "may be splits or classes"),
            (["cat/cv_train/1.png", "cat/cv_test/2.png"], "look like splits, but lie within a class folder"),
            (["dev/a/1.png", "cat/2.png"], "dev would be splits"),
            (["cat/train/1.png", "cat/test/2.png"], "look like splits, but lie within a class folder"),
            (["photos/Training/a/1.png", "photos/Testing/a/2.png"], "import this folder itself"),
        ])
    func ambiguous(names: [String], message: String) throws {
        try write(names)
        let outcome = try CommandLineTool.run(["import", "pngs", "in", "-o", "d.h5"], in: folder.path)
        #expect(outcome.status == 65 && outcome.errors.contains(message), "\(outcome.errors)")
        #expect(outcome.errors.contains("--no-splits"))
        #expect(try imported(["--no-splits"]).counts.values.reduce(0, +) == names.count)
    }

    @Test("options say which folders are splits, and what is left out is named")
    func options() throws {
        try write(["fold0/a/1.png", "fold1/a/2.png", "fold2/b/3.png", "notes/4.png"])
        let (counts, notes) = try imported(["--splits", "train=fold0,train=fold1,test=fold2"])
        #expect(counts == ["train/a": 2, "test/b": 1])
        #expect(notes.contains("left out, since in none of the splits: notes"))
        for (value, status, message) in [
            ("train=fold9", 64, "no folder “fold9”, only fold0, fold1, fold2, notes: did you mean “fold0”"),
            ("train", 64, "--splits"), ("train=fold0,test=fold0", 64, "--splits"),
        ] as [(String, Int32, String)] {
            let outcome = try CommandLineTool.run(
                ["import", "pngs", "in", "--splits", value, "-o", "x.h5"], in: folder.path)
            #expect(outcome.status == status && outcome.errors.contains(message), "\(outcome.errors)")
        }
    }

    @Test("names that have a split's in them and something else each are classes")
    func classesWithSplitNames() throws {
        try write(["train_station/1.png", "test_tube/2.png", "dev board/3.png"])
        let (counts, notes) = try imported()
        #expect(counts == ["/train_station": 1, "/test_tube": 1, "/dev board": 1])
        #expect(notes.isEmpty)
    }

    @Test(
        "a list above folders that are splits by their names takes them from its paths, and images that it leaves out are named"
    )
    func listAboveAffixedSplits() throws {
        try write(["cv_train/0.png", "cv_train/1.png", "cv_test/2.png", "cv_test/3.png"])
        try folder.write(
            Array("file_name,label\ncv_train/0.png,a\ncv_train/1.png,b\ncv_test/2.png,a\n".utf8),
            to: "in/metadata.csv")
        let (counts, notes) = try imported()
        #expect(counts == ["train/a": 1, "train/b": 1, "test/a": 1])
        #expect(notes.contains("left out, since the list does not name them: 1 images (cv_test/3.png)"))
        // Two lists count together, and masks that they name are named.
        try write(["m/0.png"])
        try folder.write(
            Array("file_name,label,mask_file_name\ncv_train/0.png,a,m/0.png\ncv_train/1.png,b,\n".utf8),
            to: "in/metadata.csv")
        #expect(try imported(["--no-splits"]).notes.contains("2 images (cv_test/2.png, cv_test/3.png)"))
    }

    @Test("lists that are there and not read are named")
    func unreadLists() throws {
        try write(["bus/0.png", "car/1.png"])
        try folder.write(Array("file_name,label\n0.png,a\n".utf8), to: "in/bus/metadata.csv")
        let (counts, notes) = try imported(["--no-splits"])
        #expect(counts == ["/bus": 1, "/car": 1])
        #expect(notes.contains("the lists in bus are not read"))
    }

    @Test("a class that is called as a split is one where its folder holds images as the others do")
    func classOfThatName() throws {
        try write(["valid/1.png", "invalid/2.png"])
        let (counts, notes) = try imported()
        #expect(counts == ["/valid": 1, "/invalid": 1])
        #expect(notes.contains("--splits val=valid"))
    }

    @Test("a list in each split is read, whatever the splits are called")
    func listInEachSplit() throws {
        try write(["train/0.png", "train/1.png", "validation/0.png", "Test Set/0.png", "extra/0.png"])
        try folder.write(Array("file_name,label\n0.png,a\n1.png,b\n".utf8), to: "in/train/metadata.csv")
        for name in ["validation", "Test Set"] {
            try folder.write(Array("file_name,label\n0.png,b\n".utf8), to: "in/\(name)/metadata.csv")
        }
        let (counts, notes) = try imported()
        #expect(counts == ["train/a": 1, "train/b": 1, "val/b": 1, "test/b": 1])
        #expect(notes.contains("validation as val") && notes.contains("extra"))
        try folder.write(Array("file_name,label\n0.png,b\n".utf8), to: "in/extra/metadata.csv")
        let outcome = try CommandLineTool.run(["import", "pngs", "in", "-o", "x.h5"], in: folder.path)
        #expect(outcome.status == 65 && outcome.errors.contains("--splits train=extra"), "\(outcome.errors)")
        let named = try imported(["--splits", "train=train,test=extra"])
        #expect(named.counts == ["train/a": 1, "train/b": 1, "test/b": 1])
        #expect(named.notes.contains("Test Set, validation"))
    }

    @Test("a list above the splits takes them from the folders of its paths")
    func listAboveSplits() throws {
        try write(["images/train/0.png", "images/train/1.png", "images/Testing/0.png"])
        let rows = "images/train/0.png,a\nimages/train/1.png,b\nimages/Testing/0.png,b\n"
        try folder.write(Array(("file_name,label\n" + rows).utf8), to: "in/metadata.csv")
        let (counts, notes) = try imported()
        #expect(counts == ["train/a": 1, "train/b": 1, "test/b": 1])
        #expect(notes.contains("Testing as test"))
        #expect(try imported(["--no-splits"]).counts == ["/a": 1, "/b": 2])
        let named = try imported(["--splits", "fit=train,judge=Testing"]).counts
        #expect(named == ["fit/a": 1, "fit/b": 1, "judge/b": 1])
        for splits in ["fit=train", "fit=a,judge=b"] {
            let outcome = try CommandLineTool.run(
                ["import", "pngs", "in", "--splits", splits, "-o", "x.h5"], in: folder.path)
            #expect(
                outcome.status == 64 && outcome.errors.contains("names no two folders"), "\(outcome.errors)")
        }
        try write(["images/other/0.png"])
        try folder.write(
            Array(("file_name,label\n" + rows + "images/other/0.png,a\n").utf8), to: "in/metadata.csv")
        let outcome = try CommandLineTool.run(["import", "pngs", "in", "-o", "x.h5"], in: folder.path)
        #expect(outcome.status == 65 && outcome.errors.contains("images/other/0.png is in none"))
        try folder.write(
            Array("file_name,label,split\nimages/train/0.png,a,test\nimages/Testing/0.png,b,train\n".utf8),
            to: "in/metadata.csv")
        #expect(try imported().counts == ["test/a": 1, "train/b": 1])
        let column = try CommandLineTool.run(
            ["import", "pngs", "in", "--splits", "fit=train,judge=Testing", "-o", "x.h5"], in: folder.path)
        #expect(column.status == 64 && column.errors.contains("has a column of splits"), "\(column.errors)")
    }

    @Test("links that lead out of the folder are refused, and followed where that is asked for")
    func links() throws {
        try write(["a/1.png"])
        let image = PNGImage(
            width: 8, height: 8, channels: 1, bitDepth: 8, samples: Array(repeating: 9, count: 64))
        try folder.write(PNGEncoder.encode(image), to: "elsewhere/b/2.png")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("in/b"), withDestinationPath: folder.path("elsewhere/b"))
        let outcome = try CommandLineTool.run(["import", "pngs", "in", "-o", "d.h5"], in: folder.path)
        #expect(outcome.status == 65 && outcome.errors.contains("--trust-links"), "\(outcome.errors)")
        #expect(try imported(["--trust-links"]).counts == ["/a": 1, "/b": 1])
        try folder.write(Array("file_name,label\nb/2.png,x\n".utf8), to: "in/metadata.csv")
        let listed = try CommandLineTool.run(["import", "pngs", "in", "-o", "x.h5"], in: folder.path)
        #expect(listed.status == 65 && listed.errors.contains("--trust-links"), "\(listed.errors)")
        #expect(try imported(["--trust-links"]).counts == ["/x": 1])
    }
}
