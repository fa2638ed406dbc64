import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRPreparation
import RRSchemas
import RRStreaming
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Finding other explanations")
struct FindAnotherLoopTests {
    let shades: TwoShades

    init() throws {
        shades = try TwoShades()
    }

    func options(rounds: Int = 3, lambda1: Lambda1 = .value(30)) -> FindAnotherOptions {
        var training = shades.options
        training.loss.lambda1 = lambda1
        training.loss.lambda1WarmupSteps = 4
        var options = FindAnotherOptions(training: training)
        options.rounds = rounds
        return options
    }

    func run(
        _ options: FindAnotherOptions, output: String = "others", force: Bool = false,
        resumes: Bool = false, checkpointSeconds: Double = 60,
        _ progress: (FindAnotherProgress) throws -> Void = { _ in }
    ) throws -> [FindAnotherRound] {
        try FindAnotherLoop(dataset: shades.dataset, options: options).run(
            RunStorage(
                output: shades.folder.path(output), force: force, resumes: resumes,
                checkpointSeconds: checkpointSeconds),
            progress: progress)
    }

    func masks(_ name: String) throws -> MaskSet {
        try MaskSet(path: shades.folder.path(name), for: shades.dataset)
    }

    /// Whether each element of each sample is set, in the order of samples.
    func elements(_ masks: MaskSet) -> [Bool] {
        (0..<TwoShades.sampleCount).flatMap { index in (0..<16).map { masks.bits[masks.rows[index], $0] } }
    }

    func weights(_ run: String) throws -> [UInt8] {
        try FileBytes.read(shades.folder.path("\(run)/weights.safetensors"))
    }

