import Foundation
import RRDatasets
import RRFormats
import RRStreaming
import RRTensor
import TestSupport
import Testing

@Suite("The batch stream")
struct BatchStreamTests {
    /// Reads a stream to its end, keeping every batch.
    private func batches(_ small: SmallDataset, _ options: StreamOptions, masks: Bool = true) throws
        -> [Batch]
    {
        let stream = try BatchStream(
            dataset: small.dataset, masks: masks ? small.masks : nil, options: options)
        var batches: [Batch] = []
        while let batch = try stream.next() { batches.append(batch) }
        #expect(try stream.next() == nil)
        return batches
    }

    @Test(
        "every sample comes exactly once an epoch, with its image, label and mask",
        arguments: [Compression.none, .deflate], [false, true])
    func content(compression: Compression, isShuffled: Bool) throws {
        let small = try SmallDataset(sampleCount: 53, compression: compression)
        let batches = try batches(
            small, StreamOptions(batchSize: 8, isShuffled: isShuffled, seed: 7, epochs: 3))
        #expect(batches.count == 3 * 7)
        for epoch in 0..<3 {
            let indices = batches.filter { $0.epoch == epoch }.flatMap(\.indices)
            #expect(indices.sorted() == (0..<53).map { Int64($0) })
            #expect((indices == indices.sorted()) == !isShuffled)
        }
        for batch in batches {
            let elementCount = batch.imageShape.elementCount
            #expect(
                batch.images.count == batch.count * elementCount && batch.masks.count == batch.images.count)
            for row in 0..<batch.count {
                let index = Int(batch.indices[row])
                let expected = small.expected(index)
                let elements = row * elementCount..<(row + 1) * elementCount
                #expect(Array(batch.images[elements]) == expected.image)
                #expect(Array(batch.masks[elements]) == expected.mask)
                #expect(batch.annotated[row] == expected.isAnnotated)
                #expect(batch.labels[row] == Int64(index % 3))
            }
        }
    }

    @Test("the order is the documented permutation, one for each seed and epoch")
    func order() throws {
        let small = try SmallDataset(sampleCount: 40)
        let order = try batches(small, StreamOptions(batchSize: 9, isShuffled: true, seed: 3, epochs: 2))
            .flatMap(\.indices)
        let expected = (0..<2).flatMap { epoch in
            let permutation = KeyedPermutation(count: 40, seed: 3, epoch: epoch)
            return (0..<40).map { Int64(permutation($0)) }
        }
        #expect(order == expected)
        #expect(Array(order[..<40]) != Array(order[40...]))
        let other = try batches(small, StreamOptions(batchSize: 9, isShuffled: true, seed: 4)).flatMap(
            \.indices)
        #expect(other != Array(order[..<40]))
    }

    @Test("a split gives its own samples; without a name it is train where there are splits")
    func splits() throws {
        let small = try SmallDataset(sampleCount: 30, splitNames: ["test", "train"])
        let train = try batches(small, StreamOptions(batchSize: 4, isShuffled: true, seed: 1)).flatMap(
            \.indices)
        let odd = Array(stride(from: Int64(1), to: 30, by: 2))
        #expect(train.sorted() == odd)
        let all = try batches(small, StreamOptions(batchSize: 4, split: "all")).flatMap(\.indices)
        #expect(all == (0..<30).map { Int64($0) })
        let error = #expect(throws: DatasetError.self) {
            try BatchStream(dataset: small.dataset, options: StreamOptions(batchSize: 4, split: "dev"))
        }
        #expect(error?.code == .unknownSplit)
    }

    @Test("the last batch is short, or left out when asked for", arguments: [false, true])
    func dropsLast(dropsLast: Bool) throws {
        let small = try SmallDataset(sampleCount: 21)
        let options = StreamOptions(batchSize: 8, epochs: 2, dropsLast: dropsLast)
        let counts = try batches(small, options).map(\.count)
        #expect(counts == (dropsLast ? [8, 8, 8, 8] : [8, 8, 5, 8, 8, 5]))
        let stream = try BatchStream(dataset: small.dataset, options: options)
        #expect(stream.batchesPerEpoch == (dropsLast ? 2 : 3))
        #expect(stream.samplesPerEpoch == (dropsLast ? 16 : 21))
        #expect(try batches(small, StreamOptions(batchSize: 100, dropsLast: true)).isEmpty)
        #expect(try batches(small, StreamOptions(batchSize: .max)).map(\.count) == [21])
    }

    @Test("more batches than a number can count are no trap")
    func manyEpochs() throws {
        let small = try SmallDataset(sampleCount: 21)
        let stream = try BatchStream(
            dataset: small.dataset, options: StreamOptions(batchSize: 8, epochs: .max))
        #expect(stream.batchCount == .max && stream.sampleCount == .max)
        #expect(try stream.next()?.count == 8)
        let few = try BatchStream(dataset: small.dataset, options: StreamOptions(batchSize: 8, epochs: 2))
        #expect(few.batchCount == 6 && few.sampleCount == 42)
    }

    @Test("absent labels are −1 and absent masks zero")
    func absences() throws {
        let small = try SmallDataset(sampleCount: 12, isLabelled: false)
        for batch in try batches(small, StreamOptions(batchSize: 5), masks: false) {
            #expect(batch.labels.allSatisfy { $0 == -1 })
            #expect(batch.masks.allSatisfy { $0 == 0 })
            #expect(!batch.annotated.contains(true))
        }
    }

    @Test("batches that a consumer keeps are never written over")
    func keptBatches() throws {
        let small = try SmallDataset(sampleCount: 64)
        let options = StreamOptions(batchSize: 4, isShuffled: true, epochs: 4)
        let kept = try batches(small, options)
        let stream = try BatchStream(dataset: small.dataset, masks: small.masks, options: options)
        var keptImages: [[Float]] = []
        while let batch = try stream.next() { keptImages.append(Array(batch.images)) }
        #expect(kept.map { Array($0.images) } == keptImages)
        for batch in kept {
            #expect(Array(batch.images[..<30]) == small.expected(Int(batch.indices[0])).image)
        }
    }

    @Test("elements that a consumer keeps without their batch are never written over")
    func keptElements() throws {
        let small = try SmallDataset(sampleCount: 64)
        let options = StreamOptions(batchSize: 4, isShuffled: true, epochs: 4)
        let stream = try BatchStream(dataset: small.dataset, masks: small.masks, options: options)
        var kept: (images: [SharedElements<Float>], indices: [SharedElements<Int64>]) = ([], [])
        var copies: (images: [[Float]], indices: [[Int64]]) = ([], [])
        while let batch = try stream.next() {
            if batch.step % 2 == 0 {
                kept.images.append(batch.images)
                copies.images.append(Array(batch.images))
            } else {
                kept.indices.append(batch.indices)
                copies.indices.append(Array(batch.indices))
            }
        }
        #expect(kept.images.count == 32 && kept.images.map { Array($0) } == copies.images)
        #expect(kept.indices.count == 32 && kept.indices.map { Array($0) } == copies.indices)
    }

    @Test("memory of images is used again where a consumer keeps only the rows of the batches")
    func reuseBesideKeptRows() throws {
        let small = try SmallDataset(sampleCount: 64)
        let stream = try BatchStream(dataset: small.dataset, options: StreamOptions(batchSize: 4, epochs: 10))
        var addresses: Set<UInt> = []
        var rows: [SharedElements<Int64>] = []
        while let batch = try stream.next() {
            batch.images.withUnsafeBufferPointer { _ = addresses.insert(UInt(bitPattern: $0.baseAddress)) }
            rows.append(batch.indices)
        }
        #expect(addresses.count <= 20, "sixteen are filled ahead, and four to spare")
        #expect(rows.flatMap { $0 } == (0..<640).map { Int64($0 % 64) })
    }

    @Test("memory of batches that are let go is used again")
    func reuse() throws {
        let small = try SmallDataset(sampleCount: 64)
        let stream = try BatchStream(dataset: small.dataset, options: StreamOptions(batchSize: 4, epochs: 10))
        var addresses: Set<UInt> = []
        while let batch = try stream.next() {
            batch.images.withUnsafeBufferPointer { _ = addresses.insert(UInt(bitPattern: $0.baseAddress)) }
        }
        #expect(addresses.count <= 20, "sixteen are filled ahead, and four to spare")
    }

    @Test("a stream that is abandoned lets its threads and its dataset go")
    func abandonment() throws {
        let small = try SmallDataset(sampleCount: 64)
        let path = small.folder.path("copy.h5")
        try FileManager.default.copyItem(atPath: small.path, toPath: path)
        for _ in 0..<50 {
            let stream = try BatchStream(
                dataset: Dataset(path: path), options: StreamOptions(batchSize: 1, epochs: 1000),
                resources: StreamResources(threadCount: 2))
            #expect(try stream.next()?.count == 1)
        }
        // Each thread holds the dataset's file open to its end, which takes a moment after the stream is gone.
        let deadline = ContinuousClock.now + .seconds(30)
        while Self.openFiles(of: path) > 0, ContinuousClock.now < deadline { usleep(1000) }
        #expect(Self.openFiles(of: path) == 0)
    }

    /// The number of times that this process has a file open.
    private static func openFiles(of path: String) -> Int {
        let folder = "/proc/self/fd"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return numbers.count { number in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(number)")) == path
        }
    }

    @Test("a damaged sample reaches the consumer as an error that names it, after the batches before it")
    func damage() throws {
        let small = try SmallDataset(sampleCount: 20)
        guard case .contiguous(let offset?) = try HDF5File(reading: small.path).dataset("/images").layout
        else {
            Issue.record("the images are not contiguous")
            return
        }
        let handle = try FileHandle(forUpdating: URL(filePath: small.path))
        try handle.seek(toOffset: UInt64(offset + 13 * 30))
        try handle.write(contentsOf: Data([~small.pixels[13 * 30]]))
        try handle.close()
        let stream = try BatchStream(dataset: Dataset(path: small.path), options: StreamOptions(batchSize: 5))
        #expect(try stream.next()?.step == 0)
        #expect(try stream.next()?.step == 1)
        let error = #expect(throws: DatasetError.self) { try stream.next() }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.message.contains("sample-13") == true)
        #expect(try stream.next() == nil)
    }

    @Test("options out of range are refused", arguments: [(0, 1), (-1, 1), (1, 0)])
    func invalidOptions(batchSize: Int, epochs: Int) throws {
        let small = try SmallDataset(sampleCount: 2)
        let error = #expect(throws: DatasetError.self) {
            try BatchStream(
                dataset: small.dataset, options: StreamOptions(batchSize: batchSize, epochs: epochs))
        }
        #expect(error?.code == .invalidOption)
    }

    @Test("masks of another dataset are refused, by number of samples and by pixels")
    func otherMasks() throws {
        let small = try SmallDataset(sampleCount: 20)
        let larger = try SmallDataset(sampleCount: 21)
        let wrongCount = #expect(throws: DatasetError.self) {
            try BatchStream(dataset: small.dataset, masks: larger.masks, options: StreamOptions(batchSize: 5))
        }
        #expect(wrongCount?.code == .otherDataset)
        #expect(wrongCount?.message.contains("21") == true && wrongCount?.message.contains("20") == true)
        let split = try SmallDataset(sampleCount: 20, isLabelled: false)
        let wrongContent = #expect(throws: DatasetError.self) {
            try BatchStream(dataset: small.dataset, masks: split.masks, options: StreamOptions(batchSize: 5))
        }
        #expect(wrongContent?.code == .otherDataset)
    }
}
