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
        let remedy = try #require(findings.first?.remedy)
        #expect(
            remedy.hasPrefix(
                "rrdata import masks \(folder.path("A.npy")) --for \(folder.path("d.h5")) -o M.h5"))
    }

    struct Case: Sendable {
        let shape: [Int]
        var count = 7
        var one: UInt8 = 1
        let code: Finding.Code
        let words: String
    }

    @Test(
        "what is wrong with an array is found, with the option that repairs it",
        arguments: [
            Case(shape: [7, 5, 4, 1], code: .wrongMaskLayout, words: "--masks-layout NHWC"),
            Case(shape: [7, 1, 4, 5], code: .wrongMaskLayout, words: "--masks-layout NCWH"),
            Case(shape: [7, 1, 5, 4], one: 255, code: .nonBinaryMask, words: "0 and 255"),
            Case(shape: [7, 1, 5, 4], one: 3, code: .nonBinaryMask, words: "0, 3"),
            Case(shape: [8, 1, 5, 4], count: 8, code: .otherDataset, words: "one row too many"),
            Case(shape: [6, 1, 5, 4], count: 6, code: .otherDataset, words: "one row too few"),
            Case(shape: [4, 1, 5, 4], count: 4, code: .otherDataset, words: "--rows, --ids or --flags"),
            Case(shape: [7, 2, 10], code: .wrongMaskSize, words: "height 5 and width 4"),
        ])
    func faults(example: Case) throws {
        let findings = try findings(masks(example.count, one: example.one), example.shape)
        let finding = try #require(
            findings.first { $0.code == example.code }, "\(findings.map(\.description))")
        #expect((finding.message + (finding.remedy ?? "")).contains(example.words), "\(finding)")
        #expect(findings.contains { $0.code == .wrongFormat })
    }

    @Test("soft masks, inverted masks and masks without a 1 are told")
    func values() throws {
        let soft = [Float](repeating: 0.5, count: 140).withUnsafeBytes { Array($0) }
        #expect(
            try findings(soft, [7, 1, 5, 4], descriptor: "<f4").contains {
                $0.code == .nonBinaryMask && $0.remedy?.contains("--mask-threshold") == true
            })
        let inverted = try findings(masks(7).map { 1 - $0 }, [7, 1, 5, 4])
        #expect(inverted.map(\.code) == [.mostlyMasked, .wrongFormat])
        #expect(inverted.last?.remedy?.contains("--marks right") == true)
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
        #expect(findings.allSatisfy { $0.path == path + ":/lesion_masks" })
        #expect(findings.last?.remedy?.contains("--masks lesion_masks") == true)
    }
}
