import RRDatasets
import RRExplanation
import RRFormats
import RRSchemas
import RRStreaming
@testable import RRTraining
import TestSupport
import Testing

@Suite("A sweep over weights and ways")
struct SweepTests {
    private struct Stop: Error {}

    private func options(_ shades: TwoShades) -> SweepOptions {
        var options = SweepOptions(training: shades.options)
        options.training.stream.epochs = 3
        options.training.precision = .double
        options.ways = [.logitJacobian, .swap]
        options.weights = [0.1, 1]
        options.seeds = [0, 7]
        options.heldOutShare = 0.5
        return options
    }

    private func loop(_ shades: TwoShades, _ options: SweepOptions) throws -> SweepLoop {
        try SweepLoop(dataset: shades.dataset, masks: shades.masks, options: options)
    }

    @Test(
        "every way is trained with every weight and seed, and a run is what train makes of the kept samples")
    func runs() throws {
        let shades = try TwoShades()
        let options = options(shades)
        let sweep = try loop(shades, options)
        let runs = try sweep.run(RunStorage(output: shades.folder.path("sweep"))) { _ in }
        #expect(runs.map(\.number) == Array(1...10))
        #expect(
            runs.map(\.way) == [.plain, .logitJacobian, .logitJacobian, .swap, .swap] + runs[..<5].map(\.way))
        #expect(runs.map(\.lambda1) == [0, 0.1, 1, 0.1, 1, 0, 0.1, 1, 0.1, 1])
        #expect(runs.map(\.seed) == Array(repeating: 0, count: 5) + Array(repeating: 7, count: 5))
        let rows = try sweep.dataset.indices(inSplit: "held-out")
        let kept = try sweep.dataset.indices(inSplit: "kept")
        #expect(rows.count == 24 && kept.count == 24 && Set(rows).isDisjoint(with: kept))

