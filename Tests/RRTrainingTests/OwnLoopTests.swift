import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRStreaming
import RRTraining
import TestSupport
import Testing

@Suite("A training loop of one's own")
struct OwnLoopTests {
    @Test("a trainer's loop learns, stops where it likes, and its weights are a run's")
    func loop() throws {
        let shades = try TwoShades()
        let trainer = try Trainer<Float>(
            model: BuiltInModel.mlp.description(for: shades.dataset), loss: LossOptions(lambda1: 1),
            optimization: OptimizationOptions(learningRate: 0.01))
        let stream = try BatchStream(
            dataset: shades.dataset, masks: shades.masks,
            options: StreamOptions(batchSize: 8, isShuffled: true, epochs: 1000))
        while let batch = try stream.next() {
            if try trainer.step(batch).loss < 0.1 { break }
        }
        #expect(trainer.stepCount < 6000)
        let between = try trainer.evaluate(shades.dataset, split: "all", masks: shades.masks)
        #expect(between.accuracy == 1 && between.explanation?.measuredCount == 16)

        let path = shades.folder.path("w.safetensors")
        try trainer.writeWeights(to: path)
        let error = #expect(throws: FormatError.self) { try trainer.writeWeights(to: path) }
        #expect(error?.code == .outputExists)
        _ = try shades.train(shades.options)
        let run = try Run(modelPath: shades.folder.path("run/model.json"), weightsPath: path)
        let evaluation = try run.evaluate(shades.dataset, masks: shades.masks, split: "all")
        #expect(evaluation.crossEntropy == between.crossEntropy)
        let second = try Trainer<Float>(from: run, loss: LossOptions(lambda1: 0))
        #expect(second.parameters == trainer.parameters)
    }

    @Test("training takes its λ1 from what there is: automatic with masks, none without")
    func standardLambda1() throws {
        let shades = try TwoShades()
        var options = TrainingOptions(model: shades.model)
        options.stream.epochs = 1
        let plain = try TrainingLoop(dataset: shades.dataset, options: options)
            .run(output: shades.folder.path("plain"))
        let masked = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            .run(output: shades.folder.path("masked"))
        #expect(plain.lambda1 == 0 && masked.lambda1 > 0)
        options.loss.lambda1 = .automatic
        let asked = try TrainingLoop(dataset: shades.dataset, masks: shades.masks, options: options)
            .run(output: shades.folder.path("asked"))
        #expect(asked.lambda1 == masked.lambda1)
        #expect(try Run(path: shades.folder.path("asked")).penaltyWeight?.lambda1 == asked.lambda1)
    }

    @Test("what a run could not record, or a trainer cannot know, is refused by the name of the option")
    func refusals() throws {
        let shades = try TwoShades()
        var options = shades.options
        options.stream.world = 2
        let run = #expect(throws: TrainingError.self) { try shades.train(options) }
        #expect(run?.place == .option(OptionName("stream")))
        func place(_ loss: LossOptions, _ schedule: ScheduleOptions = ScheduleOptions()) -> TrainingError
            .Place?
        {
            #expect(throws: TrainingError.self) {
                try Trainer<Float>(
                    model: shades.model, loss: loss, optimization: OptimizationOptions(schedule: schedule))
            }?.place
        }
        #expect(place(LossOptions()) == .option(OptionName("lambda1")))
        #expect(place(LossOptions(lambda1: .automatic)) == .option(OptionName("lambda1")))
        #expect(
            place(LossOptions(lambda1: 0, classWeights: .automatic)) == .option(OptionName("classWeights")))
        #expect(place(LossOptions(lambda1: 0), ScheduleOptions(.cosine)) == .option(OptionName("schedule")))
    }
}
