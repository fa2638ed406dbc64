import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("HDF5: files that are refused")
struct HDF5RefusalTests {
    static func failure(_ body: () throws -> Void) -> FormatError? {
        HDF5ReadingTests.failure(body)
    }

    @Test(
        "what lies in other files is refused by name",
        arguments: [
            ("external-link", "external link to layouts.h5"), ("external-storage", "external files"),
            ("virtual", "virtual"),
        ])
    func elsewhere(name: String, words: String) throws {
        let file = try HDF5ReadingTests.open("elsewhere.h5")
        let error = Self.failure { _ = try file.dataset("/" + name) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(words) == true)
        #expect(error?.path.hasSuffix("elsewhere.h5:/\(name)") == true)
    }

    @Test("a filter that needs a plugin is refused by name")
    func plugin() throws {
        let dataset = try HDF5ReadingTests.open("habits-filters.h5").dataset("bitshuffle")
        let error = Self.failure { _ = try dataset.readAll(as: UInt8.self) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("bitshuffle") == true)
    }

    @Test("a list whose chunk decodes to less than a chunk is refused, whatever type it is read as")
    func shortChunk() throws {
        let dataset = try HDF5ReadingTests.open("short-deflate.h5").dataset("x")
        let asStored = Self.failure { _ = try dataset.readAll(as: UInt8.self) }
        #expect(asStored?.code == .malformed)
        #expect(asStored?.message == "a chunk holds 100 bytes, where 67108864 are needed")
        let converted = Self.failure { _ = try dataset.readAll(as: UInt16.self) }
        #expect(converted == asStored)
    }

    @Test("a missing object's error lists what is there")
    func missingObject() throws {
        let file = try HDF5ReadingTests.open("elsewhere.h5")
        let inGroup = Self.failure { _ = try file.dataset("/group/images") }
        #expect(inGroup?.code == .notFound)
        #expect(inGroup?.message == "there is no object of this name; /group holds inside")
        #expect(Self.failure { _ = try file.dataset("/dangling") }?.code == .malformed)
    }

    @Test("a group is no dataset and a dataset no group")
    func wrongKind() throws {
        let file = try HDF5ReadingTests.open("elsewhere.h5")
        #expect(Self.failure { _ = try file.dataset("/group") }?.message == "this is not a dataset")
        #expect(Self.failure { _ = try file.memberNames(of: "/soft-link") }?.message == "this is not a group")
    }

    @Test("a missing file and a folder")
    func noFile() {
        let missing = Self.failure { _ = try HDF5ReadingTests.open("missing.h5") }
        #expect(missing?.code == .notFound)
        let folder = Self.failure { _ = try HDF5ReadingTests.open("") }
        #expect(folder?.code == .cannotRead)
        #expect(folder?.message == "this is a folder, not a file")
    }

    @Test(
        "files that are not HDF5 or are cut short say so",
        arguments: [
            ("text.h5", "this is not an HDF5 file"), ("empty.h5", "this is not an HDF5 file"),
            ("truncated.h5", "cut short"),
        ])
    func damagedFiles(name: String, words: String) {
        let error = Self.failure { _ = try HDF5ReadingTests.open(name) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true)
    }

    @Test(
        "a shape that the file cannot hold is refused before memory is asked for",
        arguments: ["contiguous", "chunked"])
    func vast(name: String) throws {
        let dataset = try HDF5ReadingTests.open("vast.h5").dataset(name)
        let error = Self.failure { _ = try dataset.readAll(as: UInt8.self) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("can hold") == true)
    }

    @Test(
        "numbers that were never written are the fill value, up to 64 MiB of them",
        arguments: [("filled", 1000, UInt8(7)), ("largest", 1 << 14, 0)])
    func neverWritten(name: String, rows: Int, filling: UInt8) throws {
        let file = try HDF5ReadingTests.open("unwritten.h5")
        let array = try HDF5Array(file.dataset(name))
        #expect(array.shape.dimensions == [rows, 64, 64])
        var read = 0
        try array.forEachBlock { rows, bytes in
            read += rows.count
            #expect(bytes.count == rows.count * 4096 && bytes.allSatisfy { $0 == filling })
        }
        #expect(read == rows)
    }

    @Test(
        "more of them than 64 MiB, and text, is refused before memory is asked for",
        arguments: ["beyond", "wide", "text"])
    func neverWrittenBeyond(name: String) throws {
        let array = try HDF5Array(HDF5ReadingTests.open("unwritten.h5").dataset(name))
        let error = Self.failure { try array.checkSize() }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("can hold") == true)
    }

    @Test("a closed file is not used")
    func closed() throws {
        let file = try HDF5ReadingTests.open("layouts.h5")
        let dataset = try file.dataset("contiguous")
        try file.close()
        try file.close()
        #expect(Self.failure { _ = try file.dataset("contiguous") }?.code == .cannotRead)
        #expect(Self.failure { _ = try dataset.readAll(as: UInt16.self) }?.code == .cannotRead)
    }

    @Test(
        "a chunk that decodes to less than a chunk is refused, by rows and by all",
        arguments: ["deflate", "lzf", "zstd"])
    func shortChunk(filter: String) throws {
        let file = try HDF5File(reading: Fixtures.path("formats/hdf5/short-\(filter).h5"))
        let array = try HDF5Array(file.dataset("/x"))
        let row = UnsafeMutableRawBufferPointer.allocate(byteCount: array.bytesPerRow, alignment: 8)
        defer { row.deallocate() }
        let error = #expect(throws: FormatError.self) { try array.read(rows: 3..<4, into: row) }
        #expect(error?.code == .malformed)
        let other = #expect(throws: FormatError.self) {
            try HDF5RowReader(array).read(rows: 3..<4, into: row)
        }
        #expect(other?.code == .malformed)
    }
}
