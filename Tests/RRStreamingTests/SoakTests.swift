import Glibc
import RRDatasets
import RRStreaming
import TestSupport
import Testing

private let soakMinutes = getenv("RRDATA_SOAK_MINUTES").flatMap { Double(String(cString: $0)) } ?? 0

/// Streams that are opened, read a little and left, over and over in one process; `make soak` gives them their time.
@Suite("Hours of streams", .serialized, .enabled(if: soakMinutes > 0))
struct SoakTests {
    /// What the process holds of the system.
    private struct Holdings {
        let descriptors: Int
        let threads: Int
        /// Resident, in megabytes.
        let memory: Double

        init() throws {
            descriptors = try Self.count("/proc/self/fd")
            threads = try Self.count("/proc/self/task")
            let file = try #require(fopen("/proc/self/statm", "r"))
            defer { fclose(file) }
            var pages = [CChar](repeating: 0, count: 256)
            let line = try #require(fgets(&pages, 256, file).map { String(cString: $0) })
            let resident = try #require(line.split(separator: " ").dropFirst().first.flatMap { Double($0) })
            memory = resident * Double(sysconf(Int32(_SC_PAGESIZE))) / Double(1 << 20)
        }

        private static func count(_ path: String) throws -> Int {
            let folder = try #require(opendir(path))
            defer { closedir(folder) }
            var count = 0
            while readdir(folder) != nil { count += 1 }
            return count
        }
    }

    @Test(
        "streams that are cancelled, dropped or read to their end leave no memory, descriptor or thread behind",
        arguments: [Compression.none, .deflate])
    func abandonedStreams(compression: Compression) async throws {
        let small = try SmallDataset(sampleCount: 300, compression: compression)
        let masksPath = try small.writeMasks()
        let clock = ContinuousClock()
        let length = Duration.seconds(soakMinutes * 60 / 2)
        let start = clock.now
        var count = 0
        var early: Holdings?
        while clock.now - start < length {
            try await abandon(number: count, path: small.path, masksPath: masksPath)
            count += 1
            // What the run-time libraries keep once they have had to, they have by then.
            if early == nil, clock.now - start > length / 4 { early = try Holdings() }
        }
        let (before, after) = (try #require(early), try Holdings())
        print("\(count) streams, \(before) and at the end \(after)")
        #expect(after.descriptors <= before.descriptors)
        #expect(after.threads <= before.threads + 8)
        #expect(after.memory <= before.memory + 16)
    }

    /// Opens the files and a stream, takes some batches, and leaves it in one of the ways there are.
    private func abandon(number: Int, path: String, masksPath: String) async throws {
        let dataset = try Dataset(path: path)
        let masks = try MaskSet(path: masksPath, for: dataset)
        var options = StreamOptions(batchSize: 16)
        options.isShuffled = true
        options.seed = UInt64(number)
        options.epochs = 3
        options.augmentation = try Augmentation("hflip,crop:1,cutout:2,brightness:0.2,erase")
        let stream = try BatchStream(dataset: dataset, masks: masks, options: options)
        let wanted = number * 7 % 60
        switch number % 4 {
        case 0:
            for _ in 0..<wanted { _ = try stream.next() }
            stream.cancel()
            #expect(try stream.next() == nil)
        case 1:
            for _ in 0..<wanted { _ = try stream.next() }
        case 2:
            let cursor = try CursorFile(
                path: path + ".json", dataset: dataset, masks: masks, options: options)
            while let batch = try stream.next() { try cursor.write(batch.next) }
            unlink(path + ".json")
        default:
            let reading = Task {
                var count = 0
                for try await _ in stream { count += 1 }
                return count
            }
            for _ in 0..<number % 5 { await Task.yield() }
            reading.cancel()
            _ = await reading.result
        }
    }
}
