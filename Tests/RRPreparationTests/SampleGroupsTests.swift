import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Groups of samples")
struct SampleGroupsTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func makeImages(_ metadata: String, to name: String = "metadata.csv") throws {
        for number in 0..<4 {
            let image = PNGImage(
                width: 4, height: 4, channels: 1, bitDepth: 8,
                samples: Array(repeating: UInt8(number), count: 16))
            try folder.write(PNGEncoder.encode(image), to: "in/\(number).png")
        }
        try folder.write(Array(metadata.utf8), to: "in/" + name)
    }

    private func importImages() throws -> Dataset {
        _ = try PNGFolderImport(folder: folder.path("in"), output: folder.path("d.h5")).run()
        return try Dataset(path: folder.path("d.h5"))
    }

    @Test("a column of names is sorted by bytes, and follows its images to their places")
    func names() throws {
        try makeImages(
            "file_name,group,label\n0.png,Zoo,b\n1.png,\"a, b\",a\n2.png,Zoo,a\n3.png,\u{E9},a\n")
        let dataset = try importImages()
        #expect(try dataset.ids() == ["1", "2", "3", "0"])
        #expect(dataset.groups == SampleGroups(numbers: [1, 0, 2, 0], names: ["Zoo", "a, b", "\u{E9}"]))
        #expect(try ValidationReport(datasetPath: dataset.path).findings == [])
        let groups = try FileDescription(path: dataset.path).json["groups"]?.arrayValue
        #expect(groups?.first == ["name": "Zoo", "samples": 2])
        #expect(
            try FileDescription(path: dataset.path).json["groups_by_split_and_class"] == [
                ["class": "a", "group": "Zoo", "samples": 1], ["class": "a", "group": "a, b", "samples": 1],
                ["class": "a", "group": "\u{E9}", "samples": 1],
                ["class": "b", "group": "Zoo", "samples": 1],
            ])
    }

    @Test("whole numbers are groups as they stand, in CSV and in JSON lines")
    func numbers() throws {
        let lines = (0..<4).map { #"{"file_name": "\#($0).png", "group": \#($0 * 2)}"# }
        try makeImages(lines.joined(separator: "\n"), to: "metadata.jsonl")
        let groups = try #require(try importImages().groups)
        #expect(groups == SampleGroups(numbers: [0, 2, 4, 6], names: nil))
        #expect(groups.count == 7 && groups.name(of: 4) == "4")
    }

    @Test("groups for some images only are refused, with the line", arguments: ["x,,x,x", ",x,x,x"])
    func someOnly(column: String) throws {
        let groups = column.split(separator: ",", omittingEmptySubsequences: false)
        let lines = groups.enumerated().map { "\($0.offset).png,\($0.element)" }
        try makeImages("file_name,group\n" + lines.joined(separator: "\n"))
        let error = #expect(throws: DatasetError.self) { try importImages() }
        #expect(error?.code == .badMetadata && error?.message.contains("line 3") == true)
    }

    @Test("an array of numbers or names gives the groups, and is refused where it does not fit")
    func arrays() throws {
        try folder.makeSource(
            SourceArray("/x", [4, 1, 1, 1], [UInt8](0..<4)), SourceArray("/g", [4, 1], [Int32(7), 0, 7, 1]),
            SourceArray("/few", [3], [Int32(0), 0, 1]), SourceArray("/below", [4], [Int32(0), -1, 1, 1]),
            SourceArray("/real", [4], [Float(0), 1, 0.5, 1]))
        func run(_ group: String) throws -> Dataset {
            var options = ArrayImport.Options(images: ["/x"])
            options.groups = [group]
            options.force = true
            _ = try ArrayImport(
                format: .hdf5, files: [folder.path("in.h5")], output: folder.path("d.h5"), options: options
            ).run()
            return try Dataset(path: folder.path("d.h5"))
        }
        #expect(try run("/g").groups == SampleGroups(numbers: [7, 0, 7, 1], names: nil))
        for (name, code) in [
            ("/few", DatasetError.Code.wrongShape), ("/below", .groupOutOfRange), ("/real", .wrongType),
        ] {
            #expect(throws: DatasetError.self) { try run(name) }
            let error = #expect(throws: DatasetError.self) { try run(name) }
            #expect(error?.code == code)
        }
    }

    @Test("decoys keep the groups, joined files have those of each, and parts of a dataset their own")
    func carried() throws {
        try makeImages("file_name,label,group,split\n0.png,0,p,a\n1.png,1,q,b\n2.png,1,q,b\n3.png,0,p,a\n")
        let dataset = try importImages()
        #expect(dataset.groups?.numbers == [0, 0, 1, 1])
        let part = try ExportSource(dataset: dataset, split: "b")
        #expect(part.groups == SampleGroups(numbers: [1, 1], names: ["p", "q"]))
        _ = try DecoyMaker(dataset: dataset).run(
            output: folder.path("decoy.h5"), masksOutput: folder.path("m.h5"), force: false)
        #expect(try Dataset(path: folder.path("decoy.h5")).groups == dataset.groups)

        func write(_ name: String, ids: [String], groups: SampleGroups?) throws -> String {
            let shape = try ImageShape(channels: 1, height: 2, width: 3)
            var sample = try SampleDataset(
                folder, images: Array(repeating: Array(repeating: 0, count: shape.elementCount), count: 2),
                of: shape)
            (sample.ids, sample.groups) = (ids, groups)
            return try sample.write(name)
        }
        let names = ["p", "q"]
        let first = try write("1.h5", ids: ["a", "b"], groups: SampleGroups(numbers: [1, 1], names: names))
        let second = try write("2.h5", ids: ["c", "d"], groups: SampleGroups(numbers: [0, 1], names: names))
        let other = try write("3.h5", ids: ["e", "f"], groups: nil)
        #expect(try Dataset.joining([first, second]).groups?.numbers == [1, 1, 0, 1])
        let error = #expect(throws: DatasetError.self) { try Dataset.joining([first, other]) }
        #expect(error?.code == .wrongAttribute && error?.message.contains("groups") == true)
    }
}
