import Foundation
import RRDatasets
import RRExplanation
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("The automatic choice of λ1")
struct AutomaticLambdaTests {
    @Test(
        "an automatic λ1 is CE / R of the annotated samples of 10 batches after 100 plain steps",
        arguments: PenaltyReduction.allCases)
    func value(reduction: PenaltyReduction) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.precision = .double
        options.loss.lambda1 = .automatic
        options.loss.penaltyReduction = reduction
        options.optimization.learningRate = 5e-4
        options.stream.epochs = 1
        let chosen = try shades.train(options).lambda1

        let trainer = try Trainer<Double>(
            model: options.model, loss: LossOptions(lambda1: 0), optimization: options.optimization)
        let explainer = InputGradients(network: trainer.network)
        let stream = try BatchStream(
            dataset: shades.dataset, masks: shades.masks,
            options: StreamOptions(batchSize: 8, isShuffled: true, seed: 0, epochs: .max))
        var (crossEntropy, penalty, measured, steps) = (0.0, 0.0, 0, 0)
        while measured < 10, let batch = try stream.next() {
            let labelled = try LabelledBatch(
                imageShape: batch.imageShape, images: batch.images, labels: batch.labels)
            steps += 1
            guard steps > 100 else {
                _ = try trainer.step(labelled)
                continue
            }
            let (logits, gradients) = try explainer.compute(labelled, at: trainer.parameters)
            let annotated = (0..<8).filter { shades.masks.isAnnotated(Int(batch.indices[$0])) }
            guard !annotated.isEmpty else { continue }
            measured += 1
            for sample in annotated {
                let (own, other) = (Int(batch.labels[sample]), 1 - Int(batch.labels[sample]))
                let difference = logits[sample * 2 + other] - logits[sample * 2 + own]
                crossEntropy += log(1 + exp(difference)) / Double(annotated.count)
                // A is the left half.
                for element in 0..<16 where element % 4 < 2 {
                    penalty +=
                        gradients[sample * 16 + element] * gradients[sample * 16 + element]
                        / Double(annotated.count)
                }
            }
        }
        // Within the bounds of 0.001 and 1000.
        try #require(0.002...500 ~= crossEntropy / penalty)
        let expected = crossEntropy / penalty / (reduction == .sum ? 8 : 1)
        #expect((chosen - expected).magnitude < 1e-9 * expected)
    }

    @Test(
        "a loss that is no longer finite before λ1 is chosen says so", arguments: [Precision.float, .double])
    func divergence(precision: Precision) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.precision = precision
        options.loss.lambda1 = .automatic
        options.optimization = OptimizationOptions(.sgd, learningRate: 1e200)
        let error = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(error?.code == .diverged && [.step(1), .step(2)].contains(error?.place))
        for hint in ["`lambda1` auto", "no checkpoint", "learningRate", "largestNorm"] {
            #expect(error?.message.contains(hint) == true, "\(error.debugDescription)")
        }
        #expect(try shades.folder.names() == ["d.h5"])
    }

    @Test("training with an automatic λ1 starts from the initial weights")
    func start() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.lambda1 = .automatic
        let chosen = try shades.train(options).lambda1
        #expect(chosen >= 1e-3 && chosen <= 1e3)
        options.loss.lambda1 = .value(chosen)
        let automatic = try Data(contentsOf: URL(filePath: shades.folder.path("run/weights.safetensors")))
        _ = try shades.train(options, output: "fixed")
        #expect(
            try Data(contentsOf: URL(filePath: shades.folder.path("fixed/weights.safetensors"))) == automatic)
        // The penalty falls with the square of its weight's scale: where the gradient is small, λ1 is large.
        options.loss.lambda1 = .automatic
        options.optimization.learningRate = 0
        #expect(try shades.train(options).lambda1 > chosen)
    }

    @Test("the steps that it takes are told of, each once, before the first of the run")
    func progress() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.loss.lambda1 = .automatic
        var loop = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
        var told: [Int] = []
        loop.lambda1Progress = { stepsDone, stepCount in
            #expect(stepCount == 110)
            told.append(stepsDone)
        }
        _ = try loop.run(output: shades.folder.path("run")) { progress in
            if progress.step == 1 { told.append(-1) }
        }
        #expect(told == Array(1...110) + [-1])
    }
}
