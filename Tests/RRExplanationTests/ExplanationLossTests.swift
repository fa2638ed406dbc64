import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("The explanation loss")
struct ExplanationLossTests {
    @Test(
        "directional central differences agree to 1e-6", arguments: ReferenceCase.smooth,
        PenaltyTarget.allCases)
    func finiteDifferences(reference: ReferenceCase, target: PenaltyTarget) throws {
        let network = try reference.network(Double.self)
        var parameters = try reference.parameters(of: network)
        let batch = try reference.batch(masks: reference.masks)
        let loss = ExplanationLoss(
            network: network, lambda1: reference.evaluations[0].lambda1, target: target,
            classWeights: reference.classWeights)
        var gradient: [Double] = []
        let dropout = reference.dropoutKey
        _ = try loss.compute(batch, at: parameters, dropout: dropout, gradient: &gradient)

        var generator = SplitMix64(seed: 5)
        let direction = network.parameterLayout.entries.flatMap { entry in
            entry.range.map { _ in entry.isTrained ? generator.nextUnit() - 0.5 : 0 }
        }
        let start = parameters.values
        let step = 1e-5
        func value(at distance: Double) throws -> Double {
            parameters.values = zip(start, direction).map { $0 + distance * $1 }
            var unused: [Double] = []
            return try loss.compute(batch, at: parameters, dropout: dropout, gradient: &unused).loss
        }
        let difference = (try value(at: step) - value(at: -step)) / (2 * step)
        let slope = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(relativeDifference([slope], [difference]) < 1e-6)
    }

    @Test("a zero mask, λ1 = 0 and no mask give the same gradient bit for bit", arguments: ReferenceCase.all)
    func plainCrossEntropy(reference: ReferenceCase) throws {
        let network = try reference.network(Float.self)
        let parameters = try reference.parameters(of: network)
        func gradient(lambda1: Double, masks: [UInt8]?) throws -> ([Float], LossTerms) {
            var gradient: [Float] = []
            let terms = try ExplanationLoss(
                network: network, lambda1: lambda1, classWeights: reference.classWeights
            )
            .compute(
                reference.batch(masks: masks), at: parameters, dropout: reference.dropoutKey,
                gradient: &gradient)
            return (gradient, terms)
        }
        let plain = try gradient(lambda1: 0, masks: nil)
        let weightless = try gradient(lambda1: 0, masks: reference.masks)
        let unmasked = try gradient(lambda1: 10, masks: reference.masks.map { _ in 0 })
        #expect(plain.0.contains { $0 != 0 })
        #expect(plain.0.map(\.bitPattern) == weightless.0.map(\.bitPattern))
        #expect(plain.0.map(\.bitPattern) == unmasked.0.map(\.bitPattern))
        #expect(plain.1.penalty == nil && weightless.1.penalty == nil && unmasked.1.penalty == nil)
        #expect(plain.1.crossEntropy == unmasked.1.crossEntropy)
        let penalized = try gradient(lambda1: 10, masks: reference.masks)
        #expect(penalized.0 != plain.0)
    }

    @Test("the number of threads has no effect on any bit", arguments: [1, 2, 3, 5, 8], Grouping.allCases)
    func threads(count: Int, grouping: Grouping) throws {
        let (plain, parameters, batch) = try Self.wideBatch(Float.self, sampleCount: 61)
        let network = grouping(plain)
        func gradient(threadCount: Int) throws -> ([Float], LossTerms) {
            var gradient: [Float] = []
            let terms = try ExplanationLoss(network: network, lambda1: 100, threadCount: threadCount)
                .compute(batch, at: parameters, gradient: &gradient)
            return (gradient, terms)
        }
        let single = try gradient(threadCount: 1)
        let several = try gradient(threadCount: count)
        #expect(single.0.map(\.bitPattern) == several.0.map(\.bitPattern))
        #expect(single.1 == several.1)
    }

