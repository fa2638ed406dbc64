import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Validating arrays of other programs as masks")
struct ForeignMaskTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Findings for an NPY array beside the seven images of 5×4 in two channels.
    private func findings(
        _ elements: [UInt8], _ shape: [Int], descriptor: String = "|u1"
    ) throws -> [Finding] {
        let dataset = try SampleDataset(folder, channels: 2).write()
        let path = try folder.write(
            NPYHeader.bytes(shape: shape, descriptor: descriptor) + elements, to: "A.npy")
        return try ValidationReport(datasetPath: dataset, maskPaths: [path]).findings
    }

    /// Masks of which each has three 1s.
    private func masks(_ count: Int, size: Int = 20, one: UInt8 = 1) -> [UInt8] {
        (0..<count * size).map { $0 % size < 3 ? one : 0 }
    }

    @Test(
        "a sound array is no mask set, and the import that makes one is named",
        arguments: [[7, 1, 5, 4], [7, 5, 4]])
    func sound(shape: [Int]) throws {
        let findings = try findings(masks(7), shape)
        #expect(findings.map(\.code) == [.wrongFormat])
        #expect(
            findings.first?.repair
                == .importMasks(
                    source: folder.path("A.npy"), array: nil, dataset: folder.path("d.h5"), layout: nil,
                    marks: .wrong))
    }

    struct Case: Sendable {
        let shape: [Int]
        var count = 7
        var one: UInt8 = 1
        let code: Finding.Code
        var words = ""
        var repair: Repair?
    }

    @Test(
        "what is wrong with an array is found, with what repairs it",
        arguments: [
            Case(shape: [7, 5, 4, 1], code: .wrongMaskLayout, repair: .readMasks(layout: .nhwc)),
            Case(shape: [7, 1, 4, 5], code: .wrongMaskLayout, repair: .readMasks(layout: .ncwh)),
            Case(
                shape: [7, 1, 5, 4], one: 255, code: .nonBinaryMask, words: "0 and 255",
                repair: .importMasksOf255),
            Case(shape: [7, 1, 5, 4], one: 3, code: .nonBinaryMask, words: "0, 3"),
            Case(shape: [8, 1, 5, 4], count: 8, code: .otherDataset, words: "one row too many"),
            Case(shape: [6, 1, 5, 4], count: 6, code: .otherDataset, words: "one row too few"),
            Case(shape: [4, 1, 5, 4], count: 4, code: .otherDataset, repair: .selectMaskedSamples),
            Case(shape: [7, 2, 10], code: .wrongMaskSize, words: "height 5 and width 4"),
        ])
    func faults(example: Case) throws {
        let findings = try findings(masks(example.count, one: example.one), example.shape)
        let finding = try #require(
            findings.first { $0.code == example.code }, "\(findings.map(\.description))")
        #expect(example.words.isEmpty || finding.message.contains(example.words), "\(finding)")
        if let repair = example.repair { #expect(finding.repair == repair) }
        #expect(findings.contains { $0.code == .wrongFormat })
    }

    @Test("soft masks, inverted masks and masks without a 1 are told")
    func values() throws {
        let soft = [Float](repeating: 0.5, count: 140).withUnsafeBytes { Array($0) }
        #expect(
            try findings(soft, [7, 1, 5, 4], descriptor: "<f4").contains {
                $0.code == .nonBinaryMask && $0.repair == .thresholdMasks
            })
        let inverted = try findings(masks(7).map { 1 - $0 }, [7, 1, 5, 4])
        #expect(inverted.map(\.code) == [.mostlyMasked, .wrongFormat])
        #expect(inverted.first?.repair == .invertMasks(areImported: false))
        #expect(try findings(masks(7, one: 0), [7, 1, 5, 4]).map(\.code) == [.nothingMasked, .wrongFormat])
    }

    @Test("of several arrays in an HDF5 file the one that is called masks is judged, and named")
    func hdf5() throws {
        let dataset = try SampleDataset(folder, channels: 2).write()
        let path = try RawFile(
            arrays: [
                "/images": .bytes(masks(7), [7, 1, 5, 4]), "/lesion_masks": .bytes(masks(7), [7, 5, 4, 1]),
            ]
        ).write(to: folder.path("other.h5"))
        let findings = try ValidationReport(datasetPath: dataset, maskPaths: [path]).findings
        #expect(findings.map(\.code) == [.wrongMaskLayout, .wrongFormat])
        #expect(findings.allSatisfy { $0.place.description == path + ":/lesion_masks" })
        guard case .importMasks(_, "lesion_masks", _, .nhwc, .wrong) = findings.last?.repair else {
            Issue.record("\(findings)")
            return
        }
    }

    @Test("the import that a repair is makes a sound mask set of the array")
    func repaired() throws {
        let inverted = masks(7).map { 1 - $0 }
        let repair = try #require(findings(inverted, [7, 5, 4, 1]).last?.repair)
        let summary = try #require(repair.maskImport(output: folder.path("m.h5"))).run()
        #expect(summary.annotatedCount == 7)
        let report = try ValidationReport(
            datasetPath: folder.path("d.h5"), maskPaths: [folder.path("m.h5")])
        #expect(report.findings == [])
        #expect(Repair.chooseMaskValues.maskImport(output: "m.h5") == nil)
    }

    @Test("images that stand in another order are found, and the import that repairs it reads them")
    func repairedImages() throws {
        let path = try SampleDataset(folder, channels: 5, height: 6, width: 2).write()
        let finding = try #require(ValidationReport(datasetPath: path).findings.first)
        #expect(finding.code == .suspiciousLayout && finding.severity == .warning)
        let repair = try #require(finding.repair)
        let summary = try #require(repair.arrayImport(output: folder.path("again.h5"))).run()
        #expect(summary.imageShape.dimensions == [2, 5, 6])
    }
}
