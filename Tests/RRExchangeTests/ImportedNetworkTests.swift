import Foundation
import RRExchange
import RRFormats
import RRNetworks
import RRTensor
import TestSupport
import Testing

/// Networks as PyTorch's exporters and Keras' write them, beside the logits that these have.
@Suite("Networks from ONNX files")
struct ImportedNetworkTests {
    struct Reference: Decodable, CustomTestStringConvertible {
        let file: String
        let input: [Int]
        let logits: [Double]
        let lambda1: Double?
        let crossEntropy: Double?
        let penalty: Double?
        let inputGradient: [Double]?
        let gradients: [Training.Weight]?

        private enum CodingKeys: String, CodingKey {
            case file, input, logits, lambda1, penalty, gradients
            case crossEntropy = "cross_entropy"
            case inputGradient = "input_gradient"
        }

        var testDescription: String { file }
        var path: String {
            ProcessInfo.processInfo.environment["RRDATA_ONNX"].map { $0 + "/" + file }
                ?? Fixtures.path("onnx/" + file)
        }
    }

    static let references: [Reference] = {
        let folder = ProcessInfo.processInfo.environment["RRDATA_ONNX"] ?? Fixtures.path("onnx")
        return ["networks.json", "keras-networks.json"].flatMap { name in
            let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            return (try? JSONDecoder().decode([Reference].self, from: data)) ?? []
        }
    }()

    static let sampleCount = 2

    @Test("the references are there")
    func areThere() {
        #expect(Self.references.count > 50)
        #expect(Self.references.count { $0.file.hasSuffix("-tensorflow.onnx") } >= 7)
        #expect(Self.references.count { $0.training != nil } > 55)
    }

    @Test("logits agree to 1e-9 in double and to 1e-5 in float", arguments: references)
    func logits(reference: Reference) throws {
        let imported = try ImportedNetwork(onnx: reference.path)
        #expect(imported.model.input.dimensions == reference.input)
        let images = ForwardPass.images(reference.input, sampleCount: Self.sampleCount)
        let double = try Network<Double>(imported.model)
        let wide = ForwardPass.logits(
            of: double, try ForwardPass.parameters(imported.tensors, of: double), images: images,
            sampleCount: Self.sampleCount)
        #expect(ForwardPass.distance(wide, reference.logits) < 1e-9)
        let float = try Network<Float>(imported.model)
        let narrow = ForwardPass.logits(
            of: float, try ForwardPass.parameters(imported.tensors, of: float), images: images,
            sampleCount: Self.sampleCount)
        #expect(ForwardPass.distance(narrow, reference.logits) < 1e-5)
    }

    @Test("a model that was imported is the same again from its model.json", arguments: references)
    func description(reference: Reference) throws {
        let model = try ImportedNetwork(onnx: reference.path).model
        let again = try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(model))
        #expect(again == model)
    }

    @Test(
        "weights have PyTorch's names where they are those of its layers, and only there",
        arguments: [
            ("resnet-script-17-plain-open.onnx", "layer2.downsample.1.running_var", true),
            ("resnet-dynamo-plain-open.onnx", "layer2.downsample.1.running_var", true),
            ("resnet-dynamo.onnx", "conv1.weight", false), ("resnet-script-13.onnx", "conv1.weight", false),
            ("lenet-script-13.onnx", "3.weight", true), ("mobile-dynamo.onnx", "p.weight", true),
            ("keras-plain.onnx", "conv2d_1.weight", true),
        ])
    func names(file: String, name: String, isThere: Bool) throws {
        let imported = try ImportedNetwork(onnx: Fixtures.path("onnx/" + file))
        #expect(imported.tensors.contains { $0.name == name } == isThere)
        #expect(
            imported.notes.contains { $0.contains("conv2d_1.weight") }
                == (!isThere || file.hasPrefix("keras")))
    }

    @Test(
        "a softmax at the end is left out, and a line says so",
        arguments: ["fire-dynamo.onnx", "keras-plain.onnx"])
    func softmax(file: String) throws {
        #expect(
            try ImportedNetwork(onnx: Fixtures.path("onnx/" + file)).notes.contains { $0.contains("Softmax") }
        )
    }

    @Test(
        "constants that are trained here are named",
        arguments: [
            ("scaled-dynamo.onnx", true), ("scaled-script-13.onnx", true), ("resnet-dynamo.onnx", false),
        ])
    func constants(file: String, areThere: Bool) throws {
        let notes = try ImportedNetwork(onnx: Fixtures.path("onnx/" + file)).notes
        #expect(notes.contains { $0.hasPrefix("constants") } == areThere, "\(notes)")
    }

    @Test("another number of classes changes the last layer alone")
    func otherClasses() throws {
        let imported = try ImportedNetwork(onnx: Fixtures.path("onnx/resnet-script-17-plain-open.onnx"))
        let changed = try Network<Float>(try #require(imported.model(classCount: 7))).parameterLayout
        let layout = try Network<Float>(imported.model).parameterLayout
        let different = zip(layout.entries, changed.entries).filter { $0.shape != $1.shape }
        #expect(different.map(\.1.name) == ["fc.weight", "fc.bias"])
        #expect(different.map(\.1.shape) == [[7, 6], [7]])
    }

    @Test("the extents that a file leaves open are those of the images")
    func openExtents() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/open.onnx"
        try RefusedFile.all.first { $0.name == "open-extents" }?.bytes.write(to: URL(filePath: path))
        let images = try ImageShape(channels: 3, height: 9, width: 8)
        #expect(try ImportedNetwork(onnx: path, images: images).model.input == images)
    }
}
