import FoundationEssentials
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Masks written as they come, smooth ones and those of a class")
struct MaskWritingTests {
    let shades: TwoShades
    let network: Network<Double>
    let parameters: Parameters<Double>

    init() throws {
        shades = try TwoShades()
        network = try Network<Double>(shades.model)
        parameters = network.initialParameters(seed: 4)
    }

    /// A model with weights that come without a run.
    private func model(_ parameters: Parameters<Double>) throws -> Run {
        let (model, weights) = (shades.folder.path("model.json"), shades.folder.path("weights.safetensors"))
        try FileBytes.write(Array(JSONEncoder().encode(shades.model)), to: model)
        try WeightsFile.write(parameters, to: weights)
        return try Run(modelPath: model, weightsPath: weights)
    }

    private func written(_ making: MaskMaking) throws -> (MaskSet, MaskMakingSummary) {
        let path = shades.folder.path("made.h5")
        let written = try making.write(model(parameters), to: path, force: true)
        return (try MaskSet(path: path, for: shades.dataset), written)
    }

    private func gradient(_ image: [Float], label: Int64, target: PenaltyTarget) throws -> [Double] {
        try InputGradients(network: network, target: target).compute(
            LabelledBatch(imageShape: shades.dataset.imageShape, images: image, labels: [label]),
            at: parameters
        ).gradients
    }

    private func image(_ index: Int) throws -> [Float] {
        try shades.dataset.image(at: index).elements
    }

    @Test("a file of masks holds those that are made in memory", arguments: [false, true], [false, true])
    func sameMasks(isPerPixel: Bool, hasUnion: Bool) throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        making.isPerPixel = isPerPixel
        making.union = hasUnion ? shades.masks : nil
        making.batchSize = 7
        let (file, summary) = try written(making)
        let (memory, made) = try making.run(network: network, parameters: parameters)
        #expect(file.bits == memory.bits && file.rows == memory.rows)
        #expect(summary.oneCount == made.oneCount && summary.annotatedCount == made.annotatedCount)
        #expect(summary.sampleCount == 48 && summary.maskShape == memory.maskShape)
    }

    @Test("samples without a gradient leave no row behind, and the masks of the union stay")
    func fewerMasks() throws {
        var values = parameters.values
        // The first layer's weights at 0: no input has a gradient.
        for index in values.indices { values[index] = 0 }
        let dead = Parameters(layout: network.parameterLayout, values: values)
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 3))
        for union in [nil, shades.masks] {
            making.union = union
            let path = shades.folder.path("dead.h5")
            let written = try making.write(model(dead), to: path, force: true)
            let set = try MaskSet(path: path, for: shades.dataset)
            #expect(written.zeroGradientCount == 48 && written.annotatedCount == set.annotatedCount)
            #expect(set.annotatedCount == (union == nil ? 0 : 16))
            #expect(set.bits.rowCount == set.annotatedCount + 1)
            for index in 0..<48 where union != nil {
                #expect(set.isAnnotated(index) == shades.masks.isAnnotated(index))
            }
        }
        #expect(try shades.folder.names().filter { $0.hasPrefix(".") } == [])
    }

    @Test("a class's masks are those of the gradient of its log-probability", arguments: [0, 1])
    func oneClass(index: Int) throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 5))
        making.classIndex = index
        let (set, _) = try written(making)
        for sample in [0, 17, 47] {
            let gradient = try gradient(image(sample), label: Int64(index), target: .label)
            let largest = (0..<16).sorted { gradient[$0].magnitude > gradient[$1].magnitude }.prefix(5)
            #expect((0..<16).filter { set.bits[set.rows[sample], $0] } == largest.sorted())
        }
    }

    @Test("a class that the model does not have is an error")
    func noSuchClass() throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 5))
        making.classIndex = 2
        let error = #expect(throws: ExplanationError.self) {
            try making.run(network: network, parameters: parameters)
        }
        #expect(error?.code == .labelOutOfRange)
    }

    @Test(
        "a smooth mask is that of the mean gradient of noisy copies, whatever the batch and the threads",
        arguments: [PenaltyTarget.sumLogProbability, .predicted])
    func smooth(target: PenaltyTarget) throws {
        var making = MaskMaking(dataset: shades.dataset, selection: .top(count: 5))
        making.target = target
        making.smoothing = GradientSmoothing(copyCount: 4, deviation: 0.5, seed: 9)
        (making.batchSize, making.threadCount) = (7, 3)
        let (set, _) = try written(making)
        (making.batchSize, making.threadCount) = (48, 1)
        #expect(try written(making).0.bits == set.bits)
        making.smoothing?.seed = 10
        #expect(try written(making).0.bits != set.bits)
        let noise = GaussianNoise(seed: 9, deviation: 0.5, range: .unit)
        for sample in [0, 17, 47] {
            let clean = try image(sample)
            let logits = try InputGradients(network: network).compute(
                LabelledBatch(imageShape: shades.dataset.imageShape, images: clean, labels: [0]),
                at: parameters
            ).logits
            var sum = Array(repeating: 0.0, count: 16)
            for copy in 1...4 {
                var noisy = clean
                noisy.withUnsafeMutableBufferPointer {
                    noise.apply(to: $0, index: Int64(sample), copy: copy)
                }
                let gradient = try gradient(
                    noisy, label: logits[1] > logits[0] ? 1 : 0,
                    target: target == .predicted ? .label : target)
                for index in 0..<16 { sum[index] += gradient[index] }
            }
            let largest = (0..<16).sorted { sum[$0].magnitude > sum[$1].magnitude }.prefix(5)
            #expect((0..<16).filter { set.bits[set.rows[sample], $0] } == largest.sorted())
        }
    }
}
