import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("NPY")
struct NPYTests {
    static func read(_ name: String) throws -> NPYArray {
        try NPYArray.read(Fixtures.path("formats/npy/\(name).npy"))
    }

    @Test("NumPy's arrays are read", arguments: [("u1", 0.0), ("i8", 0.0), ("f4", 0.5), ("f8", 0.5)])
    func read(name: String, offset: Double) throws {
        let array = try Self.read(name)
        #expect(array.shape.dimensions == [2, 3])
        #expect(array.type.rawValue.hasSuffix(name))
        #expect(array.values(as: Double.self) == (0..<6).map { Double($0) + offset })
        #expect(array.values(as: Float.self) == (0..<6).map { Float($0) + Float(offset) })
    }

    @Test("vectors, single elements, no rows and version 2.0 are read")
    func otherShapes() throws {
        #expect(try Self.read("vector").shape.dimensions == [6])
        #expect(try Self.read("scalar").shape.dimensions == [])
        #expect(try Self.read("scalar").values(as: Double.self) == [7.5])
        #expect(try Self.read("no-rows").shape.dimensions == [0, 1, 28, 28])
        #expect(try Self.read("version-2").values(as: Float.self) == [0, 1, 2, 3, 4, 5])
    }

    @Test(
        "headers are NumPy's own, byte for byte",
        arguments: [
            ("u1", [2, 3], NPYElementType.uint8), ("i8", [2, 3], .int64), ("f4", [2, 3], .float32),
            ("f8", [2, 3], .float64), ("vector", [6], .float32), ("scalar", [], .float64),
            ("no-rows", [0, 1, 28, 28], .float32), ("long", [0, 1_234_567_890_123_456], .uint8),
        ])
    func header(name: String, shape: [Int], type: NPYElementType) throws {
        let file = try FileBytes.read(Fixtures.path("formats/npy/\(name).npy"))
        let header = NPYHeader.bytes(shape: shape, type: type)
        #expect(file.starts(with: header))
        #expect(header.count.isMultiple(of: 64))
        #expect(file.count == header.count + shape.reduce(1, *) * type.size)
    }

    @Test(
        "what is not served is refused by name",
        arguments: [
            ("fortran", "Fortran order"), ("big-endian", ">f4"), ("record", "record"), ("object", "|O"),
        ])
    func refused(name: String, words: String) {
        let error = #expect(throws: FormatError.self) { try Self.read("refused-\(name)") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(words) == true)
    }

    @Test(
        "damage is found",
        arguments: [
            ("truncated", "do not fill"), ("longer", "do not fill"), ("header-cut", "cut short"),
            ("literal", "no dictionary"), ("negative", "no dictionary"), ("vast", "more elements"),
            ("text", "not an NPY file"),
        ])
    func damaged(name: String, words: String) {
        let error = #expect(throws: FormatError.self) { try Self.read("damaged-\(name)") }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
