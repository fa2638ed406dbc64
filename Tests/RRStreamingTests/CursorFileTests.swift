import Foundation
import RRDatasets
import RRFormats
import RRSchemas
import RRStreaming
import RRTensor
import TestSupport
import Testing

@Suite("The cursor's file")
struct CursorFileTests {
    private let small: SmallDataset
    private let folder: TemporaryFolder
    private var options = StreamOptions(batchSize: 4, isShuffled: true, seed: .max, epochs: 3)

    init() throws {
        small = try SmallDataset(sampleCount: 20)
        folder = try TemporaryFolder()
        options.annotatedFraction = 1
        options.augmentation = try Augmentation("hflip")
    }

    private func file(
        _ options: StreamOptions? = nil, dataset: Dataset? = nil, masks: MaskSet?? = nil
    ) throws -> CursorFile {
        try CursorFile(
            path: folder.path("c.json"), dataset: dataset ?? small.dataset, masks: masks ?? small.masks,
            options: options ?? self.options)
    }

    @Test("a place that is written reads back, over the one before, for any rank; no file is no place")
    func roundTrip() throws {
        #expect(try file().read() == nil)
        try file().write(StreamPosition(epoch: 1, position: 12))
        try file().write(StreamPosition(epoch: 2, position: 8))
        var other = options
        (other.rank, other.world) = (2, 3)
        #expect(try file(other).read() == StreamPosition(epoch: 2, position: 8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["c.json"])
        let json = try JSONValue(parsing: [UInt8](Data(contentsOf: URL(filePath: folder.path("c.json")))))
        #expect(json["format"] == "rrdata.cursor" && json["format_version"] == "1.0")
        #expect(json["order_version"] == 1)
        #expect(try json["dataset_fingerprint"]?.stringValue == small.dataset.fingerprint)
        #expect(json["seed"] == "18446744073709551615")
        #expect(json["epoch"] == 2 && json["position"] == 8)
    }

    @Test("another option is refused by its name")
    func otherOption() throws {
        try file().write(StreamPosition(epoch: 0, position: 4))
        let changes: [(String, (inout StreamOptions) throws -> Void)] = [
            ("seed", { $0.seed = 7 }), ("batchSize", { $0.batchSize = 5 }),
            ("isShuffled", { $0.isShuffled = false }), ("epochs", { $0.epochs = 4 }),
            ("split", { $0.split = "other" }), ("dropsLast", { $0.dropsLast = true }),
            ("balance", { $0.balance = .weights([1, 2, 3]) }),
            ("annotatedOnly", { $0.annotatedOnly = true }),
            ("annotatedFraction", { $0.annotatedFraction = 0.5 }), ("ids", { $0.ids = ["sample-1"] }),
            ("augmentation", { $0.augmentation = try Augmentation("vflip") }),
        ]
        for (name, change) in changes {
            var other = options
            try change(&other)
            let error = #expect(throws: DatasetError.self) { try file(other).read() }
            #expect(error?.code == .invalidOption && error?.message.contains("`\(name)` ") == true, "\(name)")
        }
    }

    @Test("the list of ids counts as a set")
    func ids() throws {
        var (one, same, other) = (options, options, options)
        one.ids = ["sample-1", "sample-2"]
        same.ids = ["sample-2", "sample-1"]
        other.ids = ["sample-1", "sample-3"]
        try file(one).write(.beginning)
        #expect(try file(same).read() == .beginning)
        #expect(throws: DatasetError.self) { try file(other).read() }
    }

    @Test("another dataset and other masks are refused as such")
    func otherData() throws {
        try file().write(.beginning)
        let larger = try SmallDataset(sampleCount: 21)
        let dataset = #expect(throws: DatasetError.self) {
            try file(dataset: larger.dataset, masks: larger.masks).read()
        }
        #expect(dataset?.code == .otherDataset && dataset?.message.contains("dataset") == true)
        var bits = small.masks.bits
        bits[3, 2].toggle()
        let masks = try MaskSet(
            bits: bits, rows: small.masks.rows, maskShape: small.masks.maskShape,
            datasetFingerprint: small.masks.datasetFingerprint)
        for other in [masks, nil] {
            let error = #expect(throws: DatasetError.self) { try file(masks: .some(other)).read() }
            #expect(error?.code == .otherDataset && error?.message.contains("mask set") == true)
        }
    }

    @Test(
        "a file that is no cursor is refused",
        arguments: [
            ("", FormatError.Code.malformed), ("{", .malformed), ("[]", .malformed),
            ("{\"format\":\"x\"}", .malformed),
            ("\"format_version\": \"1.0\"→\"format_version\": \"2.0\"", .unsupported),
            ("\"order_version\": 1→\"order_version\": 2", .unsupported),
            ("\"epoch\": 0→\"epoch\": -1", .malformed), ("\"position\": 4→\"position\": 4.5", .malformed),
            ("\"position\": 4→\"place\": 4", .malformed),
        ])
    func malformed(change: String, code: FormatError.Code) throws {
        try file().write(StreamPosition(epoch: 0, position: 4))
        let url = URL(filePath: folder.path("c.json"))
        let parts = change.components(separatedBy: "→")
        let text = try String(contentsOf: url, encoding: .utf8)
        let broken = parts.count == 1 ? change : text.replacing(parts[0], with: parts[1])
        #expect(broken != text)
        try Data(broken.utf8).write(to: url)
        let error = #expect(throws: FormatError.self) { try file().read() }
        #expect(error?.code == code)
    }

    @Test("a place that cannot be written is an error")
    func unwritable() throws {
        let file = try CursorFile(
            path: folder.path("none/c.json"), dataset: small.dataset, masks: nil, options: options)
        let error = #expect(throws: FormatError.self) { try file.write(.beginning) }
        #expect(error?.code == .cannotWrite)
    }
}
