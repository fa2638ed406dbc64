import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Exporting PNG folders")
struct PNGFolderExportTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The images of two datasets, sample by sample.
    private func images(of dataset: Dataset) throws -> [[UInt8]] {
        try (0..<dataset.sampleCount).map { index in
            var bytes = [UInt8](repeating: 0, count: dataset.imageSize)
            try bytes.withUnsafeMutableBytes { try dataset.readStored(at: index, into: $0) }
            return bytes
        }
    }

    @Test(
        "imports of an export are the same dataset and masks, whatever their names, kinds, sizes and order",
        arguments: 0..<40, SampleDataset.Order.allCases)
    func roundTrip(seed: Int, order: SampleDataset.Order) throws {
        let random = try SampleDataset.random(folder, seed: UInt64(seed), order: order)
        let dataset = try random.dataset()
        let masks = try random.masks(dataset.fingerprint)
        let source = try ExportSource(dataset: dataset, masks: masks)
        let summary = try PNGFolderExport(source: source, output: folder.path("out")).run()
        #expect(summary.sampleCount == random.ids.count)
        #expect(summary.notes == [])
        if order == .folders { #expect(summary.files == []) }
        _ = try PNGFolderImport(folder: folder.path("out"), output: folder.path("again.h5")).run()
        let again = try Dataset(path: folder.path("again.h5"))
        #expect(try again.ids().map { Array($0.utf8) } == random.ids.map { Array($0.utf8) })
        #expect(again.labels == dataset.labels)
        #expect(again.classNames == dataset.classNames)
        #expect(again.splits == dataset.splits)
        #expect(again.splitNames == dataset.splitNames)
        #expect(again.color == dataset.color)
        #expect(again.elementType == dataset.elementType)
        #expect(try images(of: again) == random.ids.indices.map(random.storedBytes))
        #expect(try again.fingerprint == dataset.fingerprint)
        guard masks.annotatedCount > 0 else { return }
        _ = try MaskImport(
            source: folder.path("out-masks"), dataset: folder.path("again.h5"), output: folder.path("m.h5")
        ).run()
        let masksAgain = try MaskSet(path: folder.path("m.h5"), for: again)
        #expect(masksAgain.rows == masks.rows)
        #expect(masksAgain.bits == masks.bits)
    }

    @Test("an export whose list was changed is imported as any other list")
    func changedList() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        _ = try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        let path = folder.path("out/metadata.csv")
        let text = String(decoding: try FileBytes.read(path), as: UTF8.self)
        try FileBytes.write(Array(text.replacing("coat", with: "jacket").utf8), to: path)
        _ = try PNGFolderImport(folder: folder.path("out"), output: folder.path("again.h5")).run()
        let again = try Dataset(path: folder.path("again.h5"))
        #expect(again.classNames == ["bag", "boot", "jacket"])
        #expect(again.splitNames == ["test", "train"])
    }

    @Test("an import that gives less back is foretold: an empty class name and a colour of another name")
    func notes() throws {
        var sample = try SampleDataset(folder)
        sample.classNames = ["", "bag", "boot"]
        let source = try ExportSource(dataset: Dataset(path: sample.write()))
        let notes = try PNGFolderExport(source: source, output: folder.path("out")).run().notes
        #expect(notes.count == 2)
        #expect(notes[0].contains("calls the images gray, where the dataset says other"))
        #expect(notes[1].contains("does not give back"))
    }

    @Test("the number of threads has no effect on the files")
    func threads() throws {
        let dataset = try SampleDataset.random(folder, seed: 5).dataset()
        var contents: [[String: Data]] = []
        for threadCount in [1, 7] {
            var export = PNGFolderExport(
                source: try ExportSource(dataset: dataset), output: folder.path("out-\(threadCount)"))
            export.threadCount = threadCount
            _ = try export.run()
            contents.append(try files(in: "out-\(threadCount)"))
        }
        #expect(contents[0] == contents[1])
        #expect(contents[0].count == dataset.sampleCount + 1)
    }

    private func files(in name: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path(name)) {
            files[path] = FileManager.default.contents(atPath: folder.path(name) + "/" + path)
        }
        return files.filter { !$0.value.isEmpty }
    }

    @Test("where folders cannot say it all, metadata.csv names label and split of every file, in order")
    func metadata() throws {
        let sample = try SampleDataset(folder)
        let dataset = try Dataset(path: sample.write())
        let summary = try PNGFolderExport(
            source: ExportSource(dataset: dataset), output: folder.path("out")
        ).run()
        #expect(summary.files == ["metadata.csv"])
        let text = String(decoding: try FileBytes.read(folder.path("out/metadata.csv")), as: UTF8.self)
        #expect(
            text.components(separatedBy: "\r\n") == [
                "file_name,label,split", "sample/0.png,coat,train", "sample/1.png,bag,train",
                "sample/2.png,boot,train", "sample/3.png,coat,train", "sample/4.png,bag,test",
                "sample/5.png,boot,test", "sample/6.png,coat,test", "",
            ])
        for index in 0..<SampleDataset.count {
            let path = folder.path("out/sample/\(index).png")
            let image = try PNGDecoder.decode(FileBytes.read(path), path: path)
            #expect(image.samples == sample.storedBytes(of: index))
        }
    }

    @Test("names with commas, quotes and lines' ends stand in quotes, quotes doubled")
    func quoting() throws {
        var sample = try SampleDataset(folder)
        (sample.splits, sample.classNames) = (nil, ["a,b", "say \"hi\"", "two\nlines"])
        _ = try PNGFolderExport(
            source: ExportSource(dataset: Dataset(path: sample.write())), output: folder.path("out")
        ).run()
        let text = String(decoding: try FileBytes.read(folder.path("out/metadata.csv")), as: UTF8.self)
        #expect(
            text.hasPrefix("file_name,label\r\nsample/0.png,\"a,b\"\r\nsample/1.png,\"say \"\"hi\"\"\"\r\n"))
        #expect(text.contains("sample/2.png,\"two\nlines\"\r\n"))
    }

    @Test("one split is exported with its own samples only")
    func split() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        let source = try ExportSource(dataset: dataset, split: "test")
        let summary = try PNGFolderExport(source: source, output: folder.path("out")).run()
        #expect(summary.sampleCount == 3)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("out/sample")).sorted() == [
                "4.png", "5.png", "6.png",
            ])
        let error = #expect(throws: DatasetError.self) { try ExportSource(dataset: dataset, split: "dev") }
        #expect(error?.code == .unknownSplit)
    }

    @Test("masks go to a folder of their own, named by id, for annotated samples only")
    func masks() throws {
        let sample = try SampleDataset(folder)
        let dataset = try Dataset(path: sample.write())
        let source = try ExportSource(
            dataset: dataset, masks: MaskSet(path: sample.writeMasks(), for: dataset))
        let summary = try PNGFolderExport(source: source, output: folder.path("out")).run()
        #expect(summary.masksPath == folder.path("out-masks"))
        #expect(summary.annotatedCount == 3)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("out-masks/sample")).sorted() == [
                "1.png", "4.png", "6.png",
            ])
        var named = PNGFolderExport(source: source, output: folder.path("second"))
        named.masksOutput = folder.path("marks")
        _ = try named.run()
        #expect(try files(in: "marks") == files(in: "out-masks"))
    }

    @Test(
        "a mask that differs from channel to channel is refused with its sample, and one that does not is served"
    )
    func maskChannels() throws {
        let sample = try SampleDataset(folder, channels: 2)
        let dataset = try Dataset(path: sample.write())
        for (element, isServed) in [(20 + 3, true), (20 + 4, false)] {
            var bits = try MaskBits(rowCount: 2, elementsPerRow: 40)
            (bits[0, 3], bits[0, element]) = (true, true)
            let masks = try MaskSet(
                bits: bits, rows: [1, 1, 0, 1, 1, 1, 1], maskShape: sample.shape,
                datasetFingerprint: dataset.fingerprint)
            let export = PNGFolderExport(
                source: try ExportSource(dataset: dataset, masks: masks),
                output: folder.path("out-\(isServed)")
            )
            guard !isServed else {
                _ = try export.run()
                continue
            }
            let error = #expect(throws: DatasetError.self) { try export.run() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("sample 2 (“sample/2”)") == true)
        }
        #expect(try folder.names() == ["d.h5", "out-true", "out-true-masks"])
    }

    @Test(
        "an id that cannot be a file's name is refused, and nothing is left",
        arguments: [
            ("../a", "leave the folder"), ("a/../../b", "leave the folder"), ("/etc/a", "begins with /"),
            ("", "empty"),
            ("a//b", "empty"), ("a/", "empty"), ("a/./b", "“.”"), ("a/.b", "hidden"),
            (String(repeating: "x", count: 252), "251 bytes"),
            (String(repeating: "ü", count: 128) + "/a", "255 bytes"),
            ("b.png/c", "needs a folder"), ("metadata.csv/a", "metadata.csv"),
        ])
    func unsafeId(id: String, words: String) throws {
        var file = try RawFile.dataset()
        file = file.setting(array: "/ids", to: .strings(["b", id, "c"]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        let export = PNGFolderExport(
            source: try ExportSource(dataset: dataset), output: folder.path("out"))
        let error = #expect(throws: DatasetError.self) { try export.run() }
        #expect(error?.code == .unsafeId)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("“\(id)”") == true || words == "needs a folder")
        #expect(try folder.names() == ["d.h5"])
    }

    @Test("the longest names that a file system takes are served")
    func longestNames() throws {
        let ids = ["b", String(repeating: "x", count: 251), String(repeating: "y", count: 255) + "/a"]
        let file = try RawFile.dataset().setting(array: "/ids", to: .strings(ids))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        _ = try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        for id in ids { #expect(FileManager.default.fileExists(atPath: folder.path("out/\(id).png"))) }
    }

    @Test("two samples of the same id are refused")
    func duplicate() throws {
        let file = try RawFile.dataset().setting(array: "/ids", to: .strings(["a", "b", "a"]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        let error = #expect(throws: DatasetError.self) {
            try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        }
        #expect(error?.code == .unsafeId)
        #expect(try folder.names() == ["d.h5"])
    }

    @Test("float images and channels that PNG does not have are refused, naming the export that keeps them")
    func unsupported() throws {
        var float = try SampleDataset(folder)
        float.elementType = .float32
        let five = try SampleDataset(folder, channels: 5)
        for (name, sample) in [("float", float), ("five", five)] {
            let dataset = try Dataset(path: sample.write("\(name).h5"))
            let error = #expect(throws: DatasetError.self) {
                try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
            }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("ArrayExport(.npy)") == true)
        }
        #expect(try folder.names() == ["five.h5", "float.h5"])
    }

    @Test("a corrupt image is an error that names it, and nothing is left")
    func corrupt() throws {
        let file = try RawFile.dataset().setting(
            array: "/images", to: .bytes((0..<60).map { $0 == 30 ? 99 : $0 }, [3, 1, 5, 4]))
        let dataset = try Dataset(path: file.write(to: folder.path("d.h5")))
        let error = #expect(throws: DatasetError.self) {
            try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.message.contains("“b”") == true)
        #expect(try folder.names() == ["d.h5"])
    }

    @Test("force replaces an export and an empty folder, and no folder of anybody's files")
    func force() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        var export = PNGFolderExport(
            source: try ExportSource(dataset: dataset), output: folder.path("out"))
        _ = try export.run()
        var error = #expect(throws: FormatError.self) { try export.run() }
        #expect(error?.code == .outputExists)
        export.force = true
        _ = try export.run()
        try FileManager.default.createDirectory(
            atPath: folder.path("empty"), withIntermediateDirectories: true)
        try folder.write([1], to: "photos/holiday.raw")
        for (name, isReplaced) in [("empty", true), ("photos", false)] {
            var export = PNGFolderExport(
                source: try ExportSource(dataset: dataset), output: folder.path(name))
            export.force = true
            guard !isReplaced else {
                _ = try export.run()
                continue
            }
            error = #expect(throws: FormatError.self) { try export.run() }
            #expect(error?.code == .cannotWrite)
        }
        #expect(try FileBytes.read(folder.path("photos/holiday.raw")) == [1])
    }
}
