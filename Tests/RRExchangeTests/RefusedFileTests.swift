import Foundation
import RRExchange
import RRFormats
import RRTensor
import TestSupport
import Testing

/// A file that is damaged, or holds what is not served.
struct RefusedFile: CustomTestStringConvertible {
    let name: String
    let bytes: Data
    /// What the message has to name.
    let message: String

    var testDescription: String { name }

    static let all: [RefusedFile] = {
        struct Stored: Decodable {
            let bytes: String
            let message: String
        }
        let data = FileManager.default.contents(atPath: Fixtures.path("onnx/refused.json")) ?? Data()
        let stored = (try? JSONDecoder().decode([String: Stored].self, from: data)) ?? [:]
        return stored.sorted { $0.key < $1.key }.map {
            RefusedFile(
                name: $0.key, bytes: Data(base64Encoded: $0.value.bytes) ?? Data(), message: $0.value.message)
        }
    }()
}

@Suite("ONNX files that are refused")
struct RefusedFileTests {
    @Test("there are files to refuse")
    func files() { #expect(RefusedFile.all.count >= 30) }

    @Test("a file that is damaged or not served is refused by name", arguments: RefusedFile.all)
    func refused(file: RefusedFile) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.onnx"
        try file.bytes.write(to: URL(filePath: path))
        let error = #expect(throws: FormatError.self) { try ImportedNetwork(onnx: path) }
        let text = try #require(error).explanation.description
        #expect(text.hasPrefix(path) || text.contains("nothing.data"), "\(text)")
        #expect(text.contains(file.message), "\(text)")
    }

    @Test(
        "a network cut off anywhere is refused, or reads as another",
        arguments: ["lenet-dynamo-open.onnx", "keras-plain.onnx"])
    func cut(name: String) throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(filePath: Fixtures.path("onnx/" + name)))
        let path = folder.path + "/cut.onnx"
        for count in stride(from: 1, to: whole.count, by: 997) {
            try whole.prefix(count).write(to: URL(filePath: path))
            #expect(throws: FormatError.self, "\(count)") { try ImportedNetwork(onnx: path) }
        }
    }

    /// What would end the process is what this finds; the one kind of error is in the signature.
    @Test(
        "bytes that are changed end in a network or an error",
        arguments: ["next-dynamo.onnx", "groups-script-17-plain-open.onnx"])
    func flipped(name: String) throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: URL(filePath: Fixtures.path("onnx/" + name)))
        let path = folder.path + "/flipped.onnx"
        for position in stride(from: 0, to: whole.count, by: 301) {
            var bytes = whole
            bytes[position] ^= UInt8(1 << (position % 8))
            try bytes.write(to: URL(filePath: path))
            _ = try? ImportedNetwork(onnx: path)
        }
    }

    /// As with `flipped`, by chance: parts cut out, doubled, moved, of another file, of zeros or of bytes that never end a number.
    @Test("files that are damaged by chance end in a network or an error", arguments: 0..<8)
    func mutated(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        func draw(_ count: Int) -> Int { Int(generator.next() % UInt64(max(count, 1))) }
        let files = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path("onnx")).sorted()
            .filter { $0.hasSuffix(".onnx") }
            .map { try Data(contentsOf: URL(filePath: Fixtures.path("onnx/" + $0))) }
            .filter { $0.count < 12_000 }.map { [UInt8]($0) }
        try #require(files.count > 20)
        let folder = try TemporaryFolder()
        for _ in 0..<40 {
            var bytes = files[draw(files.count)]
            for _ in 0...draw(3) {
                let start = draw(bytes.count)
                let range = start..<min(bytes.count, start + 1 + draw(draw(2) == 0 ? 8 : 400))
                switch draw(7) {
                case 0: bytes[start] ^= 1 << draw(8)
                case 1: bytes.removeSubrange(range)
                case 2: bytes.insert(contentsOf: bytes[range], at: draw(bytes.count))
                case 3:
                    let other = files[draw(files.count)]
                    let place = draw(other.count)
                    bytes.replaceSubrange(range, with: other[place..<min(other.count, place + range.count)])
                case 4: for index in range { bytes[index] = 0 }
                case 5: for index in range.prefix(10) { bytes[index] = 0xFF }
                default: for index in range.prefix(4) { bytes[index] = UInt8(draw(256)) }
                }
                if bytes.isEmpty { bytes = [0] }
            }
            _ = try? ImportedNetwork(onnx: folder.write(bytes, to: "mutated.onnx"))
        }
    }

    @Test("a damaged file is refused after the last node that is whole")
    func place() throws {
        let folder = try TemporaryFolder()
        var whole = try Data(contentsOf: URL(filePath: Fixtures.path("onnx/lenet-script-13.onnx")))
        let place = try #require(whole.range(of: Data("Gemm".utf8))).upperBound
        whole[place] = 0x07
        let error = #expect(throws: FormatError.self) {
            try ImportedNetwork(onnx: folder.write([UInt8](whole), to: "damaged.onnx"))
        }
        let message = try #require(error).message.description
        #expect(message.contains("a field of a kind that there is not"), "\(message)")
        #expect(message.contains("after “/"), "\(message)")
    }

    @Test("more messages than any network has are refused before there is memory for them")
    func manyMessages() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/many.onnx"
        // A graph of half a million empty nodes, in a megabyte.
        var nodes = [UInt8](repeating: 0, count: 1 << 20)
        for index in stride(from: 0, to: nodes.count, by: 2) { nodes[index] = 0x0A }
        try Data([0x3A, 0x80, 0x80, 0x40] + nodes).write(to: URL(filePath: path))
        let error = #expect(throws: FormatError.self) { try ImportedNetwork(onnx: path) }
        #expect(try #require(error).message.description.contains("more than"))
    }

    @Test("weights beside the file are read from its folder, and through no link out of it")
    func external() throws {
        let folder = try TemporaryFolder()
        let inside = folder.path + "/inside"
        try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
        let name = "squeeze-dynamo-external.onnx"
        for (file, place) in [(name, inside), (name + ".data", folder.path)] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path("onnx/" + file), toPath: place + "/" + file)
        }
        let link = inside + "/" + name + ".data"
        let missing = #expect(throws: FormatError.self) { try ImportedNetwork(onnx: inside + "/" + name) }
        #expect(try #require(missing).code == .notFound)
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: folder.path + "/" + name + ".data")
        let linked = #expect(throws: FormatError.self) { try ImportedNetwork(onnx: inside + "/" + name) }
        #expect(try #require(linked).message.description.contains("a link out of the model's folder"))
        try FileManager.default.removeItem(atPath: link)
        try FileManager.default.copyItem(atPath: folder.path + "/" + name + ".data", toPath: link)
        #expect(throws: Never.self) { try ImportedNetwork(onnx: inside + "/" + name) }
        // Cut short, it has not what the file says.
        try Data(try Data(contentsOf: URL(filePath: link)).prefix(100)).write(to: URL(filePath: link))
        let short = #expect(throws: FormatError.self) { try ImportedNetwork(onnx: inside + "/" + name) }
        #expect(try #require(short).code == .malformed)
    }
}
