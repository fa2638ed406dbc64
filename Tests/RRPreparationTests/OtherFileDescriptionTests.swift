import Foundation
import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import TestSupport
import Testing

@Suite("Describing files of other formats")
struct OtherFileDescriptionTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func describe(_ path: String) throws -> JSONValue {
        try #require(try OtherFileDescription.json(of: path))
    }

    @Test("a PNG tells its size, colour and depth as stored")
    func png() throws {
        let json = try describe(Fixtures.path("formats/png/palette-2.png"))
        #expect(json["format"] == "png")
        #expect(json["width"] == 7 && json["height"] == 5)
        #expect(json["color"] == "palette" && json["bit_depth"] == 2)
        #expect(json["decoded"]?.stringValue?.contains("rgb") == true)
        let path = Fixtures.path("formats/png/rgba-16-interlaced.png")
        #expect(try describe(path)["color"] == "rgba")
        #expect(try describe(path)["interlaced"] == true)
        #expect(try describe(path)["file_bytes"]?.integerValue == (try FileBytes.read(path).count))
    }

    @Test("an NPY file tells its type and shape")
    func npy() throws {
        let json = try describe(Fixtures.path("formats/npy/f4.npy"))
        #expect(json["format"] == "npy" && json["type"] == "float32" && json["shape"] == [2, 3])
    }

    @Test("a safetensors file tells the name, type and shape of every tensor")
    func safeTensors() throws {
        let path = folder.path("w.safetensors")
        try SafeTensorsFile.write(
            [
                SafeTensor(name: "0.weight", shape: [2, 3], values: [Float](repeating: 1, count: 6)),
                SafeTensor(name: "0.bias", shape: [2], values: [Double](repeating: 1, count: 2)),
            ], to: path)
        let json = try describe(path)
        #expect(json["format"] == "safetensors" && json["elements"] == 8)
        let tensors = try #require(json["tensors"]?.arrayValue)
        #expect(tensors.contains(["name": "0.weight", "type": "F32", "shape": [2, 3]]))
        #expect(tensors.contains(["name": "0.bias", "type": "F64", "shape": [2]]))
    }

    @Test("COCO annotations tell how many images, annotations and categories there are")
    func coco() throws {
        let text = """
            {"images": [{"id": 1, "file_name": "a.png", "height": 5, "width": 4}],
             "categories": [{"id": 3, "name": "ruler"}],
             "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 2, 2]},
                             {"id": 2, "image_id": 1, "category_id": 3, "segmentation": [[0, 0, 2, 0, 2, 2]]}]}
            """
        let json = try describe(folder.write(Array(text.utf8), to: "a.json"))
        #expect(json["format"] == "coco" && json["images"] == 1 && json["annotations"] == 2)
        #expect(json["categories"] == ["ruler"] && json["segmentations"] == 1 && json["boxes_only"] == 1)
    }

    @Test("an exported folder tells what it was made of, another folder what is in it")
    func folders() throws {
        let dataset = try Dataset(path: SampleDataset(folder).write())
        _ = try PNGFolderExport(source: ExportSource(dataset: dataset), output: folder.path("out")).run()
        let json = try describe(folder.path("out"))
        #expect(json["kind"] == "pngs" && json["samples"] == 7)
        #expect(try json["fingerprint"] == .string(dataset.fingerprint))
        let other = try describe(Fixtures.path("fashion"))
        #expect(other["folders"] == ["test", "train"])
    }

    @Test("the files of a folder are counted at any depth, its folders on the first level")
    func depth() throws {
        let image = try FileBytes.read(Fixtures.path("formats/png/palette-2.png"))
        for name in ["train/a/1.png", "train/a/deeper/2.PNG", "train/b/3.png"] {
            try folder.write(image, to: "in/\(name)")
        }
        for name in ["notes.txt", "train/b/list.csv", ".hidden.png"] {
            try folder.write([1], to: "in/\(name)")
        }
        let json = try describe(folder.path("in"))
        #expect(json["png_files"] == 3 && json["other_files"] == 2 && json["folders"] == ["train"])
        #expect(json["samples"] == 3 && json["problem"] == nil)
        let part = try describe(folder.path("in/train/a"))
        #expect(part["png_files"] == 2 && part["other_files"] == 0 && part["folders"] == ["deeper"])
    }

    @Test("a folder with a link to a folder above is described with that problem")
    func loop() throws {
        try folder.write([1], to: "in/a/notes.txt")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("in/a/back"), withDestinationPath: "..")
        let problem = try describe(folder.path("in"))["problem"]?.stringValue
        #expect(problem?.contains("leads back to a folder above") == true)
    }

    @Test("HDF5 and text are none of these, and a missing file is an error")
    func none() throws {
        #expect(try OtherFileDescription.json(of: SampleDataset(folder).write()) == nil)
        #expect(try OtherFileDescription.json(of: folder.write(Array("hello".utf8), to: "a.txt")) == nil)
        let error = #expect(throws: FormatError.self) {
            try OtherFileDescription.json(of: folder.path("none"))
        }
        #expect(error?.code == .notFound)
    }
}
