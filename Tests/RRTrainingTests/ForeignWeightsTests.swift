import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Weights as others keep them")
struct ForeignWeightsTests {
    static let network = Result {
        try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 2, width: 2), classCount: 2,
                layers: [.flatten, .linear(.init(out: 3)), .relu, .linear(.init(out: 2))]))
    }

    static func path(_ name: String) -> String { Fixtures.path("formats/weights/\(name)") }

    static func values(_ path: String) throws -> [Double] {
        try WeightsFile.read(path, layout: network.get().parameterLayout, as: Double.self).values
    }

    @Test(
        "all forms hold the same values",
        arguments: [
            "state-dict.pt", "protocol-4.pt", "half.pt", "brain.pt", "double.pt", "parameters.pt",
            "strided.pt",
            "shared.pt", "data-parallel.pt", "compiled.pt", "compiled-part.pt", "larger.pt",
            "data-parallel.safetensors", "lightning.pt", "checkpoint.pt", "two-networks.pt", "big-endian.pt",
            "deflated.pt", "without-byteorder.pt", "arrays.npz", "arrays-double.npz",
        ])
    func served(name: String) throws {
        let values = try Self.values(Self.path(name))
        #expect(try values == Self.values(Self.path("plain.safetensors")))
        // (5 i + k) mod 11 / 4 − 1.25, k = 0 for the first tensor and 1 for the next.
        #expect(Array(values[..<3]) == [-1.25, 0, 1.25] && values[12] == -1)
        // What a file is called says nothing.
        let folder = try TemporaryFolder()
        let renamed = try folder.write(FileBytes.read(Self.path(name)), to: "weights.bin")
        #expect(try Self.values(renamed) == values)
    }

    @Test("the counts of batches are passed over, whatever their names begin with")
    func batchCounts() throws {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 2, width: 2), classCount: 2,
                layers: [.batchnorm2d(), .flatten, .linear(.init(out: 2))]))
        let read = { (name: String) in
            try WeightsFile.read(Self.path(name), layout: network.parameterLayout, as: Double.self).values
        }
        #expect(try read("norm-data-parallel.pt") == read("norm.safetensors"))
    }

    static let refusals: [(file: String, message: String)] = [
        ("refused-module.pt", "the file holds torch.nn.modules.container.Sequential"),
        ("refused-old.pt", "PyTorch's old format"),
        ("refused-namespace.pt", "the file holds argparse.Namespace"),
        ("refused-numpy.pt", "the file holds numpy._core.multiarray.scalar"),
        ("refused-sparse.pt", "the file holds torch._utils._rebuild_sparse_tensor"),
        ("refused-complex.pt", "the file holds torch.ComplexFloatStorage"),
        ("refused-set.pt", "the file holds __builtin__.set"),
        ("refused-twins.pt", "weights of this model stand at “model” and at “ema”, “shadow”"),
        ("refused-script.pt", "TorchScript archive"),
        ("refused-pickle.pt", "the file is a Python pickle"),
        ("hostile-system.pt", "the file holds posix.system"),
        ("hostile-system-4.pt", "the file holds posix.system"),
        ("hostile-build.pt", "the file sets the attributes of an object"),
        ("hostile-object.pt", "the file has the instruction INST"),
        ("hostile-new-object.pt", "the file has the instruction NEWOBJ"),
        ("hostile-instruction.pt", "the file has the instruction 255"),
        ("hostile-protocol.pt", "the file is a pickle of the protocol 9"),
    ]

    @Test(
        "what could run code, or is no state dict, is refused by its name, with two lines that convert it",
        arguments: refusals)
    func refused(file: String, message: String) throws {
        let error = #expect(throws: FormatError.self) { try Self.values(Self.path(file)) }
        #expect(error?.code == .unsupported)
        let text = try #require(error?.message.description)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].contains(message), "\(text)")
        #expect(lines[1].contains("import ") && lines[2].contains("torch.save("), "\(text)")
    }

    @Test(
        "what holds no tensors by name is refused",
        arguments: [
            ("refused-list.pt", "but a list"), ("refused-tensor.pt", "but a single tensor"),
            ("refused-numbers.pt", "but epoch, loss"), ("refused-array.npy", "one array without a name"),
            ("hostile-deep.pt", "but a list"), ("hostile-dictionaries.pt", "but aa, ab,"),
            ("hostile-many.pt", "more than 1000000 values"),
        ])
    func withoutNames(file: String, message: String) throws {
        let error = #expect(throws: FormatError.self) { try Self.values(Self.path(file)) }
        #expect(
            error?.code == .unsupported && error?.message.description.contains(message) == true,
            "\(error as Any)")
    }

    @Test(
        "a damaged or hostile file is an error before it takes memory",
        arguments: [
            ("beyond", "a tensor does not lie in its storage"), ("before", "does not lie in its storage"),
            ("stride", "does not lie in its storage"), ("overflow", "does not lie in its storage"),
            ("negative", "does not lie in its storage"), ("strides", "does not lie in its storage"),
            ("vast", "has the shape (1048576, 1048576) in the weights, but [3, 4] in the model"),
            ("count", "the member has 48 bytes, which are not"), ("storage-size", "the member has 44 bytes"),
            ("missing", "the elements of a tensor are missing"), ("twice", "holds the tensor 1.weight twice"),
            ("two-types", "two types or sizes"), ("cut", "it is cut short"), ("memo", "that it did not keep"),
            ("empty", "more values than there are"), ("mark", "a mark is missing"),
            ("text", "it is cut short"),
            ("long", "a size is too large"), ("call", "it calls what cannot be called"),
            ("append", "what is no list"), ("members", "what is no dictionary"),
            ("storage", "no type, key and number"), ("circle", "is not a parameter of this model"),
            ("checksum", "checksum is wrong"), ("cut-archive", "cut short"),
            ("byteorder", "neither little nor big"),
        ])
    func hostile(name: String, message: String) throws {
        let error = #expect(throws: FormatError.self) { try Self.values(Self.path("hostile-\(name).pt")) }
        #expect(
            error?.code == .malformed && error?.message.description.contains(message) == true,
            "\(error as Any)")
    }

    @Test("any file cut anywhere, or with any byte changed, is read or refused")
    func fuzz() throws {
        let folder = try TemporaryFolder()
        let whole = try FileBytes.read(Self.path("state-dict.pt"))
        var random = SplitMix64(seed: 5)
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...40, using: &random)) }
            let path = try folder.write(bytes, to: "weights.pt")
            do { _ = try Self.values(path) } catch is FormatError {}
        }
    }
}
