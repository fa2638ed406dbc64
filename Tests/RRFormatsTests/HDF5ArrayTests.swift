import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("HDF5 arrays, past libhdf5 and by it")
struct HDF5ArrayTests {
    static func open(_ file: String, _ name: String) throws -> HDF5Array {
        try HDF5Array(HDF5File(reading: Fixtures.path("formats/hdf5/\(file).h5")).dataset(name))
    }

    @Test("every type, layout and filter reads as h5py has written it, in whole and in rows")
    func varieties() throws {
        let file = try HDF5File(reading: Fixtures.path("formats/hdf5/varieties.h5"))
        let names = try file.memberNames(of: "/")
        #expect(names.count == 70)
        for name in names {
            let array = try HDF5Array(file.dataset(name))
            #expect(array.shape.dimensions == [5, 2, 3, 4])
            #expect(try NPYTests.numbers(array) == (0..<120).map { Double($0) }, "\(name)")
            for rows in [0..<1, 1..<4, 3..<5] {
                let size = array.bytesPerRow
                var all = [UInt8](repeating: 0, count: 5 * size)
                var some = [UInt8](repeating: 0, count: rows.count * size)
                try all.withUnsafeMutableBytes { try array.read(rows: 0..<5, into: $0) }
                try some.withUnsafeMutableBytes { try array.read(rows: rows, into: $0) }
                #expect(
                    some == Array(all[rows.lowerBound * size..<rows.upperBound * size]), "\(name) \(rows)")
            }
        }
    }

    @Test("integers of some bits are of the type that holds them, and bit fields are integers without a sign")
    func otherIntegers() throws {
        #expect(try Self.open("varieties", "nbit u").elementType == .uint16)
        #expect(try Self.open("varieties", "nbit i").elementType == .int16)
        #expect(try Self.open("varieties", "bits 1").elementType == .uint8)
        #expect(try Self.open("varieties", "bits 4").elementType == .uint32)
    }

    @Test("what was never written is the fill value")
    func fillValue() throws {
        #expect(try Self.open("partial", "chunks").integers() == [9, 9, 9, 9, 7, 7, 7, 7, 9, 9])
        #expect(try Self.open("partial", "nothing").integers() == Array(repeating: 9, count: 10))
    }

    @Test(
        "a damaged chunk is an error, and sound rows are read all the same",
        arguments: ["deflate", "fletcher32"])
    func damaged(name: String) throws {
        let array = try Self.open("damaged-chunk", name)
        var row = [UInt8](repeating: 0, count: 256)
        try row.withUnsafeMutableBytes { try array.read(rows: 0..<1, into: $0) }
        #expect(row == Array(0...255))
        let error = NPYTests.failure {
            try row.withUnsafeMutableBytes { try array.read(rows: 1..<2, into: $0) }
        }
        #expect(error?.code == .malformed)
        #expect(error?.path.hasSuffix("damaged-chunk.h5:/\(name)") == true)
    }

    @Test("links, external storage and virtual datasets are followed where they are trusted")
    func trusted() throws {
        let path = Fixtures.path("formats/hdf5/elsewhere.h5")
        let file = try HDF5File(reading: path, trustingLinks: true)
        for name in ["external-link", "virtual"] {
            #expect(try HDF5Array(file.dataset(name)).integers() == Array(0..<120), "\(name)")
        }
        #expect(try HDF5Array(file.dataset("external-storage")).shape.dimensions == [4])
    }

    @Test(
        "a shape that the file cannot hold is refused before memory is asked for",
        arguments: ["contiguous", "chunked"])
    func vast(name: String) throws {
        let array = try Self.open("vast", name)
        #expect(NPYTests.failure { try array.checkSize() }?.code == .malformed)
    }
}
