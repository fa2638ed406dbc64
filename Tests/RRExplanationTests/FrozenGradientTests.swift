import RRExplanation
import RRNetworks
import Testing

/// Gradients that nobody reads are not computed.
@Suite("Gradients of networks of which a part is frozen")
struct FrozenGradientTests {
    /// A choice of the parameters that are trained.
    enum Choice: String, CaseIterable {
        case head, secondHalf, everyThird, biases

        func ranges(of layout: ParameterLayout) -> [Range<Int>] {
            let trained = layout.entries.filter(\.isTrained)
            switch self {
            case .head: return [layout.head]
            case .secondHalf: return trained.suffix(trained.count / 2).map(\.range)
            case .everyThird:
                return trained.enumerated().filter { $0.offset % 3 == 2 }.map(\.element.range)
            case .biases: return trained.filter { $0.name.hasSuffix("bias") }.map(\.range)
            }
        }
    }

    @Test(
        "what is trained has the same bytes as where all is, with the penalty and without",
        arguments: NetworkReference.all.filter { $0.width < 1 }, Choice.allCases)
    func bytes(reference: NetworkReference, choice: Choice) throws {
        let network = try Network<Float>(reference.model())
        let (parameters, batch) = (try reference.parameters(of: network), try reference.batch())
        let ranges = choice.ranges(of: network.parameterLayout)
        for lambda1 in [0, reference.lambda1] {
            let loss = ExplanationLoss(network: network, lambda1: lambda1)
            var whole: [Float] = []
            let terms = try loss.compute(batch, at: parameters, gradient: &whole)
            loss.trainedRanges = ranges
            var part: [Float] = []
            #expect(try loss.compute(batch, at: parameters, gradient: &part) == terms)
            for range in ranges {
                #expect(part[range].map(\.bitPattern) == whole[range].map(\.bitPattern))
            }
            // Layers of which nothing is trained have no gradient, so that none was computed.
            let layers = Dictionary(grouping: network.parameterLayout.entries) { entry in
                entry.name.split(separator: ".").dropLast().joined(separator: ".")
            }
            for entry in layers.values.filter({ entries in
                !entries.contains { entry in ranges.contains { $0.overlaps(entry.range) } }
            }).joined() {
                #expect(part[entry.range].allSatisfy { $0 == 0 }, "\(entry.name)")
            }
            loss.trainedRanges = network.parameterLayout.trainedRanges()
            _ = try loss.compute(batch, at: parameters, gradient: &part)
            #expect(part.map(\.bitPattern) == whole.map(\.bitPattern))
        }
    }
}
