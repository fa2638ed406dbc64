import RRFormats
import RRTensor
import TestSupport
import Testing

/// `Fixtures/formats/hdf5`, which h5py wrote: where nothing else is said, an element of the shape
/// (5, 2, 3, 4) is its own row-major position.
@Suite("HDF5: reading what others wrote")
struct HDF5ReadingTests {
    static func open(_ name: String) throws -> HDF5File {
        try HDF5File(reading: Fixtures.path("formats/hdf5/\(name)"))
    }

    static func failure(_ body: () throws -> Void) -> FormatError? {
        do {
            try body()
            return nil
        } catch {
            return error as? FormatError
        }
    }

    @Test(
        "every width and byte order reads as Int64",
        arguments: [
            ("u1", "uint8"), ("i1", "int8"), ("little-u2", "uint16"), ("big-u2", ">u2"),
            ("little-i2", "int16"),
            ("big-i4", ">i4"), ("little-u4", "uint32"), ("little-i8", "int64"), ("big-u8", ">u8"),
        ])
    func integers(name: String, type: String) throws {
        let dataset = try Self.open("types.h5").dataset("/" + name)
        #expect(dataset.elementType.description == type)
        #expect(dataset.elementType.isInteger)
        #expect(dataset.shape.dimensions == [5, 2, 3, 4])
        #expect(try dataset.readAll(as: Int64.self) == Array(0..<120))
    }

    @Test(
        "every float reads as Float and Double",
        arguments: [
            ("little-f2", "float16"), ("big-f2", ">f2"), ("little-f4", "float32"), ("big-f4", ">f4"),
            ("little-f8", "float64"), ("big-f8", ">f8"),
        ])
    func floats(name: String, type: String) throws {
        let dataset = try Self.open("types.h5").dataset(name)
        #expect(dataset.elementType.description == type)
        #expect(dataset.elementType.isFloatingPoint)
        #expect(try dataset.readAll(as: Float.self) == (0..<120).map { Float($0) })
        #expect(try dataset.readAll(as: Double.self) == (0..<120).map { Double($0) })
    }

    @Test("truth values read as 0 and 1 in every type")
    func bool() throws {
        let dataset = try Self.open("types.h5").dataset("bool")
        #expect(dataset.elementType == .bool)
        #expect(try dataset.readAll(as: UInt8.self) == (0..<120).map { $0 % 3 == 0 ? 1 : 0 })
        #expect(try dataset.readAll(as: Int64.self) == (0..<120).map { $0 % 3 == 0 ? 1 : 0 })
        #expect(try dataset.readAll(as: Float.self) == (0..<120).map { $0 % 3 == 0 ? 1 : 0 })
    }

