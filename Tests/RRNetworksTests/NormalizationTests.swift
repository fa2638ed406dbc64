import RRNetworks
import RRTensor
import Testing

@Suite("Normalisations")
struct NormalizationTests {
    @Test("parameters are named, shaped and initialised as in PyTorch, and statistics are not trained")
    func layout() throws {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 4, height: 3, width: 2), classCount: 24,
                layers: [
                    .groupnorm(.init(groups: 2)), .layernorm(), .batchnorm2d(), .flatten, .layernorm(),
                    .groupnorm(.init(groups: 3)),
                ]))
        let entries = network.parameterLayout.entries
        #expect(
            entries.map(\.name) == [
                "0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias", "2.running_mean",
                "2.running_var", "4.weight", "4.bias", "5.weight", "5.bias",
            ])
        #expect(
            entries.map(\.shape) == [
                [4], [4], [4, 3, 2], [4, 3, 2], [4], [4], [4], [4], [24], [24], [24], [24],
            ])
        let parameters = network.initialParameters(seed: 0)
        for entry in entries {
            let expected = entry.name.hasSuffix("weight") || entry.name.hasSuffix("var") ? 1.0 : 0.0
            #expect(parameters.values(of: entry).allSatisfy { $0 == expected }, "\(entry.name)")
        }
        #expect(entries.filter { !$0.isTrained }.map(\.name) == ["2.running_mean", "2.running_var"])
        #expect(network.parameterLayout.trainedRanges() == [0..<64, 72..<168])
    }

    @Test("the count of batches that PyTorch stores is passed over, but only beside its statistics")
    func batchCount() throws {
        let network = try Network<Float>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 1, width: 2), classCount: 2,
                layers: [.batchnorm2d(), .flatten]))
        let one = try Tensor<Float>(shape: TensorShape([1]), elements: [2])
        let count = try Tensor<Float>(shape: TensorShape([]), elements: [9])
        var tensors = Dictionary(uniqueKeysWithValues: network.parameterLayout.entries.map { ($0.name, one) })
        tensors["0.num_batches_tracked"] = count
        #expect(
            try Parameters(layout: network.parameterLayout, named: tensors).values == [2, 2, 2, 2])
        tensors["1.num_batches_tracked"] = count
        let error = #expect(throws: NetworkError.self) {
            try Parameters(layout: network.parameterLayout, named: tensors)
        }
        #expect(error?.location == "1.num_batches_tracked")
    }

    @Test("a large mean leaves the digits of a small deviation")
    func largeMean() throws {
        let network = try Network<Float>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 1, width: 4), classCount: 4,
                layers: [.groupnorm(.init(groups: 1, epsilon: 0)), .flatten]))
        let pass = GroupPass(network: network, capacity: 1)
        pass.load([4097, 4095, 4097, 4095], samples: [0])
        pass.forward([1, 0])
        #expect((0..<4).map { pass.logits[$0 * pass.columnCount] } == [1, -1, 1, -1])
    }

    @Test("parameters inside residual blocks are named by their path, and the block adds its branches")
    func residual() throws {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 1, width: 2), classCount: 2,
                layers: [
                    .flatten,
                    .residual(
                        .init(
                            body: [
                                .relu, .residual(.init(body: [.linear(.init(out: 2, bias: false))])),
                            ],
                            projection: [.linear(.init(out: 2))])),
                ]))
        #expect(
            network.parameterLayout.entries.map(\.name) == [
                "1.body.1.body.0.weight", "1.projection.weight", "1.projection.bias",
            ])
        let pass = GroupPass(network: network, capacity: 1)
        pass.load([-3, 5], samples: [0])
        // W relu(x) + relu(x) + V x + b, with W = (1 2; 3 4), V = (1 0; 0 2) and b = (100, 200):
        // (10, 20) + (0, 5) + (−3, 10) + (100, 200).
        pass.forward([1, 2, 3, 4, 1, 0, 0, 2, 100, 200])
        #expect(pass.logits[0] == 107)
        #expect(pass.logits[pass.columnCount] == 235)
    }
}
