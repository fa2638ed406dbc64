import Foundation
import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("damaged datasets and mask sets")
struct DamageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// The places of the object headers of a file, which begin with `OHDR` and end in a checksum.
    private static func objectHeaders(in bytes: Data) -> [Int] {
        let signature = Array("OHDR".utf8)
        return bytes.indices.dropLast(4).filter { bytes[$0..<$0 + 4].elementsEqual(signature) }
    }

    @Test("an array that is there and cannot be opened is an error, and none that is missing")
    func spoiledHeaders() throws {
        var file = try RawFile.dataset()
        file.arrays["/group"] = .integers([0, 0, 1], [3])
        let path = try file.write(to: folder.path("d.h5"))
        let sound = try Data(contentsOf: URL(filePath: path))
        let headers = Self.objectHeaders(in: sound)
        // The root, and the six arrays.
        #expect(headers.count == 7)
        for header in headers {
            var bytes = sound
            bytes[header + 12] ^= 1
            try bytes.write(to: URL(filePath: path))
            let error = try #require(throws: FormatError.self) { try Dataset(path: path).ids() }
            #expect(error.code == .malformed)
        }
    }

    /// A small dataset with all that one can have.
    private func writeDataset() throws -> String {
        let shape = try ImageShape(channels: 1, height: 3, width: 2)
        let path = folder.path("full.h5")
        let writer = try DatasetWriter(path: path, sampleCount: 3, imageShape: shape, elementType: .uint8)
        for index in 0..<3 {
            let pixels = (0..<6).map { UInt8(10 * index + $0) }
            try writer.write(Tensor(shape: TensorShape([1, 3, 2]), elements: pixels), at: index)
        }
        _ = try writer.finish(
            SampleTable(
                ids: ["a", "b", "c"], labels: [0, 1, 1], classNames: ["x", "y"], splits: [0, 1, 0],
                splitNames: ["train", "test"], groups: SampleGroups(numbers: [0, 0, 1], names: ["u", "v"]),
                sourceSizes: (4..<7).map { ImageSize(height: $0, width: 9) }),
            provenance: ["command": "test"])
        return path
    }

    private struct Content: Equatable {
        let table: SampleTable
        let color: String
        let images: [[Float]]
        let provenance: String?
        let fingerprint: String

        init(_ path: String) throws {
            let dataset = try Dataset(path: path)
            (table, color, fingerprint) = (try dataset.table(), dataset.color, try dataset.fingerprint)
            images = try (0..<dataset.sampleCount).map { try dataset.image(at: $0).elements }
            provenance = try dataset.provenanceText()
        }
    }

    /// The places by which libhdf5 finds its way through the texts of attributes, and past its memory where they are
    /// wrong: the headers of a global heap (`GCOL`, 16 bytes) and of each of its objects (16 bytes, the last 8 a length).
    private static func heapHeaders(in bytes: Data) -> Set<Int> {
        func number(at place: Int) -> Int {
            (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        var places: Set<Int> = []
        let signature = Array("GCOL".utf8)
        for heap in bytes.indices.dropLast(16) where bytes[heap..<heap + 4].elementsEqual(signature) {
            places.formUnion(heap..<heap + 16)
            let end = heap + number(at: heap + 8)
            var object = heap + 16
            while object + 16 <= end {
                places.formUnion(object..<object + 16)
                guard bytes[object] != 0 || bytes[object + 1] != 0 else { break }
                object += 16 + (number(at: object + 8) + 7) / 8 * 8
            }
        }
        return places
    }

    /// Flips a bit of every byte that is not 0, and of some that are, and counts the readings that passed for sound.
    private func flipBytes(of path: String, read: () throws -> Bool) throws -> (found: Int, unchanged: Int) {
        let sound = try Data(contentsOf: URL(filePath: path))
        var (found, unchanged) = (0, 0)
        let trusted = Self.heapHeaders(in: sound)
        #expect(!trusted.isEmpty)
        for place in sound.indices
        where (sound[place] != 0 || place % 61 == 0) && !trusted.contains(place) {
            var bytes = sound
            bytes[place] ^= 1 << UInt8(place % 8)
            try bytes.write(to: URL(filePath: path))
            do {
                #expect(try read(), "a flip of byte \(place) of \(sound.count) changed what is read")
                unchanged += 1
            } catch is any ExplainedError {
                found += 1
            }
        }
        try sound.write(to: URL(filePath: path))
        return (found, unchanged)
    }

    @Test("a flipped byte of a dataset is an error, or what is read stays what it was")
    func flippedDataset() throws {
        let path = try writeDataset()
        let sound = try Content(path)
        #expect(sound.table.sourceSizes == (4..<7).map { ImageSize(height: $0, width: 9) })
        let (found, unchanged) = try flipBytes(of: path) { try Content(path) == sound }
        #expect(found > 1000 && unchanged < found / 2)
    }

    @Test("a flipped byte of a mask set is an error, or what is read stays what it was")
    func flippedMaskSet() throws {
        let dataset = try Dataset(path: writeDataset())
        let path = folder.path("m.h5")
        let writer = try MaskSetWriter(path: path, for: dataset)
        for index in [0, 2] {
            try writer.write(
                Tensor(shape: TensorShape([3, 2]), elements: (0..<6).map { UInt8(($0 + index) % 2) }),
                forSample: index)
        }
        _ = try writer.finish(provenance: ["command": "test"])
        let sound = try MaskSet(path: path, for: dataset)
        let (found, unchanged) = try flipBytes(of: path) {
            let masks = try MaskSet(path: path, for: dataset)
            return masks.fingerprint() == sound.fingerprint() && masks.provenance == sound.provenance
        }
        #expect(found > 500 && unchanged < found)
    }

    @Test(
        "what is changed beside the pixels is refused by name",
        arguments: ["/labels", "/split", "/group", "/checksum", "/source_size", "/ids"])
    func changedArrays(name: String) throws {
        let path = try writeDataset()
        let array = try HDF5File(reading: path).dataset(name)
        guard case .contiguous(let offset?) = array.layout else {
            Issue.record("the array is in pieces")
            return
        }
        var bytes = try FileBytes.read(path)
        bytes[offset] ^= 1
        try FileBytes.write(bytes, to: path)
        let error = try #require(throws: DatasetError.self) { try Dataset(path: path).ids() }
        #expect(error.code == .changedContent && error.path == path + ":" + name)
    }
}
