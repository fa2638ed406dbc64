import RRExplanation
import RRFormats
import RRStreaming
import RRTraining
import TestSupport
import Testing

@Suite("What a training says of its penalty")
struct TrainingRemarkTests {
    @Test(
        "two classes can dodge sum-log-prob, and any number the sum of the logits",
        arguments: [
            (PenaltyTarget.sumLogProbability, "vanishes at p = 1/2"), (.logitsSum, "the sum of the logits"),
            (.label, nil), (.predicted, nil), (.logitJacobian, nil),
        ] as [(PenaltyTarget, String?)])
    func targets(target: PenaltyTarget, remark: String?) throws {
        let shades = try TwoShades()
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
        // Without a penalty it may be a hard task.
        options.loss.lambda1 = 0
        options.optimization.learningRate = 0
        #expect(try remark() == nil)
    }
}
