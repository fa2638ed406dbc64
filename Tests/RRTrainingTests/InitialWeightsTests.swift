import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Weights that a training starts from")
struct InitialWeightsTests {
    /// The network of the fixtures, with another number of classes.
    private func network(classes: Int, hidden: Int = 3) throws -> Network<Double> {
        try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 2, width: 2), classCount: classes,
                layers: [.flatten, .linear(.init(out: hidden)), .relu, .linear(.init(out: classes))]))
    }

    private let path = Fixtures.path("formats/weights/state-dict.pt")

    private func notes(_ network: Network<Double>, _ head: HeadChoice?) throws -> [String] {
        try WeightsMatch(path: path, layout: network.parameterLayout, head: .some(head)).notes
            .map(\.description)
    }

    @Test("a head of another size is drawn anew, and said so; the rest is the file's")
    func otherHead() throws {
        let network = try network(classes: 5)
        let start = try WeightsFile.readInitial(path, of: network, head: nil, seed: 7)
        let stored = try ForeignWeightsTests.values(path)
        let body = 0..<network.parameterLayout.head.lowerBound
        #expect(body.count == 15)
        #expect(Array(start.values[body]) == Array(stored[body]))
        #expect(
            start.values[body.upperBound...] == network.initialParameters(seed: 7).values[body.upperBound...])
        let notes = try notes(network, nil)
        #expect(notes.count == 1 && notes[0].contains("the head, 3, is drawn anew"), "\(notes)")
        #expect(notes[0].contains("has the shape (2, 3), and the model has 5 classes"), "\(notes)")
    }

    @Test("a head that fits is kept, or drawn anew where that is asked for")
    func choices() throws {
        let network = try network(classes: 2)
        let stored = try ForeignWeightsTests.values(path)
        for head in [nil, HeadChoice.keep] {
            #expect(try WeightsFile.readInitial(path, of: network, head: head, seed: 7).values == stored)
            #expect(try notes(network, head).isEmpty)
        }
        let fresh = try WeightsFile.readInitial(path, of: network, head: .new, seed: 7)
        #expect(fresh.values != stored && Array(fresh.values[..<15]) == Array(stored[..<15]))
        #expect(try notes(network, .new).first?.contains("`head` new asks for it") == true)
    }

    @Test("only the head may differ, and nothing where it is to be kept")
    func refusals() throws {
        func message(_ network: Network<Double>, _ head: HeadChoice?) -> String? {
            let error = #expect(throws: FormatError.self) {
                try WeightsFile.readInitial(path, of: network, head: head, seed: 7)
            }
            return error?.code == .malformed ? error?.message.description : nil
        }
        #expect(try message(network(classes: 5), .keep)?.contains("has the shape (2, 3)") == true)
        for head in [nil, HeadChoice.new] {
            #expect(try message(network(classes: 2, hidden: 4), head)?.contains("has the shape") == true)
        }
        let linear = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 2, width: 2), classCount: 2,
                layers: [.flatten, .linear(.init(out: 2))]))
        #expect(message(linear, nil) != nil)
    }

    @Test("weights without a head are those of a network that has had none yet")
    func missingHead() throws {
        let folder = try TemporaryFolder()
        let network = try network(classes: 2)
        let start = network.initialParameters(seed: 1)
        let tensors = network.parameterLayout.entries.prefix(2).map { entry in
            SafeTensor(name: entry.name, shape: entry.shape, values: Array(start.values(of: entry)))
        }
        let path = folder.path("body.safetensors")
        try SafeTensorsFile.write(tensors, to: path)
        #expect(
            try WeightsFile.readInitial(path, of: network, head: nil, seed: 2).values[15...]
                == network.initialParameters(seed: 2).values[15...])
        #expect(throws: FormatError.self) {
            try WeightsFile.readInitial(path, of: network, head: .keep, seed: 2)
        }
    }

    // MARK: Stages

    @Test(
        "layers are frozen by their names, with all before them, or all but the head",
        arguments: [
            "conv1,bn1", "..layer2", "layer4.1", "backbone",
        ])
    func stages(text: String) throws {
        let layout = try Network<Float>(
            BuiltInModel.resnet18.description(
                input: ImageShape(channels: 3, height: 32, width: 32), classCount: 4, width: 1 / 16)
        ).parameterLayout
        let trained = layout.trainedRanges(except: text.split(separator: ",").map(String.init))
        for entry in layout.entries where entry.isTrained {
            let isFrozen =
                switch text {
                case "backbone": !entry.name.hasPrefix("fc.")
                case "..layer2":
                    ["conv1", "bn1", "layer1", "layer2"].contains { entry.name.hasPrefix($0 + ".") }
                case "layer4.1": entry.name.hasPrefix("layer4.1.")
                default: ["conv1.weight", "bn1.weight", "bn1.bias"].contains(entry.name)
                }
            #expect(trained.contains { $0.contains(entry.range.lowerBound) } != isFrozen, "\(entry.name)")
        }
    }
}