    @Test("a batch of many groups has the penalty and the gradient of its samples taken alone")
    func groups() throws {
        let (network, parameters, batch) = try Self.wideBatch(Double.self, sampleCount: 61)
        var gradient: [Double] = []
        let terms = try ExplanationLoss(network: network, lambda1: 100)
            .compute(batch, at: parameters, gradient: &gradient)
        let elementCount = batch.imageShape.elementCount
        let masks = try #require(batch.masks)
        var penalty = 0.0
        var sum = Array(repeating: 0.0, count: gradient.count)
        for sample in 0..<batch.count {
            let elements = sample * elementCount..<(sample + 1) * elementCount
            let alone = try LabelledBatch(
                imageShape: batch.imageShape, images: Array(batch.images[elements]),
                labels: [batch.labels[sample]], masks: Array(masks[elements]))
            var single: [Double] = []
            penalty +=
                try ExplanationLoss(network: network, lambda1: 100)
                .compute(alone, at: parameters, gradient: &single).penalty ?? 0
            for index in sum.indices { sum[index] += single[index] / Double(batch.count) }
        }
        #expect(relativeDifference([try #require(terms.penalty)], [penalty / Double(batch.count)]) < 1e-12)
        #expect(relativeDifference(gradient, sum) < 1e-12)
    }

