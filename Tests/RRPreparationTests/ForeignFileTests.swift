import RRDatasets
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Files that h5py wrote by the words of the format")
struct ForeignFileTests {
    @Test("a dataset of h5py is read and found sound", arguments: ["h5py.h5", "h5py-gzip.h5"])
    func dataset(name: String) throws {
        let path = Fixtures.path("datasets/" + name)
        let dataset = try Dataset(path: path)
        #expect(dataset.elementType == .uint16)
        #expect(dataset.color == "rgb")
        #expect(dataset.classNames == ["mantel", "stiefel"])
        #expect(try dataset.ids()[2] == "train/stiefel/ä")
        #expect(try dataset.indices(inSplit: "test") == [3, 4])
        for index in [4, 0, 3, 1, 2] {
            let image = try dataset.image(at: index).elements
            #expect(
                image == (0..<72).map { Float(UInt16(truncatingIfNeeded: (index * 72 + $0) * 181)) / 65535 })
        }
        #expect(try ValidationReport(datasetPath: path).findings == [])
        #expect(JSONSchema.dataset.validate(try FileDescription(path: path).json) == [])
    }

    @Test("masks of h5py are read and found sound")
    func masks() throws {
        let (path, masksPath) = (Fixtures.path("datasets/h5py.h5"), Fixtures.path("datasets/h5py-masks.h5"))
        let masks = try MaskSet(path: masksPath, for: Dataset(path: path))
        #expect((0..<5).filter(masks.isAnnotated) == [1, 4])
        #expect(masks.bits[0, 8])
        #expect(try ValidationReport(datasetPath: path, maskPaths: [masksPath]).findings == [])
        #expect(JSONSchema.masks.validate(try FileDescription(path: masksPath).json) == [])
    }

    @Test("a file without any of our attributes is described, and its faults are told")
    func bare() throws {
        let path = Fixtures.path("datasets/h5py-bare.h5")
        let description = try FileDescription(path: path)
        #expect(description.kind == .other)
        #expect(description.json["format"] == "hdf5")
        #expect(description.json["arrays"]?["deep/er/labels"]?["type"] == ">i4")
        #expect(description.json["arrays"]?["images"]?["shape"] == [5, 3, 4, 6])
        let findings = try ValidationReport(datasetPath: path).findings
        #expect(findings.first?.code == .wrongFormat)
        #expect(findings.contains { $0.message.contains("\"ids\" is missing") })
        #expect(findings.contains { $0.message.contains("\"fingerprint\" is missing") })
    }
}
