@testable import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("HDF5: what a reading process answers is not believed")
struct HDF5RecordTests {
    /// The record of a dataset with everything that a record can hold.
    private static func record() throws -> [UInt8] {
        var record = HDF5Record()
        record.append(
            HDF5DatasetFacts(
                elementType: HDF5ElementType(.other("enumeration of 1 bytes")), elementSize: 1,
                isPaddedWithSpaces: true,
                form: HDF5ElementForm(
                    type: .uint8, isBigEndian: false, isAsStored: true, isBits: true,
                    valueNames: [0: "ant", 1: "bee"]),
                shape: try TensorShape([3, 4]), layout: .chunked([2, 4], filters: ["shuffle", "deflate"]),
                filters: [.shuffle(elementSize: 4), .deflate, .fletcher32], isInOwnFile: true,
                holdsByteSequences: false))
        return record.bytes
    }

    @Test("facts come through as they were sent")
    func sound() throws {
        var parser = HDF5RecordParser(try Self.record())
        let facts = try parser.datasetFacts()
        try parser.end()
        #expect(facts.elementType == HDF5ElementType(.other("enumeration of 1 bytes")))
        #expect(facts.form.valueNames == [0: "ant", 1: "bee"])
        #expect(facts.layout == .chunked([2, 4], filters: ["shuffle", "deflate"]))
        #expect(facts.filters == [.shuffle(elementSize: 4), .deflate, .fletcher32])
        #expect(facts.shape.dimensions == [3, 4])
        #expect(facts.isPaddedWithSpaces && facts.isInOwnFile && !facts.holdsByteSequences)
    }

    @Test("errors keep the options that they name")
    func error() throws {
        let error = FormatError(.unsupported, path: "d.h5:/x", "unless \(option: .trustsLinks) says so")
        var record = HDF5Record()
        record.append(error)
        var parser = HDF5RecordParser(record.bytes)
        #expect(try parser.error() == error)
    }

    @Test("a record that is cut short anywhere is refused")
    func cut() throws {
        let bytes = try Self.record()
        for count in bytes.indices {
            var parser = HDF5RecordParser(Array(bytes.prefix(count)))
            #expect(throws: HDF5BrokenRecord.self) { _ = try parser.datasetFacts() }
        }
    }

    @Test("sizes that cannot be are refused: negative, beyond memory, of no element")
    func impossible() throws {
        func parse(_ shape: [Int], elementSize: Int) throws -> HDF5DatasetFacts {
            var record = HDF5Record()
            record.append(HDF5ElementType.uint16)
            record.append(elementSize)
            record.append(false)
            record.append(
                HDF5ElementForm(
                    type: .uint16, isBigEndian: false, isAsStored: true, isBits: false, valueNames: nil))
            record.append(shape) { $0.append($1) }
            record.append(HDF5Layout.compact)
            record.append([HDF5ChunkDecoder.Filter]?.none) { _, _ in }
            record.append(true)
            record.append(false)
            var parser = HDF5RecordParser(record.bytes)
            return try parser.datasetFacts()
        }
        #expect(try parse([3, 4], elementSize: 2).shape.elementCount == 12)
        #expect(throws: HDF5BrokenRecord.self) { try parse([3, -4], elementSize: 2) }
        #expect(throws: HDF5BrokenRecord.self) { try parse([1 << 40, 1 << 40], elementSize: 2) }
        #expect(throws: HDF5BrokenRecord.self) { try parse([0, 1 << 62], elementSize: 2) }
        // Bytes of one size would be taken for elements of another.
        #expect(throws: HDF5BrokenRecord.self) { try parse([3, 4], elementSize: 1) }
    }

    @Test("a list is no longer than the bytes that are left")
    func longList() {
        var record = HDF5Record()
        record.append(1 << 60)
        var parser = HDF5RecordParser(record.bytes)
        #expect(throws: HDF5BrokenRecord.self) {
            try parser.list { parser throws(HDF5BrokenRecord) in try parser.number() }
        }
    }

    @Test("groups in a circle end, in this process too")
    func circle() throws {
        let file = try HDF5File(reading: Fixtures.path("formats/hdf5/hostile-circle.h5"))
        #expect(try file.datasetNames().count == 11)
    }
}
