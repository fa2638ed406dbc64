import RRNetworks
import RRTensor
import Testing

@Suite("Dropout")
struct DropoutTests {
    static let key = DropoutKey(seed: 7, step: 3)

    @Test("outside training every pass is the identity")
    func evaluation() throws {
        let passes = try Passes(of: [.dropout(probability: 0.5), .flatten], dropout: nil)
        #expect(passes.outputs == passes.inputs)
        #expect(passes.logitTangents == passes.inputTangents)
        #expect(passes.inputCotangents == passes.logitCotangents)
    }

    @Test("in training a share p of the elements is left out, and the others are divided by 1 − p")
    func share() throws {
        let factors = try Self.factors(.dropout(probability: 0.3), features: 40_000)
        let dropped = factors.count { $0 == 0 }
        // Four standard deviations.
        #expect((Double(dropped) / 40_000 - 0.3).magnitude < 4 * (0.3 * 0.7 / 40_000).squareRoot())
        #expect(factors.allSatisfy { $0 == 0 || $0 == 1 / (1 - 0.3) })
        #expect(try Self.factors(.dropout(probability: 0), features: 100).allSatisfy { $0 == 1 })
    }

    @Test("the tangent and the reverse pass leave out what the forward pass did")
    func passes() throws {
        let passes = try Passes(of: [.dropout(), .flatten], dropout: Self.key)
        for index in passes.inputs.indices {
            let factor = passes.outputs[index] / passes.inputs[index]
            #expect(factor == 0 || factor == 2)
            #expect(passes.logitTangents[index] == factor * passes.inputTangents[index])
            #expect(passes.inputCotangents[index] == factor * passes.logitCotangents[index])
        }
        #expect(passes.outputs.contains(0) && passes.outputs.contains { $0 != 0 })
    }

    @Test("the mask depends on seed, step, sample and layer, and on nothing else")
    func dependence() throws {
        let mask = try Self.factors(.dropout(), features: 200)
        #expect(try Self.factors(.dropout(), features: 200) == mask)
        let others = try [
            Self.factors(.dropout(), features: 200, key: DropoutKey(seed: 8, step: 3)),
            Self.factors(.dropout(), features: 200, key: DropoutKey(seed: 7, step: 4)),
            Self.factors(.dropout(), features: 200, identity: 6),
            Self.factors(.dropout(), features: 200, before: [.relu]),
        ]
        for other in others {
            let agreement = zip(mask, other).count { $0 == $1 }
            #expect((60...140).contains(agreement), "\(agreement) of 200 elements agree")
        }
    }

    @Test("a sample has its mask in whatever group, column and order it goes through the network")
    func grouping() throws {
        func outputs(_ samples: [Int], identities: SharedElements<Int64>?) throws -> [[Double]] {
            let passes = try Passes(
                of: [.dropout(), .flatten], dropout: Self.key, samples: samples, identities: identities)
            return samples.indices.map { column in
                stride(from: column, to: passes.outputs.count, by: samples.count).map { passes.outputs[$0] }
            }
        }
        let together = try outputs([0, 1, 2, 3], identities: nil)
        #expect(Set(together).count == 4)
        #expect(try outputs([2, 0], identities: nil) == [together[2], together[0]])
        #expect(try outputs([1], identities: nil) == [together[1]])
        #expect(try outputs([0, 1, 2, 3], identities: [0, 1, 2, 3]) == together)
        #expect(try outputs([0, 1, 2, 3], identities: [9, 1, 2, 3])[0] != together[0])
    }

