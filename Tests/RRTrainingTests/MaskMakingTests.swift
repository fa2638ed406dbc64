import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Masks from a run")
struct MaskMakingTests {
    private func network(_ shades: TwoShades) throws -> (Network<Double>, Parameters<Double>) {
        let network = try Network<Double>(shades.model)
        return (network, network.initialParameters(seed: 4))
    }

    @Test("the masks are those of each sample's own gradient, whatever the batch and the threads")
    func alignment() throws {
        let shades = try TwoShades()
        let (network, parameters) = try network(shades)
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.batchSize = 7
        making.threadCount = 1
        let (small, summary) = try making.run(network: network, parameters: parameters)
        making.batchSize = 48
        making.threadCount = 3
        let (large, _) = try making.run(network: network, parameters: parameters)
        #expect(small.bits == large.bits && small.rows == large.rows)
        #expect(small.oneCount == 3 * 48 && small.annotatedCount == 48 && summary.sampleCount == 48)
        #expect(summary.oneCount == small.oneCount && summary.annotatedCount == 48)
        // Each row again, from the gradient of the sample alone.
        for index in 0..<48 {
            let image = try shades.dataset.image(at: index).elements
            let gradient = try InputGradients(network: network).compute(
                LabelledBatch(imageShape: shades.dataset.imageShape, images: image, labels: [0]),
                at: parameters
            ).gradients
            let expected = (0..<16).sorted { gradient[$0].magnitude > gradient[$1].magnitude }.prefix(3)
            #expect((0..<16).filter { small.bits[small.rows[index], $0] } == expected.sorted())
        }
    }

    @Test("a union keeps older masks, and samples outside the split keep theirs alone")
    func union() throws {
        let shades = try TwoShades()
        let (network, parameters) = try network(shades)
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 1))
        making.union = shades.masks
        let (joined, _) = try making.run(network: network, parameters: parameters)
        for index in 0..<48 {
            let count = joined.bits.count(row: joined.rows[index])
            #expect(index % 3 == 0 ? (8...9).contains(count) : count == 1)
        }
    }

    @Test("whole pixels have one channel, and join masks of one channel as such")
    func perPixel() throws {
        let shades = try TwoShades()
        let (network, parameters) = try network(shades)
        var making = MaskMaking(dataset: shades.dataset, selection: .threshold(0.5))
        making.isPerPixel = true
        let (masks, summary) = try making.run(network: network, parameters: parameters)
        #expect(masks.maskShape.dimensions == [1, 4, 4] && summary.maskShape == masks.maskShape)
    }

    @Test("a model may have fewer classes than the dataset, unless the gradient is that of the label")
    func fewerClasses() throws {
        let shades = try TwoShades()
        let network = try Network<Double>(
            BuiltInModel.mlp.description(input: shades.dataset.imageShape, classCount: 1))
        let parameters = network.initialParameters(seed: 4)
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.target = .logitsSum
        #expect(try making.run(network: network, parameters: parameters).summary.sampleCount == 48)
        making.target = .label
        let error = #expect(throws: ExplanationError.self) {
            try making.run(network: network, parameters: parameters)
        }
        #expect(error?.code == .labelOutOfRange)
    }

    @Test("a gradient of zeros gives no mask and is counted")
    func zeroGradient() throws {
        let shades = try TwoShades()
        let network = try Network<Double>(shades.model)
        let zeros = Parameters(
            layout: network.parameterLayout,
            values: Array(repeating: 0.0, count: network.parameterLayout.count))
        let (masks, summary) = try MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
            .run(network: network, parameters: zeros)
        #expect(summary.zeroGradientCount == 48 && summary.annotatedCount == 0)
        #expect(masks.rows == Array(repeating: 0, count: 48))
    }

    @Test("weights that give no finite gradient are an error that names the sample")
    func notFinite() throws {
        let shades = try TwoShades()
        let network = try Network<Double>(shades.model)
        let broken = Parameters(
            layout: network.parameterLayout,
            values: Array(repeating: Double.nan, count: network.parameterLayout.count))
        let error = #expect(throws: ExplanationError.self) {
            try MaskMaking(dataset: shades.dataset, selection: .top(count: 3)).run(
                network: network, parameters: broken)
        }
        #expect(error?.code == .gradientNotFinite)
        #expect(error?.message.contains("sample 0") == true)
    }
}
