import Foundation
import RRDatasets
import RRFormats
import RRStreaming
import TestSupport
import Testing

@Suite("What a stream reads from")
struct StreamSourceTests {
    private func contents(_ stream: BatchStream) throws -> [BatchContent] {
        var contents: [BatchContent] = []
        while let batch = try stream.next() { contents.append(BatchContent(batch)) }
        return contents
    }

    /// 5,000 samples of 30 bytes: 19 blocks of 8 KB.
    private static let sampleCount = 5000
    private static let options = StreamOptions(batchSize: 96, isShuffled: true, seed: 5, epochs: 2)
    /// Two batches of 96 samples of 30 floats, 30 mask bytes and 17 more.
    private static let least = 2 * 96 * (120 + 30 + 17)

    @Test(
        "batches are the same for any number of threads and any memory",
        arguments: [Compression.none, .deflate], [1, 3])
    func resources(compression: Compression, threads: Int) throws {
        // 8 blocks of 8 KB, more than the least memory keeps.
        let small = try SmallDataset(sampleCount: 2000, compression: compression)
        let expected = try contents(
            BatchStream(dataset: small.dataset, masks: small.masks, options: Self.options))
        #expect(expected.count == 2 * 21)
        for batch in expected {
            for (row, index) in batch.indices.enumerated() {
                let sample = small.expected(Int(index))
                #expect(Array(batch.images[row * 30..<row * 30 + 30]) == sample.image)
                #expect(Array(batch.masks[row * 30..<row * 30 + 30]) == sample.mask)
            }
        }
        for memory in [Self.least, Self.least + 100_000, 10_000_000] {
            // Opened anew, so that checksums are verified again.
            let stream = try BatchStream(
                dataset: Dataset(path: small.path), masks: small.masks, options: Self.options,
                resources: StreamResources(memory: memory, threadCount: threads))
            #expect(try contents(stream) == expected)
        }
    }

    @Test("too little memory for two batches is refused, with the size that they need")
    func tooLittleMemory() throws {
        let small = try SmallDataset(sampleCount: 200)
        let error = #expect(throws: DatasetError.self) {
            try BatchStream(
                dataset: small.dataset, options: Self.options,
                resources: StreamResources(memory: Self.least - 1))
        }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("\(Self.least) bytes") == true)
    }

    @Test("images as stored are the bytes of the file", arguments: [Compression.none, .deflate])
    func stored(compression: Compression) throws {
        let small = try SmallDataset(sampleCount: 70, compression: compression)
        let stream = try BatchStream(
            dataset: small.dataset, masks: small.masks,
            options: StreamOptions(batchSize: 9, isShuffled: true, seed: 2), givesStoredImages: true)
        while let batch = try stream.next() {
            #expect(batch.images.isEmpty)
            let expected = batch.indices.flatMap { small.pixels[Int($0) * 30..<Int($0) * 30 + 30] }
            #expect(Array(batch.storedImages) == expected)
        }
    }

    @Test(
        "a file cut short or written to under the stream is an error that names a sample, not wrong data",
        arguments: [Compression.none, .deflate], [true, false])
    func changedFile(compression: Compression, isCut: Bool) throws {
        let small = try SmallDataset(sampleCount: Self.sampleCount, compression: compression)
        let stream = try BatchStream(
            dataset: Dataset(path: small.path), masks: small.masks,
            options: StreamOptions(batchSize: 8, isShuffled: true, epochs: .max),
            resources: StreamResources(memory: 4000))
        _ = try stream.next()
        let handle = try FileHandle(forUpdating: URL(filePath: small.path))
        if isCut {
            try handle.truncate(atOffset: handle.seekToEnd() / 2)
        } else {
            // As whole as before, and of the same size.
            let size = try handle.seekToEnd()
            try handle.seek(toOffset: size / 2)
            try handle.write(contentsOf: Data([0, 1, 2, 3]))
        }
        try handle.close()
        var error: (any Error)?
        // The batches that were ready come first.
        for _ in 0..<8 where error == nil {
            do {
                let batch = try #require(try stream.next())
                for (row, index) in batch.indices.enumerated() {
                    #expect(
                        Array(batch.images[row * 30..<row * 30 + 30]) == small.expected(Int(index)).image)
                }
            } catch let caught {
                error = caught
            }
        }
        let fault = try #require(error as? StreamError)
        #expect(fault.code == .fileChanged && (0..<Self.sampleCount).contains(fault.index))
        if !isCut { #expect(fault.description.contains("sample-\(fault.index)”")) }
        #expect(try stream.next() == nil)
    }

    @Test("a file that is replaced by another of its name is streamed to its end as it was")
    func replacedFile() throws {
        let small = try SmallDataset(sampleCount: 500)
        let stream = try BatchStream(
            dataset: Dataset(path: small.path), options: StreamOptions(batchSize: 8),
            resources: StreamResources(memory: 4000))
        _ = try stream.next()
        try small.folder.write([1, 2, 3], to: "new")
        #expect(rename(small.folder.path("new"), small.path) == 0)
        var last: Batch?
        while let batch = try stream.next() { last = batch }
        #expect(try Array(#require(last).images.suffix(30)) == small.expected(499).image)
    }

    @Test("an asynchronous loop gives the same batches")
    func asynchronous() async throws {
        let small = try SmallDataset(sampleCount: 500)
        let options = StreamOptions(batchSize: 7, isShuffled: true, seed: 1, epochs: 2)
        let expected = try contents(BatchStream(dataset: small.dataset, masks: small.masks, options: options))
        var found: [BatchContent] = []
        for try await batch in try BatchStream(dataset: small.dataset, masks: small.masks, options: options) {
            found.append(BatchContent(batch))
        }
        #expect(found == expected)
    }

    @Test("an error reaches an asynchronous loop")
    func asynchronousError() async throws {
        let small = try SmallDataset(sampleCount: 500)
        let stream = try BatchStream(
            dataset: small.dataset, options: StreamOptions(batchSize: 7, epochs: .max))
        var count = 0
        await #expect(throws: StreamError.self) {
            for try await _ in stream {
                count += 1
                if count == 3 { try Data([1]).write(to: URL(filePath: small.path), options: []) }
            }
        }
        #expect(count >= 3)
    }

    @Test("a cancelled task ends its loop, and a cancelled stream is at its end")
    func cancellation() async throws {
        let small = try SmallDataset(sampleCount: 500)
        let (dataset, masks) = (small.dataset, small.masks)
        let task = Task {
            let stream = try BatchStream(
                dataset: dataset, masks: masks, options: StreamOptions(batchSize: 7, epochs: .max))
            var count = 0
            for try await _ in stream { count += 1 }
            return count
        }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        let result = await task.result
        #expect(throws: CancellationError.self) { try result.get() }

        let stream = try BatchStream(dataset: dataset, options: StreamOptions(batchSize: 7, epochs: .max))
        #expect(try stream.next() != nil)
        stream.cancel()
        #expect(try stream.next() == nil)
    }
}