        var training = options.training
        training.loss.guidance = .counterexamples(CounterexampleOptions(fill: .swap))
        training.loss.lambda1 = 1
        training.stream.seed = 7
        training.stream.split = "kept"
        let single = try TrainingLoop(
            dataset: sweep.dataset, masks: shades.masks, options: training
        ).run(output: shades.folder.path("single"), force: false) { _ in }
        #expect(
            try FileBytes.read(shades.folder.path("single/weights.safetensors"))
                == FileBytes.read(shades.folder.path("sweep/run-10/run/weights.safetensors")))
        var measurement = ExplanationMeasurement()
        measurement.swapPlace = .class
        let evaluation = try Run(path: single.output).evaluate(
            sweep.dataset, masks: shades.masks, split: "held-out", measurement: measurement)
        let figures = try #require(runs[9].figures)
        #expect(figures.accuracy == evaluation.accuracy && figures.crossEntropy == evaluation.crossEntropy)
        #expect(figures.worstGroup == evaluation.worstGroup?.accuracy)
        let swaps = try #require(evaluation.explanation?.swapTest)
        #expect(figures.swappedAccuracy == swaps.accuracyInsideOther.share)
        // Of the left half of the other shade a model that reads both halves knows less.
        #expect(figures.swappedAccuracy <= 1 && swaps.accuracyInsideOther.total > 0)
    }

    @Test("a sweep that is stopped ten times gives the same table and the same weights")
    func resuming() throws {
        let shades = try TwoShades()
        let options = options(shades)
        let whole = try loop(shades, options).run(RunStorage(output: shades.folder.path("whole"))) { _ in }
        let storage = RunStorage(
            output: shades.folder.path("sweep"), resumes: true, checkpointSeconds: 0)
        for stop in 1...10 {
            var steps = 0
            #expect(throws: Stop.self) {
                try loop(shades, options).run(storage) { progress in
                    if case .training = progress { steps += 1 }
                    if steps == stop { throw Stop() }
                }
            }
        }
        #expect(try loop(shades, options).run(storage) { _ in } == whole)
        for number in 1...10 {
            let name = "run-\(number)/run/weights.safetensors"
            #expect(
                try FileBytes.read(shades.folder.path("sweep/\(name)"))
                    == FileBytes.read(shades.folder.path("whole/\(name)")))
        }
        // Done, it is read and not trained again.
        #expect(
            try loop(shades, options).run(storage) { _ in Issue.record("a step was taken") } == whole)
        var other = options
        other.weights = [0.1, 2]
        let error = #expect(throws: TrainingError.self) { try loop(shades, other).run(storage) { _ in } }
        #expect(error?.place == .option(OptionName("lambda1")))
    }

    @Test("weights that are larger than two hopeless ones are left out, and those recommended by nobody")
    func hopeless() throws {
        let shades = try TwoShades()
        var options = options(shades)
        options.ways = [.logitJacobian]
        options.weights = [1e-3, 1e6, 1e7, 1e8, 1e9]
        options.seeds = [0]
        options.training.stream.epochs = 20
        let runs = try loop(shades, options).run(RunStorage(output: shades.folder.path("sweep"))) { _ in }
        let outcomes = runs.map(\.outcome)
        #expect(outcomes[0] == .trained && outcomes[1] == .trained)
        #expect(outcomes[2...3].allSatisfy { $0 == .constant || $0 == .diverged })
        #expect(outcomes[4...] == [.leftOut, .leftOut] && runs[4...].allSatisfy { $0.figures == nil })
        let rows = SweepRow.rows(of: runs)
        #expect(rows.count == 6)
        #expect(try #require(SweepRow.recommended(of: rows)).lambda1 < 1)
    }

    @Test("recommended is the largest mean of the smaller accuracy, of equal ones the first")
    func recommendation() throws {
        func run(
            _ way: SweepWay, _ lambda1: Double, seed: UInt64, _ accuracy: Double, _ swapped: Double,
            _ outcome: SweepRun.Outcome = .trained
        ) -> SweepRun {
            SweepRun(
                number: 1, way: way, lambda1: lambda1, seed: seed, outcome: outcome,
                figures: SweepRun.Figures(
                    accuracy: accuracy, crossEntropy: 0.1, swappedAccuracy: swapped, swapDifference: nil,
                    worstGroup: nil, penalty: nil))
        }
        let runs = [
            run(.plain, 0, seed: 0, 0.95, 0.1), run(.rrr, 1, seed: 0, 0.7, 0.9),
            run(.rrr, 10, seed: 0, 0.75, 0.75), run(.swap, 1, seed: 0, 0.8, 0.7),
            run(.swap, 10, seed: 0, 0.99, 0.99, .constant),
            run(.plain, 0, seed: 1, 0.95, 0.1), run(.rrr, 1, seed: 1, 0.7, 0.9),
            run(.rrr, 10, seed: 1, 0.65, 0.65), run(.swap, 1, seed: 1, 0.8, 0.72),
            run(.swap, 10, seed: 1, 0.99, 0.99),
        ]
        let rows = SweepRow.rows(of: runs)
        let best = try #require(SweepRow.recommended(of: rows))
        #expect(best.way == .swap && best.lambda1 == 1)
        #expect(try #require(best.mean(\.score)).isApproximately(0.71))
        #expect(SweepRow.recommended(of: rows.filter { $0.way == .rrr })?.lambda1 == 1)
        #expect(SweepRow.recommended(of: rows.filter { $0.lambda1 == 10 && $0.way == .swap }) == nil)
        #expect(rows.allSatisfy { $0.runs.allSatisfy { SweepRun($0.json) == $0 } })
    }

    private struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let change: @Sendable (inout SweepOptions) -> Void

        init(_ name: String, _ change: @escaping @Sendable (inout SweepOptions) -> Void) {
            self.name = name
            self.change = change
        }

        var testDescription: String { name }
    }

    @Test(
        "what cannot be swept is refused by the name of the option",
        arguments: [
            Refusal("lambda1") { $0.weights = [] }, Refusal("lambda1") { $0.weights = [0, 1] },
            Refusal("lambda1") { $0.weights = [1, 1] }, Refusal("lambda1") { $0.weights = [.infinity] },
            Refusal("ways") { $0.ways = [] }, Refusal("ways") { $0.ways = [.plain] },
            Refusal("ways") { $0.ways = [.swap, .swap] },
            Refusal("seeds") { $0.seeds = [] }, Refusal("seeds") { $0.seeds = [1, 1] },
            Refusal("heldOutShare") { $0.heldOutShare = 0 }, Refusal("heldOutShare") { $0.heldOutShare = 1 },
            Refusal("masks") { $0.heldOutShare = 0.01 },
        ])
    private func refusals(refusal: Refusal) throws {
        let shades = try TwoShades(annotatedEvery: 48)
        var options = options(shades)
        refusal.change(&options)
        let error = #expect(throws: TrainingError.self) { try loop(shades, options) }
        #expect(error?.place == .option(OptionName(refusal.name)))
    }
}

extension Double {
    fileprivate func isApproximately(_ other: Double) -> Bool { (self - other).magnitude < 1e-12 }
}
