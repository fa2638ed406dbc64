import RRDatasets
@testable import RRStreaming
import RRTensor
import TestSupport
import Testing

@Suite("What another sample shows inside its mask")
struct RegionSwapStreamTests {
    /// Twelve images of 4 × 4 whose pixels are their number times 16 and their place; the masks of the even ones mark the left
    /// half, that of sample 0 the right half.
    private struct Numbered {
        let folder: TemporaryFolder
        let dataset: Dataset
        let masks: MaskSet

        init(annotated: (Int) -> Bool = { $0 % 2 == 0 }) throws {
            folder = try TemporaryFolder()
            var sample = try SampleDataset(
                folder, images: (0..<12).map { image in (0..<16).map { UInt8(16 * image + $0) } },
                of: ImageShape(channels: 1, height: 4, width: 4))
            sample.labels = (0..<12).map { $0 % 3 }
            sample.maskBits = try MaskBits(rowCount: 3, elementsPerRow: 16)
            for position in 0..<16 { sample.maskBits[position % 4 < 2 ? 0 : 1, position] = true }
            sample.maskRows = (0..<12).map { !annotated($0) ? 2 : $0 == 0 ? 1 : 0 }
            dataset = try sample.dataset()
            masks = try sample.masks(dataset.fingerprint)
        }

        func batches(
            epochs: Int = 1, threads: Int = 1, augmentation: Augmentation? = nil, seed: UInt64 = 5
        ) throws -> [Batch] {
            var options = StreamOptions(
                batchSize: 5, isShuffled: true, seed: seed, epochs: epochs, augmentation: augmentation)
            options.swapsRegions = true
            let stream = try BatchStream(
                dataset: dataset, masks: masks, options: options,
                resources: StreamResources(threadCount: threads))
            var batches: [Batch] = []
            while let batch = try stream.next() { batches.append(batch) }
            return batches
        }
    }

    @Test("a mask is filled by another annotated sample, whose object is erased, and the rest is as it was")
    func filled() throws {
        let numbered = try Numbered()
        var donors: [Int: Set<Int>] = [:]
        for batch in try numbered.batches(epochs: 60) {
            for row in 0..<batch.count {
                let index = Int(batch.indices[row])
                let pixels = (0..<16).map { Int((batch.counterexamples[row * 16 + $0] * 255).rounded()) }
                guard index % 2 == 0 else {
                    #expect(pixels.allSatisfy { $0 == 0 })
                    continue
                }
                let marked = (0..<16).filter { batch.masks[row * 16 + $0] != 0 }
                let donor = try #require(marked.first.map { pixels[$0] / 16 })
                donors[index, default: []].insert(donor)
                for place in 0..<16 {
                    let (line, column) = (place / 4, place % 4)
                    // Of the donor's mask the nearest column: its right half where the donor is sample 0.
                    let nearest = donor == 0 ? max(column, 2) : min(column, 1)
                    let expected =
                        marked.contains(place) ? 16 * donor + 4 * line + nearest : 16 * index + place
                    #expect(pixels[place] == expected)
                }
            }
        }
        for index in stride(from: 0, to: 12, by: 2) {
            #expect(donors[index] == Set(stride(from: 0, to: 12, by: 2)).subtracting([index]))
        }
    }

    @Test("it is the same whatever the threads, and follows the random changes of both images")
    func determined() throws {
        let numbered = try Numbered()
        func content(_ batches: [Batch]) -> [[Float]] { batches.map { Array($0.counterexamples) } }
        let plain = try content(numbered.batches(epochs: 2))
        for threads in [2, 4] {
            #expect(try content(numbered.batches(epochs: 2, threads: threads)) == plain)
        }
        #expect(try content(numbered.batches(epochs: 2, seed: 6)) != plain)
        let flip = try Augmentation("hflip,crop:1")
        let changed = try numbered.batches(epochs: 3, augmentation: flip)
        #expect(try content(numbered.batches(epochs: 3, threads: 3, augmentation: flip)) == content(changed))
        for batch in changed {
            for place in 0..<batch.count * 16 where batch.annotated[place / 16] && batch.masks[place] == 0 {
                #expect(batch.counterexamples[place] == batch.images[place])
            }
        }
    }

    @Test("fewer than two annotated samples, no masks and stored images are refused")
    func refused() throws {
        let numbered = try Numbered { $0 == 4 }
        #expect(throws: DatasetError.self) { try numbered.batches() }
        var options = StreamOptions(batchSize: 4)
        options.swapsRegions = true
        for (masks, isStored) in [(nil, false), (numbered.masks, true)] as [(MaskSet?, Bool)] {
            let error = #expect(throws: DatasetError.self) {
                try BatchStream(
                    dataset: numbered.dataset, masks: masks, options: options, givesStoredImages: isStored)
            }
            #expect(error?.code == .invalidOption)
        }
    }
}
