import Foundation
import RRDatasets
import RRExplanation
import RRFormats
import RRNetworks
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("masks that the library makes and those of make-masks")
struct MaskMakingLibraryTests {
    let folder: TemporaryFolder
    let workshop: TemporaryFolder
    let dataset: Dataset

    init() throws {
        folder = try TemporaryFolder()
        workshop = try Workshop.shared.get()
        dataset = try Dataset(path: workshop.path("decoy.h5"))
    }

    /// Runs make-masks for the workshop's dataset, from whose folder it also takes its run.
    private func command(_ arguments: String..., output: String) throws {
        let outcome = try CommandLineTool.run(
            ["make-masks", "decoy.h5"] + arguments + ["-o", folder.path(output)], in: workshop.path)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func expectSame(_ name: String, _ other: String) throws {
        let (first, second) = try (
            Data(contentsOf: URL(filePath: folder.path(name))),
            Data(contentsOf: URL(filePath: folder.path(other)))
        )
        #expect(first == second, "\(name) and \(other)")
    }

    private func run() throws -> Run { try Run(path: workshop.path("plain")) }

    @Test("those of a run are the same bytes", arguments: Precision.allCases)
    func ofRun(precision: Precision) throws {
        try command(
            "--run", "plain", "--top-k", "64", "--precision", precision.rawValue, output: "command.h5")
        let summary = try MaskMaking(dataset: dataset, selection: .top(count: 64)).write(
            run(), to: folder.path("library.h5"), precision: precision)
        try expectSame("command.h5", "library.h5")
        #expect(summary.annotatedCount == Workshop.sampleCount)
        #expect(summary.oneCount == 64 * Workshop.sampleCount)
    }

    @Test("every option is the same for both")
    func options() throws {
        let older = workshop.path("masks.h5")
        try command(
            "--run", "plain", "--top-fraction", "0.1", "--per-pixel", "--target", "predicted", "--smooth",
            "2",
            "--smooth-noise", "0.3", "--seed", "5", "--union", older, "--split", "test", "--jobs", "3",
            output: "command.h5")
        var making = MaskMaking(dataset: dataset, selection: .topFraction(0.1))
        making.isPerPixel = true
        making.target = .predicted
        making.smoothing = GradientSmoothing(copyCount: 2, deviation: 0.3, seed: 5)
        making.union = try MaskSet(path: older, for: dataset)
        making.split = "test"
        making.threadCount = 1
        let summary = try making.write(run(), to: folder.path("library.h5"))
        try expectSame("command.h5", "library.h5")
        #expect(summary.sampleCount == 60)
        // In memory they are the same masks.
        let network = try Network<Double>(run().model)
        making.normalization = try run().normalization
        let (masks, _) = try making.run(network: network, parameters: run().parameters(of: network))
        let file = try MaskSet(path: folder.path("library.h5"), for: dataset)
        #expect(masks.fingerprint() == file.fingerprint())
    }

    @Test("those of each class are the same bytes, and an output that exists is replaced only by force")
    func ofClasses() throws {
        try command("--run", "plain", "--threshold", "0.5", "--per-class", output: "command")
        let making = MaskMaking(dataset: dataset, selection: .threshold(0.5))
        let path = folder.path("library")
        var done = 0
        let summaries = try making.writeClasses(run(), to: path) { count, total in
            done = count
            #expect(total == 10 * Workshop.sampleCount)
        }
        #expect(summaries.count == 10 && done == 10 * Workshop.sampleCount)
        for index in 0..<10 { try expectSame("command/class-\(index).h5", "library/class-\(index).h5") }
        let error = try #require(throws: FormatError.self) { try making.writeClasses(run(), to: path) }
        #expect(error.code == .outputExists)
        #expect(try making.writeClasses(run(), to: path, force: true).count == 10)
    }

    @Test("those of stored gradients are the same bytes")
    func ofGradients() throws {
        let size = dataset.imageShape.elementCount
        let values = (0..<Workshop.sampleCount * size).map { Float($0 &* 7919 % 1009) - 500 }
        try folder.write(
            NPYHeader.bytes(shape: [Workshop.sampleCount, size], descriptor: "<f4")
                + values.withUnsafeBytes { Array($0) }, to: "g.npy")
        let gradients = folder.path("g.npy")
        try command("--gradients", gradients, "--top-k", "9", output: "command.h5")
        let summary = try MaskMaking(dataset: dataset, selection: .top(count: 9))
            .write(gradientsAt: gradients, to: folder.path("library.h5"))
        try expectSame("command.h5", "library.h5")
        #expect(summary.zeroGradientCount == 0 && summary.oneCount == 9 * Workshop.sampleCount)
    }
}