    @Test("memory that is used again for smaller and larger batches leaves no trace")
    func reuse() throws {
        let (network, parameters, large) = try Self.wideBatch(Float.self, sampleCount: 61)
        let (_, _, small) = try Self.wideBatch(Float.self, sampleCount: 5)
        let reused = ExplanationLoss(network: network, lambda1: 100)
        for batch in [small, large, small, large] {
            var gradient: [Float] = []
            var fresh: [Float] = []
            let terms = try reused.compute(batch, at: parameters, gradient: &gradient)
            #expect(
                try ExplanationLoss(network: network, lambda1: 100)
                    .compute(batch, at: parameters, gradient: &fresh) == terms)
            #expect(gradient == fresh)
        }
    }

    @Test("an unannotated sample contributes nothing to the penalty")
    func unannotatedSamples() throws {
        let reference = ReferenceCase.all[1]
        let network = try reference.network(Double.self)
        let parameters = try reference.parameters(of: network)
        let elementCount = reference.model.input.elementCount
        // Sample 1 has no mask; its image may be anything.
        var images = reference.images
        for index in elementCount..<2 * elementCount { images[index] = 1 - images[index] }
        func penalty(_ images: [Float]) throws -> Double? {
            var gradient: [Double] = []
            let batch = try LabelledBatch(
                imageShape: reference.model.input, images: images, labels: reference.labels,
                masks: reference.masks)
            return try ExplanationLoss(network: network, lambda1: 1)
                .compute(batch, at: parameters, gradient: &gradient).penalty
        }
        #expect(try penalty(images) == penalty(reference.images))
    }

    @Test("two entries of opposite sign do not cancel in the penalty")
    func oppositeSigns() throws {
        // One linear layer and two classes: g = Σ_k (1 − 2 p_k) W_k, so W = ±(1, −1) gives opposite entries.
        let input = try ImageShape(channels: 1, height: 1, width: 2)
        let network = try Network<Double>(
            ModelDescription(
                input: input, classCount: 2, layers: [.flatten, .linear(.init(out: 2, bias: false))]))
        let parameters = Parameters<Double>(layout: network.parameterLayout, values: [1, -1, -1, 1])
        let batch = try LabelledBatch(imageShape: input, images: [0.5, 0], labels: [0], masks: [1, 1])
        var gradient: [Double] = []
        let penalty = try ExplanationLoss(network: network, lambda1: 1)
            .compute(batch, at: parameters, gradient: &gradient).penalty
        let (_, gradients) = try InputGradients(network: network).compute(batch, at: parameters)
        #expect(gradients[0] == -gradients[1] && gradients[0] != 0)
        #expect(penalty == gradients[0] * gradients[0] * 2)
    }

    @Test("changing the other samples of a batch leaves a sample's input gradient as it was")
    func independence() throws {
        let reference = ReferenceCase.all[7]
        let network = try reference.network(Double.self)
        let parameters = try reference.parameters(of: network)
        let elementCount = reference.model.input.elementCount
        let others = reference.images.enumerated().map {
            $0.offset < elementCount ? $0.element : 1 - $0.element
        }
        func gradient(_ images: [Float]) throws -> ArraySlice<Double> {
            try InputGradients(network: network).compute(
                LabelledBatch(imageShape: reference.model.input, images: images, labels: reference.labels),
                at: parameters
            ).gradients[..<elementCount]
        }
        #expect(try gradient(reference.images) == gradient(others))
    }

    @Test("logits of ±1e4 give a finite loss, penalty and gradient", arguments: PenaltyTarget.allCases)
    func extremeLogits(target: PenaltyTarget) throws {
        let input = try ImageShape(channels: 1, height: 1, width: 2)
        let network = try Network<Float>(
            ModelDescription(
                input: input, classCount: 2, layers: [.flatten, .linear(.init(out: 2, bias: false))]))
        let parameters = Parameters<Float>(layout: network.parameterLayout, values: [1e4, 0, -1e4, 0])
        let batch = try LabelledBatch(
            imageShape: input, images: [1, 0, 1, 0], labels: [0, 1], masks: [1, 1, 1, 1])
        var gradient: [Float] = []
        let terms = try ExplanationLoss(network: network, lambda1: 1, target: target)
            .compute(batch, at: parameters, gradient: &gradient)
        #expect(terms.crossEntropy == 1e4)
        #expect(terms.penalty?.isFinite == true)
        #expect(gradient.allSatisfy { $0.isFinite })
    }

    @Test("masks of another size than the images are refused")
    func maskSize() throws {
        let input = try ImageShape(channels: 1, height: 1, width: 2)
        let error = #expect(throws: ExplanationError.self) {
            try LabelledBatch(imageShape: input, images: [1, 0, 1, 0], labels: [0, 1], masks: [1, 1])
        }
        #expect(error?.code == .batchMismatch)
        #expect(error?.message.contains("masks") == true)
    }

    @Test("images, labels and classes that do not fit are refused by what is wrong")
    func misfits() throws {
        let (network, parameters, _) = try Self.wideBatch(Float.self, sampleCount: 1)
        let loss = ExplanationLoss(network: network, lambda1: 1)
        var gradient: [Float] = []
        let input = try ImageShape(channels: 1, height: 1, width: 2)
        #expect(throws: ExplanationError.self) {
            try LabelledBatch(imageShape: input, images: [1], labels: [0])
        }
        let strange = try LabelledBatch(imageShape: input, images: [1, 0], labels: [0])
        #expect(throws: ExplanationError.self) {
            try loss.compute(strange, at: parameters, gradient: &gradient)
        }
        let image = Array(repeating: Float(0), count: network.model.input.elementCount)
        for label: Int64 in [-1, 3] {
            let batch = try LabelledBatch(imageShape: network.model.input, images: image, labels: [label])
            let error = #expect(throws: ExplanationError.self) {
                try loss.compute(batch, at: parameters, gradient: &gradient)
            }
            #expect(error?.code == .labelOutOfRange)
        }
        let empty = try LabelledBatch(imageShape: network.model.input, images: [], labels: [])
        #expect(throws: ExplanationError.self) {
            try loss.compute(empty, at: parameters, gradient: &gradient)
        }
    }

    /// A batch of several groups, with masks for two samples of three.
    static func wideBatch<Scalar: NetworkScalar>(
        _: Scalar.Type, sampleCount: Int
    ) throws -> (Network<Scalar>, Parameters<Scalar>, LabelledBatch) {
        let input = try ImageShape(channels: 2, height: 6, width: 5)
        let network = try Network<Scalar>(
            ModelDescription(
                input: input, classCount: 3,
                layers: [
                    .conv2d(.init(out: 4, kernel: 3, padding: 1)), .relu, .maxpool2d(.init(kernel: 2)),
                    .flatten,
                    .linear(.init(out: 3)),
                ]))
        var generator = SplitMix64(seed: 11)
        let images = (0..<sampleCount * input.elementCount).map { _ in Float(generator.nextUnit()) }
        let masks = (0..<sampleCount * input.elementCount).map { index -> UInt8 in
            index / input.elementCount % 3 == 0 ? 0 : UInt8(generator.next() & 1)
        }
        let batch = try LabelledBatch(
            imageShape: input, images: images, labels: (0..<sampleCount).map { Int64($0 % 3) }, masks: masks)
        return (network, network.initialParameters(seed: 3), batch)
    }
}
