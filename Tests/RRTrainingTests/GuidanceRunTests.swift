import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRSchemas
import RRStreaming
import RRTensor
@testable import RRTraining
import TestSupport
import Testing

@Suite("Runs with each guidance")
struct GuidanceRunTests {
    private struct Stop: Error {}

    static let guidances: [Guidance] = [
        .rightReasons, .randomized, .adversarial(AdversaryOptions(stepCount: 2)), .inputGradient,
        .counterexamples(CounterexampleOptions(fill: .noise)),
        .counterexamples(CounterexampleOptions(fill: .swap, share: 0.75, consistency: 0.5)),
        .counterexamples(CounterexampleOptions(fill: .swap, place: .instead)),
        .counterexamples(CounterexampleOptions(fill: .swap, countsCrossEntropy: false, consistency: 1)),
    ]

    private func options(_ shades: TwoShades, _ guidance: Guidance) -> TrainingOptions {
        var options = shades.options
        options.loss.guidance = guidance
        options.stream.epochs = 3
        options.stream.batchSize = 7
        return options
    }

    private func loop(_ shades: TwoShades, _ options: TrainingOptions) throws -> TrainingLoop {
        let masks = options.loss.guidance == .inputGradient ? nil : shades.masks
        return try TrainingLoop(dataset: shades.dataset, masks: masks, options: options)
    }

    private func weights(_ shades: TwoShades, _ run: String) throws -> [UInt8] {
        try FileBytes.read(shades.folder.path("\(run)/weights.safetensors"))
    }