    @Test(
        "a round trains from the same start with the masks of all rounds before it, and marks what it looks at",
        arguments: [false, true])
    func rounds(isPerPixel: Bool) throws {
        var options = options()
        options.isPerPixel = isPerPixel
        let rounds = try run(options)
        #expect(rounds.map(\.number) == [1, 2, 3] && rounds.map(\.lambda1) == [0, 30, 30])
        var soFar = Array(repeating: false, count: 48 * 16)
        for (index, round) in rounds.enumerated() {
            // The round's weights are those of a run with the masks so far, or with none.
            var training = options.training
            if index == 0 { (training.loss.lambda1, training.loss.lambda1WarmupSteps) = (.value(0), 0) }
            let earlier = index == 0 ? nil : try masks("others/round-\(index)/masks-so-far.h5")
            _ = try TrainingLoop(dataset: shades.dataset, masks: earlier, options: training)
                .run(output: shades.folder.path("alone"), force: true) { _ in }
            #expect(try weights("others/\(round.folder)/run") == weights("alone"))

            // Its masks are those that make-masks makes of that run.
            let run = try Run(path: shades.folder.path("alone"))
            let network = try Network<Double>(run.model)
            var making = MaskMaking(dataset: shades.dataset, selection: .threshold(0.67))
            making.target = .predicted
            making.isPerPixel = isPerPixel
            let (made, summary) = try making.run(network: network, parameters: run.parameters(of: network))
            let own = try masks("others/\(round.folder)/masks.h5")
            #expect(own.bits == made.bits && own.rows == made.rows)
            #expect(round.annotatedCount == made.annotatedCount && round.oneCount == made.oneCount)
            #expect(round.zeroGradientCount == summary.zeroGradientCount)

            let new = elements(own)
            let common = zip(new, soFar).count { $0 && $1 }
            #expect(
                round.shareInsideEarlier
                    == (index == 0 ? nil : Double(common) / Double(new.count { $0 })))
            soFar = zip(soFar, new).map { $0 || $1 }
            #expect(try elements(masks("others/\(round.folder)/masks-so-far.h5")) == soFar)

            let floats = try Network<Float>(run.model)
            let evaluation = try Evaluation(
                network: floats, parameters: run.parameters(of: floats), dataset: shades.dataset, masks: nil)
            #expect(round.accuracy == evaluation.accuracy)
            #expect(round.crossEntropy == evaluation.crossEntropy)
            #expect(try round.worstGroup == #require(evaluation.worstGroup).accuracy)
        }
        // The masks are at work: no two rounds have the same weights.
        #expect(Set(try (1...3).map { try weights("others/round-\($0)/run") }).count == 3)
        let record = try JSONValue(
            parsing: FileBytes.read(shades.folder.path("others/find-another.json")))
        #expect(record["rounds"] == .array(rounds.map(\.json)))
        #expect(record["options"]?["rounds"] == 3 && record["options"]?["judge"] == "all")
        #expect(try shades.folder.names() == ["alone", "d.h5", "others"])
    }

    @Test("options that need masks wait for the second round")
    func guidance() throws {
        var options = options(rounds: 2, lambda1: .value(1))
        options.training.loss.guidance = .randomized
        _ = try run(options)
        var plain = shades.options
        plain.loss.lambda1 = .value(0)
        _ = try TrainingLoop(dataset: shades.dataset, masks: nil, options: plain)
            .run(output: shades.folder.path("plain"), force: false) { _ in }
        #expect(try weights("others/round-1/run") == weights("plain"))
        #expect(try weights("others/round-2/run") != weights("plain"))
    }

    struct Stop: Error {}

    /// A moment at which the loop is stopped.
    enum Moment: CaseIterable {
        case firstTraining, firstDone, secondTraining, secondMasks

        func isReached(_ progress: FindAnotherProgress) -> Bool {
            switch (self, progress) {
            case (.firstTraining, .training(1, let progress)): progress.step == 8
            case (.firstDone, .done(let round)): round.number == 1
            case (.secondTraining, .training(2, let progress)): progress.step == 9
            case (.secondMasks, .masks(2, _, _)): true
            default: false
            }
        }
    }

    @Test("rounds that were stopped go on, and end as if they never were", arguments: Moment.allCases)
    func resuming(moment: Moment) throws {
        let options = options(rounds: 2, lambda1: .automatic)
        let whole = try run(options, output: "whole")
        #expect(throws: Stop.self) {
            try run(options, checkpointSeconds: 0) { if moment.isReached($0) { throw Stop() } }
        }
        #expect(try shades.folder.names() == ["d.h5", "others.unfinished", "whole"])
        let refused = #expect(throws: FormatError.self) { try run(options) }
        #expect(refused?.code == .outputExists && refused?.message.contains("resumes") == true)

        var other = options
        other.selection = .threshold(0.5)
        let mismatch = #expect(throws: TrainingError.self) { try run(other, resumes: true) }
        #expect(mismatch?.place == .option(OptionName("selection")))
        other = options
        other.training.optimization.learningRate = 0.02
        #expect(throws: TrainingError.self) { try run(other, resumes: true) }

        var steps = 0
        let resumed = try run(options, resumes: true, checkpointSeconds: 0) {
            if case .training = $0 { steps += 1 }
        }
        #expect(resumed == whole)
        #expect(steps == [53, 30, 22, 0][Moment.allCases.firstIndex(of: moment) ?? 0])
        for name in [
            "round-1/run/weights.safetensors", "round-2/run/weights.safetensors", "round-2/masks-so-far.h5",
        ] {
            #expect(
                try FileBytes.read(shades.folder.path("others/\(name)"))
                    == FileBytes.read(shades.folder.path("whole/\(name)")))
        }
        #expect(try shades.folder.names() == ["d.h5", "others", "whole"])
        // Who is started again and again until it succeeds is told of the rounds that are done; others are none of them.
        var calls = 0
        #expect(try run(options, resumes: true) { _ in calls += 1 } == whole)
        #expect(calls == 0)
        #expect(throws: TrainingError.self) { try run(other, resumes: true) }
    }

    @Test(
        "a round whose run was stopped in its last moment takes its last steps again, and keeps no checkpoint"
    )
    func lastMoment() throws {
        let options = options(rounds: 2)
        let whole = try run(options, output: "whole")
        let round = shades.folder.path("others.unfinished/round-2")
        #expect(throws: Stop.self) {
            try run(options, checkpointSeconds: 0) {
                if Moment.secondTraining.isReached($0) {
                    try FileManager.default.copyItem(
                        atPath: round + "/run.unfinished/checkpoint", toPath: shades.folder.path("kept"))
                }
                if Moment.secondMasks.isReached($0) { throw Stop() }
            }
        }
        try FileManager.default.moveItem(
            atPath: shades.folder.path("kept"), toPath: round + "/run/checkpoint")
        #expect(try run(options, resumes: true, checkpointSeconds: 0) == whole)
        #expect(FileTree.names(in: shades.folder.path("others/round-2/run"))?.contains("checkpoint") == false)
    }

    @Test("other class weights and other kernels are refused, since they make other rounds")
    func resumingOtherwise() throws {
        var options = options(rounds: 2)
        options.training.loss.classWeights = .fixed([1, 2])
        #expect(throws: Stop.self) {
            try run(options) { if Moment.firstDone.isReached($0) { throw Stop() } }
        }
        options.training.loss.classWeights = .fixed([1, 1])
        let weights = #expect(throws: TrainingError.self) { try run(options, resumes: true) }
        #expect(weights?.place == .option(OptionName("classWeights")))
        options.training.loss.classWeights = .fixed([1, 2])
        let path = shades.folder.path("others.unfinished/find-another.json")
        let text = try String(decoding: FileBytes.read(path), as: UTF8.self)
        let other = text.replacing("\"\(LinearAlgebra.kernelName)\"", with: "\"Abacus\"")
        try #require(other != text)
        try FileBytes.write(Array(other.utf8), to: path)
        let kernel = #expect(throws: TrainingError.self) { try run(options, resumes: true) }
        #expect(kernel?.place == .option(OptionName("resumes")) && kernel?.message.contains("Abacus") == true)
        try FileBytes.write(Array(text.utf8), to: path)
        #expect(try run(options, resumes: true).count == 2)
    }

    @Test(
        "two processes do not work on the same rounds, and the second does no harm", arguments: [false, true])
    func locked(isForced: Bool) throws {
        let options = options(rounds: 2)
        var error: FormatError?
        let rounds = try run(options, checkpointSeconds: 0) {
            guard Moment.firstTraining.isReached($0) else { return }
            error = #expect(throws: FormatError.self) {
                try run(options, force: isForced, resumes: !isForced)
            }
        }
        #expect(error?.code == .cannotWrite && error?.message.contains("another process") == true)
        #expect(rounds.count == 2)
        #expect(try shades.folder.names() == ["d.h5", "others"])
    }

    @Test("what fails before the first step is kept leaves nothing behind")
    func untouched() throws {
        #expect(throws: Stop.self) { try run(options()) { _ in throw Stop() } }
        #expect(try shades.folder.names() == ["d.h5"])
    }

    @Test("force replaces rounds, done or unfinished, but no folder that is something else")
    func force() throws {
        let options = options(rounds: 1)
        _ = try run(options)
        let existing = #expect(throws: FormatError.self) { try run(options) }
        #expect(existing?.code == .outputExists)
        #expect(throws: Stop.self) {
            try run(options, force: true, checkpointSeconds: 0) {
                if Moment.firstTraining.isReached($0) { throw Stop() }
            }
        }
        #expect(try shades.folder.names() == ["d.h5", "others", "others.unfinished"])
        _ = try run(options, force: true)
        #expect(try shades.folder.names() == ["d.h5", "others"])

        try shades.folder.write([1, 2], to: "photos/holiday.raw")
        let foreign = #expect(throws: FormatError.self) { try run(options, output: "photos", force: true) }
        #expect(foreign?.code == .cannotWrite)
        #expect(try FileBytes.read(shades.folder.path("photos/holiday.raw")) == [1, 2])
    }

    @Test("options without sense are refused by name, and so is a dataset without labels")
    func refusals() throws {
        func refusal(_ change: (inout FindAnotherOptions) -> Void) throws -> TrainingError? {
            var options = options()
            change(&options)
            return #expect(throws: TrainingError.self) { try run(options) }
        }
        #expect(try refusal { $0.rounds = 0 }?.place == .option(OptionName("rounds")))
        #expect(try refusal { $0.rounds = 1001 }?.place == .option(OptionName("rounds")))
        #expect(try refusal { $0.training.loss.lambda1 = .value(0) }?.place == .option(OptionName("lambda1")))
        #expect(
            try refusal { $0.training.loss.lambda1 = .value(-1) }?.place == .option(OptionName("lambda1")))
        #expect(try refusal { $0.training.stream.epochs = 0 }?.place == .option(OptionName("epochs")))
        var impossible = options()
        impossible.selection = .threshold(1)
        #expect(throws: ExplanationError.self) { try run(impossible) }
        var unknown = options()
        unknown.judgedSplit = "dev"
        #expect(throws: DatasetError.self) { try run(unknown) }
        #expect(try shades.folder.names() == ["d.h5"])

        let unlabelled = try TwoShades(isLabelled: false)
        let error = #expect(throws: TrainingError.self) {
            try FindAnotherLoop(dataset: unlabelled.dataset, options: options())
        }
        #expect(error?.code == .unsuitableDataset)
    }

    @Test("an unfinished folder whose record is damaged is refused with the place")
    func damagedRecord() throws {
        let options = options(rounds: 2)
        #expect(throws: Stop.self) { try run(options) { if case .done = $0 { throw Stop() } } }
        let path = "others.unfinished/find-another.json"
        let sound = try FileBytes.read(shades.folder.path(path))
        for (text, replacement) in [
            ("\"round\": 1", "\"round\": 2"), ("rrdata.find-another", "rrdata.run"), ("\"1.0\"", "\"2.0\""),
            ("{", "["),
        ] {
            let damaged = String(decoding: sound, as: UTF8.self).replacing(text, with: replacement)
            #expect(damaged != String(decoding: sound, as: UTF8.self))
            try shades.folder.write(Array(damaged.utf8), to: path)
            let error = #expect(throws: FormatError.self) { try run(options, resumes: true) }
            #expect(error?.code == .malformed && error?.path.contains("find-another.json") == true)
        }
        try shades.folder.write(sound, to: path)
        #expect(try run(options, resumes: true).count == 2)
    }
}