    @Test(
        "a probability that is not from 0 to below 1 is refused", arguments: [-0.1, 1, 1.5, .nan],
        [LayerDescription.dropout(), .stochasticdepth(probability: 0.5)])
    func probability(value: Double, kind: LayerDescription) throws {
        let isDepth = kind.name == "stochasticdepth"
        let layer: LayerDescription =
            isDepth ? .stochasticdepth(probability: value) : .dropout(probability: value)
        let error = #expect(throws: NetworkError.self) {
            try Network<Float>(
                ModelDescription(
                    input: ImageShape(channels: 1, height: 1, width: 2), classCount: 2,
                    layers: [.flatten, layer]))
        }
        #expect(error?.location == "layers[1] (\(kind.name))")
        #expect(error?.message.contains("below 1") == true)
    }

    // MARK: Stochastic depth

    @Test("outside training stochastic depth is the identity in every pass")
    func depthInEvaluation() throws {
        let passes = try Passes(of: [.stochasticdepth(probability: 0.5), .flatten], dropout: nil)
        #expect(passes.outputs == passes.inputs)
        #expect(passes.logitTangents == passes.inputTangents)
        #expect(passes.inputCotangents == passes.logitCotangents)
    }

    @Test("stochastic depth leaves a share p of the samples out whole, and divides the others by 1 − p")
    func depthShare() throws {
        let layer = LayerDescription.stochasticdepth(probability: 0.3)
        let samples = try (0..<2000).map { identity in
            let factors = Set(try Self.factors(layer, features: 3, identity: Int64(identity)))
            #expect(factors.count == 1)
            return factors.first ?? .nan
        }
        #expect(samples.allSatisfy { $0 == 0 || $0 == 1 / (1 - 0.3) })
        // Four standard deviations.
        let share = Double(samples.count { $0 == 0 }) / 2000
        #expect((share - 0.3).magnitude < 4 * (0.3 * 0.7 / 2000).squareRoot(), "\(share)")
        #expect(try Self.factors(.stochasticdepth(probability: 0), features: 100).allSatisfy { $0 == 1 })
    }

    @Test("the tangent and the reverse pass leave out the samples that the forward pass did")
    func depthPasses() throws {
        let samples = Array(0..<4)
        let passes = try Passes(
            of: [.stochasticdepth(probability: 0.5), .flatten], dropout: Self.key, samples: samples,
            identities: [1, 2, 3, 4])
        var kept: Set<Double> = []
        for index in passes.inputs.indices {
            let factor = passes.outputs[index] / passes.inputs[index]
            #expect(factor == 0 || factor == 2)
            #expect(factor == passes.outputs[index % 4] / passes.inputs[index % 4])
            #expect(passes.logitTangents[index] == factor * passes.inputTangents[index])
            #expect(passes.inputCotangents[index] == factor * passes.logitCotangents[index])
            kept.insert(factor)
        }
        #expect(kept == [0, 2])
    }

    @Test("which samples are left out depends on seed, step, sample and layer, and on nothing else")
    func depthDependence() throws {
        let layer = LayerDescription.stochasticdepth(probability: 0.5)
        func kept(key: DropoutKey = Self.key, offset: Int64 = 0, before: [LayerDescription] = []) throws
            -> [Double]
        {
            try (0..<200).map {
                try Self.factors(layer, features: 1, key: key, identity: $0 + offset, before: before)[0]
            }
        }
        let first = try kept()
        #expect(try kept() == first)
        let others = try [
            kept(key: DropoutKey(seed: 8, step: 3)), kept(key: DropoutKey(seed: 7, step: 4)),
            kept(offset: 1000), kept(before: [.relu]),
        ]
        for other in others {
            let agreement = zip(first, other).count { $0 == $1 }
            #expect((60...140).contains(agreement), "\(agreement) of 200 samples agree")
        }
    }

    /// What a dropout multiplies each element of one sample by.
    private static func factors(
        _ layer: LayerDescription, features: Int, key: DropoutKey = key, identity: Int64 = 5,
        before: [LayerDescription] = []
    ) throws -> [Double] {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: features, height: 1, width: 1), classCount: features,
                layers: before + [layer, .flatten]))
        let pass = GroupPass(network: network, capacity: 1)
        pass.load(
            SharedElements(repeatElement(1, count: features)), samples: [0], dropout: key,
            identities: [identity])
        pass.forward([0])
        return (0..<features).map { pass.logits[$0 * pass.columnCount] }
    }
}

/// A layer's forward pass, its tangent and its reverse pass for random values that are never 0.
private struct Passes {
    private(set) var inputs: [Double] = []
    private(set) var outputs: [Double] = []
    private(set) var inputTangents: [Double] = []
    private(set) var logitTangents: [Double] = []
    private(set) var logitCotangents: [Double] = []
    private(set) var inputCotangents: [Double] = []

    init(
        of layers: [LayerDescription], dropout: DropoutKey?, samples: [Int] = [0, 1, 2, 3],
        identities: SharedElements<Int64>? = nil
    ) throws {
        let shape = try ImageShape(channels: 3, height: 4, width: 5)
        let network = try Network<Double>(
            ModelDescription(input: shape, classCount: shape.elementCount, layers: layers))
        let pass = GroupPass(network: network, capacity: samples.count)
        var generator = SplitMix64(seed: 1)
        let images = (0..<4 * shape.elementCount).map { _ in Float(generator.nextUnit() + 1) }
        pass.load(SharedElements(images), samples: samples[...], dropout: dropout, identities: identities)
        // Feature by feature, the samples of the group without its idle columns.
        let places = (0..<samples.count * shape.elementCount).map {
            $0 / samples.count * pass.columnCount + $0 % samples.count
        }
        for place in places {
            inputs.append(pass.input[place])
            inputTangents.append(generator.nextUnit() + 1)
            logitCotangents.append(generator.nextUnit() + 1)
            pass.inputTangent[place] = inputTangents[inputTangents.count - 1]
            pass.logitCotangent[place] = logitCotangents[logitCotangents.count - 1]
        }
        pass.forward([0])
        pass.reverse([0])
        pass.tangent([0])
        for place in places {
            outputs.append(pass.logits[place])
            logitTangents.append(pass.logitTangent[place])
            inputCotangents.append(pass.inputCotangent[place])
        }
    }
}
