import RRDatasets
import RRPreparation
import TestSupport
import Testing

@Suite("Names of samples")
struct SampleNamesTests {
    let names = SampleNames(ids: ["cat/1", "cat/2", "dog/2", "dog/3"])

    @Test("whole ids come first; only where there is none are last parts compared")
    func matching() throws {
        let exact = try names.match(["dog/2", "3", "x"], at: "s")
        #expect(exact.samples == [2, nil, nil] && exact.matching == .id)
        let parts = try names.match(["3", "folder/1", "x"], at: "s")
        #expect(parts.samples == [3, 0, nil] && parts.matching == .baseName)
        #expect(try names.match([], at: "s").samples.isEmpty)
    }

    @Test("a last part that several ids have is ambiguous, and both are named")
    func ambiguous() {
        let error = #expect(throws: DatasetError.self) { try names.match(["1", "2"], at: "s") }
        #expect(error?.code == .ambiguousName)
        #expect(error?.message.contains("“cat/2” or “dog/2”") == true)
    }

    @Test("a pattern is proposed under which names are ids")
    func proposal() {
        let ids: Set = ["7", "12", "ISIC_1"]
        func proposal(_ names: String...) -> String? {
            MaskNamePattern.proposal(for: names) { ids.contains($0) }?.description
        }
        #expect(proposal("12_mask", "7_mask") == "{id}_mask")
        #expect(proposal("x", "ISIC_1_segmentation") == "{id}_segmentation")
        #expect(proposal("mask-12", "mask-8") == "mask-{id}")
        #expect(proposal("a", "b") == nil)
    }

    @Test("ids that differ only in their normalisation are told apart by their bytes, and only by these")
    func normalisation() throws {
        let names = SampleNames(ids: ["\u{E9}", "e\u{301}", "a/\u{F6}"])
        #expect(try names.match(["e\u{301}", "\u{E9}", "a/o\u{308}"], at: "s").samples == [1, 0, 2])
        let twice = SampleNames(ids: ["\u{1EBF}", "\u{EA}\u{301}"])
        let error = #expect(throws: DatasetError.self) { try twice.match(["e\u{302}\u{301}"], at: "s") }
        #expect(error?.code == .ambiguousName)
    }
}
