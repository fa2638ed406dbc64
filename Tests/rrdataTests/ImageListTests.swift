import RRDatasets
import RRFormats
import TestSupport
import Testing

@Suite("Lists of images with columns of their own")
struct ImageListTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ names: String..., list: String, to path: String) throws {
        for (number, name) in names.enumerated() {
            let image = PNGImage(
                width: 8, height: 8, channels: 1, bitDepth: 8,
                samples: Array(repeating: UInt8(number), count: 64))
            try folder.write(PNGEncoder.encode(image), to: "in/" + name)
        }
        try folder.write(Array(list.utf8), to: path)
    }

    private func imported(_ options: String...) throws -> Dataset {
        let outcome = try CommandLineTool.run(
            ["import", "pngs", "in", "-o", "d.h5", "--force"] + options, in: folder.path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return try Dataset(path: folder.path("d.h5"))
    }

    private func refusal(_ options: String..., status: Int32 = 65) throws -> String {
        let outcome = try CommandLineTool.run(
            ["import", "pngs", "in", "-o", "x.h5"] + options, in: folder.path)
        #expect(outcome.status == status, "\(outcome.errors)")
        return outcome.errors
    }

    /// The split, label and group of each sample by its id.
    private func table(_ dataset: Dataset) throws -> [String: String] {
        let groups = dataset.groups
        return Dictionary(
            uniqueKeysWithValues: try dataset.ids().enumerated().map { index, id in
                let label = dataset.labels.map { dataset.classNames?[$0[index]] ?? String($0[index]) } ?? ""
                let split = dataset.splits.map { dataset.splitNames[Int($0[index])] } ?? ""
                return (
                    id,
                    [split, label, groups.map { $0.name(of: $0.numbers[index]) } ?? ""].joined(separator: "|")
                )
            })
    }

    @Test("Waterbirds' columns: splits by number, a group of two columns")
    func waterbirds() throws {
        try write(
            "001.A/a.png", "002.B/b.png", "002.B/c.png",
            list: """
                img_id,img_filename,y,split,place,place_filename
                1,001.A/a.png,0,0,1,/o/a.jpg
                2,002.B/b.png,1,1,0,/f/b.jpg
                3,002.B/c.png,1,2,1,/f/b.jpg

                """, to: "lists/metadata_waterbirds.csv")
        let options = "file=img_filename,label=y,split=split,group=place"
        let dataset = try imported(
            "--metadata", "lists/metadata_waterbirds.csv", "--columns", options, "--split-values",
            "train=0,val=1,test=2")
        #expect(
            try table(dataset) == [
                "001.A/a": "train|0|1", "002.B/b": "val|1|0", "002.B/c": "test|1|1",
            ])
        let both = try imported(
            "--metadata", "lists/metadata_waterbirds.csv", "--columns",
            "file=img_filename,label=y,group=y+place", "--split-values", "train=0,val=1,test=2")
        #expect(try table(both)["002.B/b"] == "val|1|y=1, place=0")
        #expect(both.groups?.names == ["y=0, place=1", "y=1, place=0", "y=1, place=1"])
        #expect(
            try refusal(
                "--metadata", "lists/metadata_waterbirds.csv", "--columns", options, "--split-values",
                "train=0"
            ).contains("line 3: --split-values do not say which split “1” is"))
        #expect(
            try refusal("--metadata", "lists/metadata_waterbirds.csv").contains(
                "there is no column file_name, only img_id, img_filename, y"))
    }

    @Test("ISIC's one-hot ground truth, whose names have no extension")
    func oneHot() throws {
        let list = "image,MEL,NV,BCC\nISIC_1,0.0,1.0,0.0\nISIC_2,1.0,0.0,0.0\nISIC_3,0,0,1\n"
        try write("ISIC_1.png", "ISIC_2.png", "ISIC_3.png", list: list, to: "truth.csv")
        let options = "file=image,label=MEL+NV+BCC"
        let dataset = try imported("--metadata", "truth.csv", "--columns", options)
        #expect(try table(dataset) == ["ISIC_1": "|NV|", "ISIC_2": "|MEL|", "ISIC_3": "|BCC|"])
        for (row, message) in [
            ("ISIC_1,1,1,0", "line 5: MEL, NV are 1"), ("ISIC_1,0,0,0", "line 5: none of the 3 columns"),
            ("ISIC_1,0.5,0,0", "line 5: MEL is “0.5”"),
        ] {
            try folder.write(Array((list + row + "\n").utf8), to: "truth.csv")
            #expect(try refusal("--metadata", "truth.csv", "--columns", options).contains(message))
        }
    }

    @Test("JSON lines have their members called likewise, and masks have a column")
    func jsonLines() throws {
        try write(
            "a.png", "b.png", "m.png",
            list: """
                {"path": "a.png", "class": 3, "mask": "m.png", "isTest": false}
                {"path": "b", "class": 4, "isTest": true}
                """, to: "list.jsonl")
        let dataset = try imported(
            "--metadata", "list.jsonl", "--columns", "file=path,label=class,mask=mask,split=isTest",
            "--split-values", "train=0,test=1", "--masks-output", "m.h5", "--mask-values", "2")
        #expect(try table(dataset) == ["a": "train|3|", "b": "test|4|"])
        #expect(try MaskSet(path: folder.path("m.h5"), for: dataset).mask(ofSample: 1) != nil)
    }

    @Test("a column that is not there, and options without a list, are refused")
    func refusals() throws {
        try write("a/a.png", list: "x,y\na/a.png,1\n", to: "list.csv")
        #expect(
            try refusal("--metadata", "list.csv", "--columns", "file=x,label=z").contains(
                "there is no column z, only x, y"))
        try write("b/b.png", list: "image,label_name\nb/b.png,1\n", to: "named.csv")
        #expect(
            try refusal("--metadata", "named.csv", "--columns", "file=image,label=lable_name").contains(
                "did you mean “label_name”?"))
        #expect(try refusal("--columns", "file=x", status: 64).contains("--metadata says where it is"))
        #expect(try refusal("--columns", "name=x", status: 64).contains("--columns"))
        #expect(try refusal("--metadata", "nothing.csv", status: 66).contains("nothing.csv"))
        #expect(
            try refusal("--metadata", "list.csv", "--labels", "none", status: 64).contains("--labels none"))
    }
}
