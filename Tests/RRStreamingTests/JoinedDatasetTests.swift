import RRDatasets
import RRStreaming
import RRTensor
import TestSupport
import Testing

@Suite("Several files as one dataset")
struct JoinedDatasetTests {
    /// The order of the samples of a small dataset that a part of it keeps.
    private func joined(_ small: [SmallDataset]) throws -> Dataset {
        try Dataset.joining(small.map(\.path))
    }

    @Test("samples of each file come in turn, with their images, labels and masks", arguments: [false, true])
    func content(isDeflated: Bool) throws {
        let small = try [
            SmallDataset(sampleCount: 40, idPrefix: "a"),
            SmallDataset(sampleCount: 3000, compression: isDeflated ? .deflate : .none, idPrefix: "b"),
            SmallDataset(sampleCount: 7, idPrefix: "c"),
        ]
        let dataset = try joined(small)
        #expect(dataset.sampleCount == 3047 && dataset.labels?.count == 3047)
        #expect(try dataset.ids().first == "a0" && dataset.ids().last == "c6")
        // The second file has no masks.
        let paths = try [0, 2].map { try small[$0].writeMasks() }
        let masks = try MaskSet.joining(paths.reversed(), for: dataset)
        let stream = try BatchStream(
            dataset: dataset, masks: masks, options: StreamOptions(batchSize: 64, isShuffled: true, seed: 4))
        var count = 0
        while let batch = try stream.next() {
            for (row, index) in batch.indices.enumerated() {
                let part = index < 40 ? 0 : index < 3040 ? 1 : 2
                let expected = small[part].expected(Int(index) - [0, 40, 3040][part])
                #expect(Array(batch.images[row * 30..<row * 30 + 30]) == expected.image)
                let mask = part == 1 ? Array(repeating: 0, count: 30) : expected.mask
                #expect(Array(batch.masks[row * 30..<row * 30 + 30]) == mask)
                #expect(batch.labels[row] == Int64((Int(index) - [0, 40, 3040][part]) % 3))
                count += 1
            }
        }
        #expect(count == 3047)
    }

    @Test("splits are joined by name")
    func splits() throws {
        let small = try [
            SmallDataset(sampleCount: 4, splitNames: ["test", "train"], idPrefix: "a"),
            SmallDataset(sampleCount: 4, splitNames: ["train", "val"], idPrefix: "b"),
        ]
        let dataset = try joined(small)
        #expect(dataset.splitNames == ["test", "train", "val"])
        #expect(try dataset.indices(inSplit: "train") == [1, 3, 4, 6])
    }

    @Test("files that do not fit each other are refused, by what differs")
    func refusals() throws {
        let one = try SmallDataset(sampleCount: 4, idPrefix: "a")
        func code(_ other: SmallDataset) -> DatasetError.Code? {
            #expect(throws: DatasetError.self) { try joined([one, other]) }?.code
        }
        #expect(try code(SmallDataset(sampleCount: 5, idPrefix: "a")) == .duplicateId)
        #expect(try code(SmallDataset(sampleCount: 5, isLabelled: false, idPrefix: "b")) == .wrongAttribute)
        #expect(try code(SmallDataset(sampleCount: 5, splitNames: ["x"], idPrefix: "b")) == .wrongAttribute)
        #expect(throws: DatasetError.self) { try Dataset.joining([]) }
        let two = try SmallDataset(sampleCount: 5, idPrefix: "b")
        let masks = try one.writeMasks()
        let twice = #expect(throws: DatasetError.self) {
            try MaskSet.joining([masks, masks], for: joined([one, two]))
        }
        #expect(twice?.code == .duplicateMask)
        let three = try SmallDataset(sampleCount: 6, idPrefix: "c")
        let strange = try three.writeMasks()
        let other = #expect(throws: DatasetError.self) {
            try MaskSet.joining([masks, strange], for: joined([one, two]))
        }
        #expect(other?.code == .otherDataset)
    }
}
