import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTraining
import TestSupport
import Testing

@Suite("A limit on what training holds in memory")
struct MemoryLimitTests {
    /// A network whose feature maps are most of what training takes.
    private func options(_ shades: TwoShades) -> TrainingOptions {
        var options = shades.options
        let wide = LayerDescription.conv2d(.init(out: 2048, kernel: 1, groups: 2048, bias: false))
        options.model = ModelDescription(
            input: shades.model.input, classCount: 2,
            layers: [
                .conv2d(.init(out: 2048, kernel: 1)), .tanh, wide, .relu, wide, .tanh, wide, .relu, wide,
                .globalavgpool, .flatten, .linear(.init(out: 2)),
            ])
        options.stream.batchSize = 16
        options.stream.epochs = 1
        options.threadCount = 2
        return options
    }

    @Test("that is too small is refused with the smallest that can be kept, which gives the same bytes")
    func smallest() throws {
        let shades = try TwoShades()
        var options = options(shades)
        _ = try shades.train(options, output: "free")
        options.memoryLimit = 1
        let error = #expect(throws: TrainingError.self) {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        }
        #expect(error?.code == .invalidOption)
        let text = try #require(error?.explanation.description)
        let size = try #require(text.firstMatch(of: /at least (\d+)M/)?.1)
        let smallest = try #require(Int(size))

        options.memoryLimit = (smallest - 1) << 20
        #expect(throws: TrainingError.self) {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        }
        options.memoryLimit = smallest << 20
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        let notes = loop.notes.map(\.description)
        #expect(notes.contains { $0.contains("about \(smallest)M") && $0.contains("segments") }, "\(notes)")
        _ = try shades.train(options, output: "bounded")
        #expect(
            try FileBytes.read(shades.folder.path("bounded/weights.safetensors"))
                == FileBytes.read(shades.folder.path("free/weights.safetensors")))
    }

    @Test("that leaves room for all costs nothing, and what training takes is said")
    func room() throws {
        let shades = try TwoShades()
        var options = options(shades)
        options.memoryLimit = 8 << 30
        let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        #expect(loop.notes.contains { $0.contains("takes about") && !$0.contains("segments") })
        options.memoryLimit = nil
        let free = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        #expect(!free.notes.contains { $0.contains("takes about") }, "it is little")
    }

    @Test("holds for the choice of lambda1 too, and for a validation")
    func automatic() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.lambda1 = .automatic
        options.validation = "all"
        options.stream.epochs = 1
        let free = try shades.train(options, output: "free")
        options.memoryLimit = 512 << 20
        let bounded = try shades.train(options, output: "bounded")
        #expect(free.lambda1 == bounded.lambda1)
        #expect(
            try FileBytes.read(shades.folder.path("bounded/weights.safetensors"))
                == FileBytes.read(shades.folder.path("free/weights.safetensors")))
    }
}
