import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("NPY")
struct NPYTests {
    static func open(_ name: String) throws -> StoredArray {
        try NPYArray.open(Fixtures.path("formats/npy/\(name).npy"))
    }

    /// The elements of an array of some type.
    static func elements<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ array: any ArraySource, as type: Element.Type
    ) throws -> [Element] {
        var elements = [Element](repeating: 0, count: array.shape.elementCount)
        try elements.withUnsafeMutableBytes { bytes in
            try array.read(rows: 0..<(array.shape.rank == 0 ? 1 : array.shape[0]), into: bytes)
        }
        return elements
    }

    /// Everything numeric as numbers.
    static func numbers(_ array: any ArraySource) throws -> [Double] {
        switch array.elementType {
        case .float16: try elements(array, as: Float16.self).map { Double($0) }
        case .float32: try elements(array, as: Float.self).map { Double($0) }
        case .float64: try elements(array, as: Double.self)
        default: try array.integers().map { Double($0) }
        }
    }

    @Test("NumPy's arrays are read", arguments: [("u1", 0.0), ("i8", 0.0), ("f4", 0.5), ("f8", 0.5)])
    func read(name: String, offset: Double) throws {
        let array = try Self.open(name)
        #expect(array.shape.dimensions == [2, 3])
        #expect(try Self.numbers(array) == (0..<6).map { Double($0) + offset })
    }

    @Test(
        "every type is read in every version, order of bytes and order of elements",
        arguments: [
            "bool", "u1", "i1", "lu2", "bu2", "li2", "bi2", "lu4", "bu4", "li4", "bi4", "lu8", "bu8", "li8",
            "bi8",
            "lf2", "bf2", "lf4", "bf4", "lf8", "bf8",
        ], [1, 2, 3])
    func types(name: String, version: Int) throws {
        for order in ["C", "F"] {
            let array = try Self.open("types/\(name)-\(version)\(order)")
            #expect(array.shape.dimensions == [3, 2, 2])
            let values: [Double] =
                name == "bool" ? [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1] : (0..<12).map { Double($0) }
            #expect(try Self.numbers(array) == values, "\(order)")
            // Rows by themselves, from the middle on.
            let size = try #require(array.elementType.size)
            var rows = [UInt8](repeating: 0, count: 8 * size)
            var all = [UInt8](repeating: 0, count: 12 * size)
            try rows.withUnsafeMutableBytes { try array.read(rows: 1..<3, into: $0) }
            try all.withUnsafeMutableBytes { try array.read(rows: 0..<3, into: $0) }
            #expect(rows == Array(all.dropFirst(4 * size)))
        }
    }

    @Test("text of bytes and of characters is read", arguments: ["S", "lU", "bU"])
    func texts(name: String) throws {
        let array = try Self.open("types/text-\(name)")
        #expect(array.elementType == .text)
        #expect(try array.texts() == ["", "a", "Müller", "日本"])
        #expect(
            Self.failure { try array.read(rows: 0..<0, into: .init(start: nil, count: 0)) }?.code
                == .unsupported)
    }

    static func failure(_ body: () throws -> Void) -> FormatError? {
        #expect(throws: FormatError.self) { try body() }
    }

    @Test("vectors, single elements and no rows are read")
    func otherShapes() throws {
        #expect(try Self.open("vector").shape.dimensions == [6])
        #expect(try Self.open("scalar").shape.dimensions == [])
        #expect(try Self.numbers(Self.open("scalar")) == [7.5])
        #expect(try Self.open("no-rows").shape.dimensions == [0, 1, 28, 28])
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
            ("record", "record"), ("object", "|O"), ("complex", "<c8"), ("long-double", "<f16"),
            ("date", "<M8"),
        ])
    func refused(name: String, words: String) {
        let error = Self.failure { _ = try Self.open("refused-\(name)") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(words) == true)
    }

    @Test(
        "damage is found",
        arguments: [
            ("truncated", "do not fill"), ("longer", "do not fill"), ("header-cut", "cut short"),
            ("literal", "no dictionary"), ("negative", "no dictionary"), ("vast", "more elements"),
            ("text", "not an NPY file"), ("vast-header", "claims 1073741824 bytes"),
        ])
    func damaged(name: String, words: String) {
        let error = Self.failure { _ = try Self.open("damaged-\(name)") }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