    @Test(
        "a run that is stopped within an epoch ends as one that never was, whatever the threads",
        arguments: guidances, Precision.allCases)
    func resuming(guidance: Guidance, precision: Precision) throws {
        let shades = try TwoShades()
        var options = options(shades, guidance)
        options.precision = precision
        options.threadCount = 1
        _ = try loop(shades, options).run(output: shades.folder.path("whole"), force: false) { _ in }
        options.threadCount = 3
        let storage = RunStorage(
            output: shades.folder.path("run"), resumes: true, checkpointSeconds: 0)
        #expect(throws: Stop.self) {
            try loop(shades, options).run(storage) { if $0.step == 10 { throw Stop() } }
        }
        _ = try loop(shades, options).run(storage) { _ in }
        for name in ["weights.safetensors", "config.json"] {
            #expect(
                try FileBytes.read(shades.folder.path("run/\(name)"))
                    == FileBytes.read(shades.folder.path("whole/\(name)")))
        }
    }

    @Test("each guidance trains other weights, and λ1 = 0 those of plain cross-entropy")
    func differences() throws {
        let shades = try TwoShades()
        var seen: Set<[UInt8]> = []
        for (number, guidance) in Self.guidances.enumerated() {
            var options = options(shades, guidance)
            _ = try loop(shades, options).run(output: shades.folder.path("\(number)"), force: false) { _ in }
            seen.insert(try weights(shades, "\(number)"))
            options.loss.lambda1 = .value(0)
            _ = try loop(shades, options).run(
                output: shades.folder.path("\(number)-0"), force: false
            ) { _ in }
        }
        #expect(seen.count == Self.guidances.count)
        let plain = try Set((0..<Self.guidances.count).map { try weights(shades, "\($0)-0") })
        #expect(plain.count == 1 && plain.isDisjoint(with: seen))
    }

    @Test(
        "a run with another guidance is refused by the name of the option",
        arguments: [
            OptionChange("guidance", { $0.loss.guidance = .randomized }),
            OptionChange(
                "AdversaryOptions.stepCount",
                { $0.loss.guidance = .adversarial(.init(stepCount: 3, stepSize: 0.375)) }),
            OptionChange(
                "AdversaryOptions.radius",
                { $0.loss.guidance = .adversarial(.init(stepCount: 2, radius: 0.1, stepSize: 0.375)) }),
            OptionChange(
                "AdversaryOptions.stepSize",
                { $0.loss.guidance = .adversarial(.init(stepCount: 2, stepSize: 0.1)) }),
            OptionChange("annotatedFraction", { $0.stream.annotatedFraction = 0.5 }),
        ])
    func otherOptions(change: OptionChange) throws {
        let shades = try TwoShades()
        var options = options(shades, .adversarial(.init(stepCount: 2)))
        let storage = RunStorage(output: shades.folder.path("run"), resumes: true)
        #expect(throws: Stop.self) {
            try loop(shades, options).run(storage) { if $0.step == 10 { throw Stop() } }
        }
        change.apply(&options)
        let error = #expect(throws: TrainingError.self) { try loop(shades, options).run(storage) { _ in } }
        #expect(error?.code == .invalidOption && error?.place == .option(OptionName(change.name)))
    }

    @Test(
        "what does not go together is refused by the name of the option",
        arguments: [
            (true, OptionChange("guidance", { $0.loss.guidance = .inputGradient })),
            (false, OptionChange("guidance", { $0.loss.guidance = .randomized })),
            (false, OptionChange("guidance", { $0.loss.guidance = .adversarial(.init()) })),
            (
                true,
                OptionChange("lambda1", { ($0.loss.guidance, $0.loss.lambda1) = (.randomized, .automatic) })
            ),
            (
                false,
                OptionChange(
                    "lambda1", { ($0.loss.guidance, $0.loss.lambda1) = (.inputGradient, .automatic) })
            ),
            (
                true,
                OptionChange(
                    "penaltyTarget", { ($0.loss.guidance, $0.loss.penaltyTarget) = (.randomized, .label) })
            ),
            (
                true,
                OptionChange(
                    "AdversaryOptions.stepCount",
                    { $0.loss.guidance = .adversarial(.init(stepCount: 0, stepSize: 1)) })
            ),
            (
                true,
                OptionChange(
                    "AdversaryOptions.radius",
                    { $0.loss.guidance = .adversarial(.init(radius: 0, stepSize: 1)) })
            ),
            (
                true,
                OptionChange(
                    "AdversaryOptions.radius",
                    { $0.loss.guidance = .adversarial(.init(radius: .nan, stepSize: 1)) })
            ),
            (
                true,
                OptionChange(
                    "AdversaryOptions.stepSize", { $0.loss.guidance = .adversarial(.init(stepSize: -1)) })
            ),
            (
                false,
                OptionChange(
                    "annotatedFraction", { ($0.stream.annotatedFraction, $0.loss.lambda1) = (0.5, .value(0)) }
                )
            ),
            (
                true,
                OptionChange(
                    "annotatedFraction",
                    { ($0.stream.annotatedFraction, $0.stream.isShuffled) = (0.5, false) })
            ),
            (true, OptionChange("annotatedFraction", { $0.stream.annotatedFraction = 1.5 })),
        ]
            + [
                ("share", CounterexampleOptions(share: 0)), ("share", .init(share: 1.25)),
                ("consistency", .init(consistency: -1)), ("consistency", .init(countsCrossEntropy: false)),
                ("place", .init(place: .instead, consistency: 1)),
                ("place", .init(place: .instead, countsCrossEntropy: false, consistency: 1)),
            ].map { name, options in
                (
                    true,
                    OptionChange(
                        "CounterexampleOptions.\(name)", { $0.loss.guidance = .counterexamples(options) })
                )
            }
            + [
                (
                    true,
                    OptionChange(
                        "lambda1",
                        {
                            $0.loss.guidance = .counterexamples(.init(place: .instead))
                            $0.loss.lambda1 = 2
                        })
                )
            ])
    func contradictions(hasMasks: Bool, change: OptionChange) throws {
        let shades = try TwoShades()
        var options = shades.options
        change.apply(&options)
        let error = #expect(throws: TrainingError.self) {
            try TrainingLoop(
                dataset: shades.dataset, masks: hasMasks ? shades.masks : nil, options: options)
        }
        #expect(error?.code == .invalidOption && error?.place == .option(OptionName(change.name)))
    }

    @Test("few annotated samples are drawn more often where they fill each other's masks, and a note says so")
    func fewAnnotated() throws {
        for (stride, share) in [(3, nil), (6, 0.5), (48, nil)] as [(Int, Double?)] {
            let shades = try TwoShades(annotatedEvery: stride)
            for fill in CounterexampleOptions.Fill.allCases {
                let loop = try loop(
                    shades, options(shades, .counterexamples(CounterexampleOptions(fill: fill))))
                let expected = fill == .swap ? share : nil
                #expect(loop.options.stream.annotatedFraction == expected)
                #expect(loop.options.stream.swapsRegions == (fill == .swap))
                #expect(loop.notes.contains { $0.contains("half of every batch") } == (expected != nil))
            }
            var own = options(shades, .counterexamples(CounterexampleOptions(fill: .swap)))
            own.stream.annotatedFraction = 0.25
            #expect(try loop(shades, own).options.stream.annotatedFraction == 0.25)
        }
    }

    @Test("every batch has the share of annotated samples that was asked for", arguments: [0, 0.25, 0.5, 1])
    func annotatedFraction(fraction: Double) throws {
        let shades = try TwoShades()
        var options = shades.options
        options.stream.annotatedFraction = fraction
        options.stream.epochs = 3
        let stream = try BatchStream(
            dataset: shades.dataset, masks: shades.masks,
            options: options.stream)
        while let batch = try stream.next() {
            #expect(batch.annotated.count { $0 } == Int(8 * fraction))
        }
        _ = try shades.train(options)
        let path = shades.folder.path("run/")
        let configuration = try JSONValue(parsing: FileBytes.read(path + "config.json"))
        #expect(configuration["options"]?["annotated_fraction"]?.doubleValue == fraction)
        let steps = try String(decoding: FileBytes.read(path + "metrics.jsonl"), as: UTF8.self)
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            .filter { $0["kind"] != "epoch" }
        #expect(steps.count == 18)
        #expect(steps.allSatisfy { ($0["penalty"]?.doubleValue != nil) == (fraction > 0) })
    }

    @Test("float images have random values from the range of the training split")
    func floatRange() throws {
        let folder = try TemporaryFolder()
        let shades = try TwoShades()
        let integers = try loop(shades, options(shades, .randomized))
        let network = try Network<Float>(shades.model)
        #expect(try TrainingChoices(integers, network, goingOnWith: nil).loss.imageRanges == nil)
        let dataset = try ValidationFileTests.dataset(
            folder.path("f.h5"), elementType: .float32, pixels: [-3, 2, 0.5, 7])
        var options = options(shades, .randomized)
        options.model = BuiltInModel.mlp.description(input: dataset.imageShape, classCount: 2)
        options.loss.lambda1 = .value(0)
        let masks = try MaskSet(
            bits: .init(rowCount: 1, elementsPerRow: 4), rows: [0, 0], maskShape: dataset.imageShape,
            datasetFingerprint: dataset.fingerprint)
        let loop = try TrainingLoop(dataset: dataset, masks: masks, options: options)
        let floats = try Network<Float>(options.model)
        #expect(try TrainingChoices(loop, floats, goingOnWith: nil).loss.imageRanges == [-3...7])
    }
}
