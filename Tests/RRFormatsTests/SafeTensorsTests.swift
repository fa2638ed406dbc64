import RRFormats
import TestSupport
import Testing

@Suite("Safetensors")
struct SafeTensorsTests {
    static let ramp = [-0.5, -0.25, 0, 0.25, 0.5, 0.75]
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    static func path(_ name: String) -> String {
        Fixtures.path("formats/safetensors/\(name).safetensors")
    }

    @Test("PyTorch's tensors of every floating-point type are read")
    func mixed() throws {
        let tensors = try SafeTensorsFile.read(Self.path("mixed"))
        #expect(Set(tensors.map(\.name)) == ["half", "brain", "count", "double", "empty"])
        for tensor in tensors where tensor.name == "half" || tensor.name == "brain" || tensor.name == "double"
        {
            #expect(tensor.shape == [2, 3])
            #expect(try tensor.values(as: Double.self) == Self.ramp)
            #expect(try tensor.values(as: Float.self) == Self.ramp.map { Float($0) })
        }
        let count = try #require(tensors.first { $0.name == "count" })
        #expect(count.type == .int64 && count.shape == [] && count.bytes == [3, 0, 0, 0, 0, 0, 0, 0])
        let error = #expect(throws: FormatError.self) { try count.values(as: Float.self) }
        #expect(error?.code == .unsupported)
        #expect(try tensors.first { $0.name == "empty" }?.values(as: Float.self) == [])
    }

    @Test("what is written is what PyTorch writes, byte for byte")
    func write() throws {
        let floats = Self.ramp.map { Float($0) }
        let path = folder.path("out.safetensors")
        try SafeTensorsFile.write(
            [
                SafeTensor(name: "0.weight", shape: [2, 3], values: floats),
                SafeTensor(name: "0.bias", shape: [3], values: floats[..<3].map { $0 + 1 }),
            ], to: path)
        #expect(try FileBytes.read(path) == FileBytes.read(Self.path("f32")))
        try SafeTensorsFile.write(
            [
                SafeTensor(name: "1.weight", shape: [2, 3], values: Self.ramp),
                SafeTensor(name: "1.bias", shape: [3], values: Array(Self.ramp[3...])),
            ], to: path)
        #expect(try FileBytes.read(path) == FileBytes.read(Self.path("f64")))
    }

    @Test("names with quotes, control characters and any script come back")
    func names() throws {
        let path = folder.path("names.safetensors")
        let names = ["a\"b\\c", "line\nend\u{1}", "Müller 日本 🙂", ""]
        let tensors = names.map { SafeTensor(name: $0, shape: [1], values: [Float($0.utf8.count)]) }
        try SafeTensorsFile.write(tensors, to: path)
        let read = try SafeTensorsFile.read(path)
        #expect(Set(read.map(\.name)) == Set(names))
        for tensor in read {
            #expect(try tensor.values(as: Float.self) == [Float(tensor.name.utf8.count)])
        }
    }

    @Test("escapes of JSON are understood")
    func escapes() throws {
        let header =
            #"{"\u00fc\ud83d\ude42\/\b\f\n\r\t\"\\":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        let bytes = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [7]
        let tensors = try SafeTensorsFile.read(folder.write(bytes, to: "escapes.safetensors"))
        #expect(tensors.map(\.name) == ["ü🙂/\u{8}\u{C}\n\r\t\"\\"])
    }

    @Test(
        "hostile headers are refused, each for its own reason",
        arguments: [
            ("short", "less than 8 bytes"), ("huge-length", "claims 9223372036854775808 bytes"),
            ("length-over-limit", "at most 100000000"), ("length-beyond-end", "claims 9999 bytes, but only"),
            ("no-object", "does not begin with {"), ("bad-json", "not JSON"), ("not-utf8", "not UTF-8"),
            ("trailing-text", "goes on after"), ("duplicate", "the name a twice"), ("missing-field", "lacks"),
            ("unknown-field", "the field color"), ("fraction", "not JSON: ]"),
            ("negative", "integer of at least 0"),
            ("large-integer", "integer of at least 0"), ("shape-overflow", "overflows"),
            ("size-mismatch", "needs 12 bytes but has 8"), ("reversed", "end before they start"),
            ("out-of-range", "beyond the end"), ("overlap", "overlap"), ("gap", "gap"),
            ("unclaimed", "belong to none"), ("half-surrogate", "surrogate"),
            ("metadata-number", "not JSON: \""),
        ])
    func hostile(name: String, words: String) {
        let error = #expect(throws: FormatError.self) {
            try SafeTensorsFile.read(Self.path("hostile-\(name)"))
        }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("a type of elements that is not known is refused by name")
    func unknownType() {
        let error = #expect(throws: FormatError.self) {
            try SafeTensorsFile.read(Self.path("hostile-unknown-type"))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("F7") == true)
    }

    @Test("every cut of a file is refused")
    func cuts() throws {
        let bytes = try FileBytes.read(Self.path("f32"))
        for count in bytes.indices {
            let path = try folder.write(Array(bytes[..<count]), to: "cut.safetensors")
            #expect(throws: FormatError.self) { try SafeTensorsFile.read(path) }
        }
    }
}