    @Test(
        "rows are read from every layout",
        arguments: ["contiguous", "chunked", "deflate", "shuffle-deflate-fletcher32"])
    func rows(name: String) throws {
        let dataset = try Self.open("layouts.h5").dataset(name)
        let rows = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: 48)
        defer { rows.deallocate() }
        try dataset.read(rows: 2..<4, as: UInt16.self, into: rows)
        #expect(Array(rows) == Array(48..<96))
        #expect(dataset.elementsPerRow == 24)
        #expect(dataset.location.hasSuffix("layouts.h5:/\(name)"))
    }

    @Test("the layout is told, and the offset of contiguous data is where the bytes are")
    func layout() throws {
        let path = Fixtures.path("formats/hdf5/layouts.h5")
        let file = try HDF5File(reading: path)
        guard case .contiguous(let offset?) = try file.dataset("contiguous").layout else {
            Issue.record("not contiguous")
            return
        }
        let bytes = try FileBytes.read(path)
        #expect(bytes[offset..<offset + 240] == (0..<120).flatMap { [UInt8($0), 0] }[...])
        #expect(try file.dataset("chunked").layout == .chunked([2, 1, 2, 3], filters: []))
        #expect(
            try file.dataset("shuffle-deflate-fletcher32").layout
                == .chunked([3, 2, 3, 4], filters: ["shuffle", "deflate", "fletcher32"]))
        #expect(try file.dataset("compact").layout == .compact)
        #expect(try file.dataset("compact").readAll(as: UInt8.self) == Array(0..<10))
        #expect(try file.dataset("contiguous").storageSize == 240)
    }

    @Test(
        "a value that does not fit is an error, not clamped",
        arguments: ["negative", "large", "fractions"])
    func lossyValues(name: String) throws {
        let dataset = try Self.open("types.h5").dataset(name)
        let error = Self.failure { _ = try dataset.readAll(as: UInt8.self) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("does not fit") == true)
    }

    @Test("a single element, no element and elements never written")
    func degenerate() throws {
        let file = try Self.open("types.h5")
        #expect(try file.dataset("scalar").shape.dimensions == [])
        #expect(try file.dataset("scalar").readAll(as: Int64.self) == [7])
        #expect(try file.dataset("nothing").readAll(as: Float.self) == [])
        #expect(try file.dataset("no-rows").shape.dimensions == [0, 3])
        #expect(try file.dataset("no-rows").readAll(as: UInt8.self) == [])
        #expect(try file.dataset("never-written").layout == .contiguous(fileOffset: nil))
        #expect(try file.dataset("never-written").readAll(as: UInt8.self) == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("elements that are no numbers are refused")
    func compound() throws {
        let dataset = try Self.open("types.h5").dataset("compound")
        #expect(dataset.elementType.description == "compound of 5 bytes")
        #expect(Self.failure { _ = try dataset.readAll(as: UInt8.self) }?.code == .unsupported)
        #expect(Self.failure { _ = try dataset.readStrings() }?.code == .unsupported)
    }

    @Test("strings of fixed and variable length")
    func strings() throws {
        let file = try Self.open("strings.h5")
        let words = ["", "a", "T-shirt/top", "Müller", "日本"]
        #expect(try file.dataset("variable").elementType == .variableString)
        #expect(try file.dataset("variable").readStrings() == words)
        #expect(try file.dataset("fixed").elementType == .fixedString(length: 16))
        #expect(try file.dataset("fixed").readStrings() == words)
        #expect(
            Self.failure { _ = try file.dataset("variable").readAll(as: UInt8.self) }?.code == .unsupported)
    }

    @Test("text that is not UTF-8 is an error that names the string")
    func notUTF8() throws {
        let dataset = try Self.open("strings.h5").dataset("not-utf8")
        let error = Self.failure { _ = try dataset.readStrings() }
        #expect(error?.code == .malformed)
        #expect(error?.message == "string 1 is not UTF-8")
    }

    @Test("attributes")
    func attributes() throws {
        let file = try Self.open("strings.h5")
        #expect(try file.attribute("text") == .string("Müller"))
        #expect(try file.attribute("bytes") == .string("fixed"))
        #expect(try file.attribute("list") == .strings(["", "a", "T-shirt/top", "Müller", "日本"]))
        #expect(try file.attribute("integer") == .integer(-5))
        #expect(try file.attribute("unsigned") == .other)
        #expect(try file.attribute("fraction") == .other)
        #expect(try file.attribute("empty") == .other)
        #expect(try file.attribute("missing") == nil)
        #expect(Self.failure { _ = try file.attribute("text", of: "/missing") }?.code == .notFound)
    }

    @Test("names and kinds of objects")
    func objects() throws {
        let file = try Self.open("elsewhere.h5")
        #expect(
            try file.memberNames(of: "/") == [
                "dangling", "external-link", "external-storage", "group", "soft-link", "virtual",
            ])
        #expect(file.kind(of: "/") == .group)
        #expect(file.kind(of: "group") == .group)
        #expect(file.kind(of: "/group/inside") == .dataset)
        #expect(file.kind(of: "/soft-link") == .dataset)
        // The links are there; what they lead to is not, or is not followed.
        #expect(file.exists("/dangling") && file.kind(of: "/dangling") == nil)
        #expect(file.exists("/external-link") && file.kind(of: "/external-link") == nil)
        #expect(!file.exists("/group/missing"))
        #expect(try file.dataset("soft-link").readAll(as: UInt8.self) == [0, 1, 2])
    }
}
