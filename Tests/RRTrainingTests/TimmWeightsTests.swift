import Foundation
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Weights of timm's networks")
struct TimmWeightsTests {
    @Test("every network whose names timm has otherwise is there")
    func coverage() {
        #expect(
            Set(TimmReference.all.map(\.model)) == [
                .vgg11, .vgg16Normalized, .mobilenetV2, .mobilenetV3Small, .efficientnetB0, .convnextTiny,
            ])
    }

    @Test("a file with timm's names gives the logits that timm gives", arguments: TimmReference.all)
    func logits(reference: TimmReference) throws {
        let network = try Network<Double>(reference.description())
        let folder = try TemporaryFolder()
        let path = folder.path("weights.safetensors")
        try SafeTensorsFile.write(reference.tensors(), to: path)
        let match = try WeightsMatch(path: path, layout: network.parameterLayout)
        let notes = match.notes.map(\.description)
        #expect(notes.first == "the names of \(path) are timm's")
        let scaledNotes = notes.filter { $0.contains("scaled") }
        #expect(scaledNotes.count == (reference.model == .mobilenetV3Small ? 1 : 0), "\(notes)")
        let parameters: Parameters<Double> = try WeightsFile.read(
            path, layout: network.parameterLayout, as: Double.self)
        let logits = try InputGradients(network: network).compute(reference.batch(), at: parameters).logits
        #expect(logits.count == reference.logits.count)
        let distance = zip(logits, reference.logits).map { ($0 - $1).magnitude }.max() ?? .infinity
        #expect(distance < 1e-9 * (reference.logits.map(\.magnitude).max() ?? 0))
    }

    @Test("a head of another size is drawn anew, and all else is taken", arguments: TimmReference.all)
    func head(reference: TimmReference) throws {
        let network = try Network<Double>(reference.description(classCount: 2))
        let folder = try TemporaryFolder()
        let path = folder.path("weights.safetensors")
        try SafeTensorsFile.write(reference.tensors(), to: path)
        let whole: Parameters<Double> = try WeightsFile.read(
            path, layout: Network<Double>(reference.description()).parameterLayout, as: Double.self)
        let start = try WeightsFile.readInitial(path, of: network, head: nil, seed: 1)
        let body = 0..<network.parameterLayout.head.lowerBound
        #expect(start.values[body] == whole.values[body])
    }

    @Test("timm's convolutions of whole maps are the linear layers of a VGG, and nothing of another size is")
    func shapes() throws {
        let reference = try #require(TimmReference.all.first { $0.model == .vgg11 })
        let layout = try Network<Float>(reference.description()).parameterLayout
        let state = reference.state
        let names = WeightNames(state.map(\.name), layout: layout)
        var shapes = state.map(\.shape)
        let first = try #require(state.firstIndex { $0.name == "pre_logits.fc1.weight" })
        #expect(shapes[first] == [128, 16, 7, 7])
        try names.check(shapes, layout: layout)
        for wrong in [[128, 16, 7, 8], [784, 128], [128, 16, .max, 3]] {
            shapes[first] = wrong
            let error = #expect(throws: NetworkError.self) { try names.check(shapes, layout: layout) }
            #expect(error?.location == "classifier.0.weight")
        }
    }
}

/// A network of timm's with the logits that it gives; weights and images follow from its seed, as
/// `Fixtures/reference/timm_networks.py` says.
struct TimmReference: Decodable, CustomTestStringConvertible {
    struct Entry: Decodable {
        let name: String
        let shape: [Int]

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            name = try list.decode(String.self)
            shape = try list.decode([Int].self)
        }
    }

    private let name: String
    private let width: Double
    private let extent: Int
    private let classes: Int
    private let seed: UInt64
    let state: [Entry]
    let logits: [Double]

    static let all: [TimmReference] = {
        let data =
            FileManager.default.contents(atPath: Fixtures.path("reference/timm.json")) ?? Data()
        return (try? JSONDecoder().decode([TimmReference].self, from: data)) ?? []
    }()

    var testDescription: String { name }
    var model: BuiltInModel? { BuiltInModel(rawValue: name) }

    /// torchvision's network of the same width.
    func description(classCount: Int? = nil) throws -> ModelDescription {
        try #require(model).description(
            input: ImageShape(channels: 3, height: extent, width: extent), classCount: classCount ?? classes,
            width: width)
    }

    func tensors() -> [SafeTensor] {
        let used = state.filter { !$0.name.hasSuffix("num_batches_tracked") }
        let names = used.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let numbers = Dictionary(uniqueKeysWithValues: zip(names, UInt64(1)...))
        let last = used.last { $0.shape.count == 2 }?.name
        return used.map { entry in
            var generator = SplitMix64(seed: seed + 1000 * (numbers[entry.name] ?? 0))
            let fan = Double(entry.shape.dropFirst().reduce(1, *))
            let bound = (6 / fan).squareRoot() / (entry.name == last ? 4 : 1)
            let (scale, shift) =
                [2, 4].contains(entry.shape.count)
                ? (2 * bound, -bound)
                : entry.name.hasSuffix("running_var")
                    ? (1, 0.5) : entry.name.hasSuffix("weight") ? (0.8, 0.6) : (0.4, -0.2)
            let values = (0..<entry.shape.reduce(1, *)).map { _ in scale * generator.nextUnit() + shift }
            return SafeTensor(name: entry.name, shape: entry.shape, values: values)
        }
    }

    func batch() throws -> LabelledBatch {
        let shape = try ImageShape(channels: 3, height: extent, width: extent)
        var generator = SplitMix64(seed: seed)
        let images = (0..<3 * shape.elementCount).map { _ in Float(generator.next() >> 40) / Float(1 << 24) }
        return try LabelledBatch(imageShape: shape, images: images, labels: [0, 1, 2])
    }
}
