import RRExplanation
import RRNetworks
import RRTensor
import Testing

@Suite("The explanation loss under dropout")
struct DropoutLossTests {
    static let key = DropoutKey(seed: 5, step: 2)

    @Test("the number of threads has no effect on any bit", arguments: [2, 3, 8])
    func threads(count: Int) throws {
        let batch = try Batch()
        let single = try batch.gradient(of: Float.self, dropout: Self.key, threadCount: 1)
        let several = try batch.gradient(of: Float.self, dropout: Self.key, threadCount: count)
        #expect(single.values.map(\.bitPattern) == several.values.map(\.bitPattern))
        #expect(single.terms == several.terms)
    }

    @Test("which samples are annotated has no effect on what is left out")
    func annotation() throws {
        let batch = try Batch()
        let plain = try batch.gradient(of: Double.self, dropout: Self.key, lambda1: 0)
        let penalized = try batch.gradient(of: Double.self, dropout: Self.key)
        #expect(penalized.terms.penalty != nil)
        #expect(relativeDifference([penalized.terms.crossEntropy], [plain.terms.crossEntropy]) < 1e-13)
        let undropped = try batch.gradient(of: Double.self, dropout: nil, lambda1: 0)
        #expect(relativeDifference([undropped.terms.crossEntropy], [plain.terms.crossEntropy]) > 1e-5)
    }

    @Test("a sample with its row in the dataset has its mask at any place of any batch")
    func order() throws {
        let batch = try Batch()
        let forward = try batch.gradient(of: Double.self, dropout: Self.key)
        let backward = try batch.reversed().gradient(of: Double.self, dropout: Self.key)
        #expect(relativeDifference(backward.values, forward.values) < 1e-12)
        let withoutRows = try batch.reversed(hasIndices: false).gradient(of: Double.self, dropout: Self.key)
        #expect(relativeDifference(withoutRows.values, forward.values) > 1e-3)
    }

    @Test("as many rows as samples are asked for")
    func rowCount() throws {
        let error = #expect(throws: ExplanationError.self) {
            try LabelledBatch(
                imageShape: ImageShape(channels: 1, height: 1, width: 1), images: [0, 0], labels: [0, 0],
                indices: [1])
        }
        #expect(error?.code == .batchMismatch)
    }
}

/// A batch of several groups through a network with dropout, two samples of three annotated.
private struct Batch {
    private let batch: LabelledBatch
    private static let sampleCount = 41

    init() throws {
        let input = try ImageShape(channels: 2, height: 6, width: 5)
        var generator = SplitMix64(seed: 11)
        let elements = 0..<Self.sampleCount * input.elementCount
        batch = try LabelledBatch(
            imageShape: input, images: elements.map { _ in Float(generator.nextUnit()) },
            labels: (0..<Self.sampleCount).map { Int64($0 % 3) },
            masks: elements.map { $0 / input.elementCount % 3 == 0 ? 0 : UInt8(generator.next() & 1) },
            indices: (0..<Self.sampleCount).map { Int64($0 * 5) })
    }

    private init(_ batch: LabelledBatch) { self.batch = batch }

    func reversed(hasIndices: Bool = true) throws -> Batch {
        let count = batch.imageShape.elementCount
        func rows<Element>(_ elements: SharedElements<Element>) -> [Element] {
            (0..<batch.count).reversed().flatMap { elements[$0 * count..<($0 + 1) * count] }
        }
        return Batch(
            try LabelledBatch(
                imageShape: batch.imageShape, images: rows(batch.images), labels: batch.labels.reversed(),
                masks: batch.masks.map(rows), indices: hasIndices ? batch.indices?.reversed() : nil))
    }

    func gradient<Scalar: NetworkScalar>(
        of _: Scalar.Type, dropout: DropoutKey?, lambda1: Double = 100, threadCount: Int? = nil
    ) throws -> (values: [Scalar], terms: LossTerms) {
        let network = try Network<Scalar>(
            ModelDescription(
                input: batch.imageShape, classCount: 3,
                layers: [
                    .conv2d(.init(out: 4, kernel: 3, padding: 1)), .gelu(), .dropout(probability: 0.2),
                    .flatten, .linear(.init(out: 6)), .tanh, .dropout(), .linear(.init(out: 3)),
                ]))
        let loss = ExplanationLoss(network: network, lambda1: lambda1, threadCount: threadCount)
        var gradient: [Scalar] = []
        let terms = try loss.compute(
            batch, at: network.initialParameters(seed: 3), dropout: dropout, gradient: &gradient)
        return (gradient, terms)
    }
}
