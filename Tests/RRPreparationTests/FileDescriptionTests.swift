import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import TestSupport
import Testing

@Suite("Describing a file")
struct FileDescriptionTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("a dataset shows its arrays, classes and splits with their counts, as the schema has it")
    func dataset() throws {
        var sample = try SampleDataset(folder)
        sample.compression = .deflate
        let path = try sample.write()
        let description = try FileDescription(path: path)
        let json = description.json
        #expect(description.kind == .dataset)
        #expect(JSONSchema.dataset.validate(json) == [])
        #expect(json["samples"] == 7)
        #expect(json["color"] == "other")
        #expect(json["fingerprint"] == .string(try Dataset(path: path).fingerprint))
        #expect(json["file_bytes"]?.integerValue == (try FileBytes.read(path).count))
        #expect(
            json["classes"] == [
                ["label": 0, "name": "coat", "samples": 3], ["label": 1, "name": "bag", "samples": 2],
                ["label": 2, "name": "boot", "samples": 2],
            ])
        #expect(json["splits"] == [["name": "train", "samples": 4], ["name": "test", "samples": 3]])
        let images = json["arrays"]?["images"]
        #expect(images?["type"] == "uint8")
        #expect(images?["shape"] == [7, 1, 5, 4])
        #expect(images?["layout"] == "chunked")
        #expect(images?["filters"] == ["deflate"])
        #expect(json["arrays"]?["ids"]?["type"] == "string of 8 bytes")
    }

    @Test("a dataset without labels and splits has neither classes nor splits")
    func bare() throws {
        var sample = try SampleDataset(folder)
        (sample.labels, sample.classNames, sample.splits) = (nil, nil, nil)
        let json = try FileDescription(path: sample.write()).json
        #expect(JSONSchema.dataset.validate(json) == [])
        #expect(json["classes"] == nil)
        #expect(json["splits"] == nil)
    }

    @Test("a mask set shows how many samples have a mask, as the schema has it")
    func masks() throws {
        let sample = try SampleDataset(folder)
        let dataset = try Dataset(path: sample.write())
        let json = try FileDescription(path: sample.writeMasks()).json
        #expect(JSONSchema.masks.validate(json) == [])
        #expect(json["samples"] == 7)
        #expect(json["masks"] == 3)
        #expect(json["annotated"] == 3)
        #expect(try json["dataset_fingerprint"] == .string(dataset.fingerprint))
        #expect(json["provenance"] == ["source": "test"])
    }

    @Test("a file that is no HDF5 is an error")
    func text() throws {
        let path = try folder.write(Array("hello".utf8), to: "a.h5")
        #expect(throws: FormatError.self) { try FileDescription(path: path) }
    }
}
