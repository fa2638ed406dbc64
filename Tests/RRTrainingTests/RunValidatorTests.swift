import Foundation
import RRDatasets
import RRFormats
import RRNetworks
import RRPreparation
import RRSchemas
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Validating runs and models")
struct RunValidatorTests {
    private let shades: TwoShades

    init() throws {
        shades = try TwoShades()
        _ = try shades.train(shades.options)
    }

    private var path: String { shades.folder.path("run") }

    private func validate(_ fingerprint: String? = nil) throws -> [Finding] {
        try ValidationReport(runPath: path, datasetFingerprint: fingerprint).findings
    }

    /// Replaces text in a file of the run.
    private func replace(_ text: String, with other: String, in name: String) throws {
        let content = String(decoding: try FileBytes.read("\(path)/\(name)"), as: UTF8.self)
        try #require(content.contains(text))
        try FileBytes.write(Array(content.replacing(text, with: other).utf8), to: "\(path)/\(name)")
    }

    @Test("a sound run has no findings, and knows its dataset from another")
    func sound() throws {
        #expect(try validate() == [])
        #expect(try validate(shades.dataset.fingerprint) == [])
        #expect(try validate(String(repeating: "a", count: 64)).map(\.code) == [.otherDataset])
    }

    @Test("a dataset and runs that were trained on it make one report")
    func joined() throws {
        var report = try ValidationReport(datasetPath: shades.dataset.path)
        report.add(try ValidationReport(runPath: path, datasetFingerprint: report.dataset?.fingerprint))
        #expect(report.isSound && report.dataset?.sampleCount == TwoShades.sampleCount)
        report.add(try ValidationReport(runPath: path, datasetFingerprint: "another"))
        #expect(report.findings.map(\.repair) == [.giveDatasetOfRun])
        #expect(!report.isSound && report.faultCount == 1 && report.warningCount == 0)
    }

    @Test(
        "a missing file is told, whichever it is",
        arguments: ["config.json", "model.json", "weights.safetensors", "metrics.jsonl"])
    func missing(name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        let findings = try validate()
        #expect(findings.map(\.code) == [.missingFile])
        #expect(findings.first?.place == Finding.Place(file: "\(path)/\(name)"))
    }

    @Test(
        "a fault in a file is found and named",
        arguments: [
            ("config.json", "rrdata.run", "rrdata.walk", Finding.Code.wrongFormat, "rrdata.run"),
            ("config.json", "\"1.0\"", "\"2.0\"", .unsupportedVersion, "1.x"),
            ("config.json", "dataset_fingerprint", "fingerprint", .schema, "dataset_fingerprint"),
            ("config.json", "{", "", .unreadableFile, "not JSON"),
            ("metrics.jsonl", "\"loss\"", "\"lost\"", .schema, "line 1"),
            ("metrics.jsonl", "{", "", .schema, "not JSON"),
            ("model.json", "\"relu\"", "\"rleu\"", .schema, "rleu"),
            ("model.json", "\"classes\" : 2", "\"classes\" : 3", .malformedModel, "3"),
            ("model.json", "\"out\" : 50", "\"out\" : 51", .wrongWeights, "(50"),
        ])
    func faulty(name: String, text: String, other: String, code: Finding.Code, words: String) throws {
        try replace(text, with: other, in: name)
        let findings = try validate()
        let finding = try #require(findings.first { $0.code == code }, "\(findings.map(\.description))")
        #expect(finding.severity == .fault)
        #expect(finding.place.file.hasPrefix("\(path)/"))
        #expect(finding.message.contains(words), "\(finding.message)")
    }

    @Test("a bit of any file is found that makes no other fault")
    func changed() throws {
        for name in [
            "config.json", "metrics.csv", "metrics.jsonl", "model.json", "weights.safetensors", "SHA256SUMS",
            "continuation/optimizer.safetensors", "continuation/state.json",
        ] {
            let sound = try FileBytes.read("\(path)/\(name)")
            for place in stride(from: 0, to: sound.count, by: max(1, sound.count / 40)) {
                var bytes = sound
                bytes[place] ^= 1
                try FileBytes.write(bytes, to: "\(path)/\(name)")
                #expect(try !validate().isEmpty, "byte \(place) of \(name)")
            }
            try FileBytes.write(sound, to: "\(path)/\(name)")
        }
        #expect(try validate() == [])
        var weights = try FileBytes.read("\(path)/weights.safetensors")
        weights[weights.count - 4] ^= 1
        try FileBytes.write(weights, to: "\(path)/weights.safetensors")
        #expect(try validate().map(\.code) == [.changedContent])
        // A run of an earlier release has no sums.
        try FileManager.default.removeItem(atPath: "\(path)/SHA256SUMS")
        #expect(try validate() == [])
    }

    @Test("weights that are no numbers are told by name")
    func notFinite() throws {
        var tensors = try SafeTensorsFile.read(path + "/weights.safetensors")
        let first = tensors[0]
        var values = try first.values(as: Float.self)
        values[0] = .nan
        tensors[0] = SafeTensor(name: first.name, shape: first.shape, values: values)
        try SafeTensorsFile.write(tensors, to: path + "/weights.safetensors")
        let findings = try validate()
        #expect(findings.map(\.code) == [.notFinite])
        #expect(findings.first?.place.array == first.name)
    }

    @Test(
        "a model.json by itself is judged, a folder of something else is no run, and a missing one an error")
    func others() throws {
        let model = path + "/model.json"
        #expect(try ValidationReport(runPath: model).findings == [])
        try replace("\"classes\" : 2", with: "\"classes\" : \"two\"", in: "model.json")
        #expect(try ValidationReport(runPath: model).findings.map(\.code) == [.schema])
        #expect(try ValidationReport(runPath: shades.folder.path).findings.map(\.code) == [.wrongFormat])
        let error = #expect(throws: FormatError.self) {
            try ValidationReport(runPath: shades.folder.path("none"))
        }
        #expect(error?.code == .notFound)
    }
}
