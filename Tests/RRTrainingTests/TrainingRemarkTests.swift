import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTensor
import TestSupport
import Testing

@testable import RRTraining

@Suite("What a training says of its penalty")
struct TrainingRemarkTests {
    @Test(
        "two classes can dodge sum-log-prob, and any number the sum of the logits",
        arguments: [
            (PenaltyTarget.sumLogProbability, "vanishes at p = 1/2"), (.logitsSum, "the sum of the logits"),
            (.label, nil), (.predicted, nil), (.logitJacobian, nil),
        ] as [(PenaltyTarget, String?)])
    func targets(target: PenaltyTarget, remark: String?) throws {
        let shades = try TwoShades(marking: 0..<4)
        var options = shades.options
        options.loss.penaltyTarget = target
        func notes() throws -> [String] {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options).notes
                .map(\.description)
        }
        let found = try notes()
        if let remark {
            #expect(found.count == 1 && found[0].contains(remark) && found[0].contains("logit-jacobian"))
        } else {
            #expect(found == [])
        }
        options.loss.lambda1 = 0
        #expect(try notes() == [])
    }

    @Test("the layer that an attribution is of is named")
    func layer() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.model = ModelDescription(
            input: shades.dataset.imageShape, classCount: 2,
            layers: [.conv2d(.init(out: 3, kernel: 2)), .relu, .flatten, .linear(.init(out: 2))])
        options.loss.attribution = try #require(AttributionOptions("gradcam:0"))
        let notes = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options).notes
        #expect(notes.contains { "\($0)".contains("gradcam is of layers[1], maps of (3, 3, 3)") }, "\(notes)")
        options.loss.attribution = try #require(AttributionOptions("gradcam:ears"))
        let error = #expect(throws: TrainingError.self) {
            try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        }
        #expect(error?.code == .invalidOption)
        #expect(error.map { "\($0)".contains("gradcam:ears: the model has no such layer") } == true)
    }

    @Test(
        "a slip in the layer of an attribution is answered with those that may have been meant",
        arguments: [
            ("gradcam:layr4", "did you mean “layer4”?"),
            ("feature-gradient:layer4.2", "did you mean “layer4.0” or “layer4.1”"),
            ("gradcam:stem", "layer4.1"),
        ])
    func slip(attribution: String, answer: String) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.model = BuiltInModel.resnet18.description(
            input: try ImageShape(channels: 1, height: 64, width: 64), classCount: 2)
        let network = try Network<Float>(options.model)
        let error = #expect(throws: TrainingError.self) {
            try #require(AttributionOptions(attribution)).attribution(in: network)
        }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(answer) && text.contains("did you mean") == answer.contains("mean"), "\(text)")
    }

    @Test("a model that tells nothing apart any more is named, another is not")
    func constant() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.penaltyTarget = .logitJacobian
        func remark() throws -> String? {
            let loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            return try loop.remark(on: loop.run(output: shades.folder.path("run"), force: true) { _ in })?
                .description
        }
        options.stream.epochs = 20
        #expect(try remark() == nil)
        options.loss.lambda1 = 1e5
        #expect(try remark()?.contains("telling nothing apart") == true)
        // Of groups that are weighed by their losses the cross-entropy is no mean of samples.
        options.loss.groupStepSize = 0.1
        #expect(try remark() == nil)
        options.loss.groupStepSize = nil
        // Without a penalty it may be a hard task.
        options.loss.lambda1 = 0
        options.optimization.learningRate = 0
        #expect(try remark() == nil)
    }

    @Test(
        "masks of whole regions and of local places are named where another way was chosen",
        arguments: [
            (0..<1, Guidance.rightReasons, nil), (0..<1, .randomized, nil), (0..<1, .swap, "rrr fits these"),
            (0..<4, .rightReasons, nil), (0..<4, .swap, nil),
            (0..<12, .rightReasons, "shows the network other backgrounds"), (0..<12, .swap, nil),
        ] as [(Range<Int>, Guidance, String?)])
    func extents(marked: Range<Int>, guidance: Guidance, remark: String?) throws {
        let shades = try TwoShades(marking: marked)
        var options = shades.options
        options.loss.guidance = guidance
        if guidance == .rightReasons { options.loss.penaltyTarget = .logitJacobian }
        options.stream.annotatedFraction = 0.5
        let notes = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options).notes
        let found = notes.map(\.description).filter { $0.contains("the masks mark") }
        #expect(found.count == (remark == nil ? 0 : 1), "\(notes)")
        if let remark { #expect(found[0].contains(remark)) }
    }
}

extension Guidance {
    fileprivate static let swap = Guidance.counterexamples(CounterexampleOptions(fill: .swap))
}
