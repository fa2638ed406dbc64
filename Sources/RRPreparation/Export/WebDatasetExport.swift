internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor
internal import Synchronization

/// Writes a dataset as tar shards in the form of WebDataset: `000000.tar`, `000001.tar`, …, and `export.json`.
///
/// A sample has `KEY.png` (`KEY.npy`, `(C, H, W)`, where PNG cannot hold its image), `KEY.cls` with its label and
/// `KEY.group` with its group in decimal digits where it has them, and where masks are given `KEY.mask.png`, black throughout where the sample has none. The key is the
/// id with every byte but ASCII letters, digits, `-` and `_` as `%` and two hexadecimal digits: WebDataset's readers end
/// a key at its first point, and Python's `urllib.parse.unquote` gives the id back. A shard holds samples of one split.
public struct WebDatasetExport: Sendable {
    public let source: ExportSource
    public let output: String
    /// The samples in a shard; the last of a split may have fewer.
    public var samplesPerShard = 1000
    /// The number of threads that encode; it has no effect on the result.
    public var threadCount = Workers.coreCount
    /// Whether an earlier export is replaced.
    public var force = false

    public init(source: ExportSource, output: String) {
        self.source = source
        self.output = output
    }

    /// Exports; the same dataset makes the same bytes.
    ///
    /// - Parameter progress: called with the number of samples done and the number of all.
    /// - Throws: `DatasetError` with the code `invalidOption` (fewer than one sample a shard), `unsupported` (masks
    ///   that differ from channel to channel), `unsafeId` for an empty id or `checksumMismatch`; `FormatError` where a
    ///   file cannot be read or written. Nothing is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ExportSummary {
        guard samplesPerShard >= 1 else {
            throw DatasetError(
                .invalidOption, path: output, "a shard needs at least one sample, not \(samplesPerShard)")
        }
        if let index = source.ids.firstIndex(of: "") {
            throw DatasetError(
                .unsafeId, path: source.dataset.path, "sample \(index) has an empty id, which is no key")
        }
        let folder = try ExportFolder(path: output, force: force, markName: "export.json")
        var shards: [(name: String, samples: Range<Int>)] = []
        for samples in shardRanges() {
            let digits = String(shards.count)
            let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".tar"
            try write(samples, to: name, in: folder, progress: progress)
            shards.append((name, samples))
        }
        var members = try source.markMembers()
        members["kind"] = "webdataset"
        members["key"] = "the id, percent-encoded"
        members["shards"] = .array(
            shards.map { name, samples in
                var shard: [String: JSONValue] = [
                    "file": .string(name), "samples": .integer(samples.count),
                ]
                if let splits = source.splits {
                    shard["split"] = .string(source.splitNames[Int(splits[samples.lowerBound])])
                }
                return .object(shard)
            })
        try folder.writeMark(members)
        try folder.commit()
        return ExportSummary(
            path: folder.path, sampleCount: source.count,
            annotatedCount: source.masks.map { _ in source.annotatedCount }, masksPath: nil,
            files: shards.map(\.name), notes: [])
    }

    /// The id as a key.
    static func key(of id: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var key: [UInt8] = []
        for byte in id.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                key.append(byte)
            default: key += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: key, as: UTF8.self)
    }

    /// The positions of each shard: a new one begins where one is full or the split changes.
    private func shardRanges() -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for position in 1...source.count {
            let isChange = position < source.count && source.splits.map { $0[position] != $0[start] } ?? false
            guard position == source.count || position - start == samplesPerShard || isChange else {
                continue
            }
            ranges.append(start..<position)
            start = position
        }
        return ranges
    }

    /// The members of a sample, in order.
    private typealias Members = [(suffix: String, bytes: [UInt8])]

    private func write(
        _ samples: Range<Int>, to name: String, in folder: ExportFolder, progress: (Int, Int) -> Void
    ) throws {
        let tar = try TarWriter(
            creating: folder.temporaryPath + "/" + name, path: folder.path + "/" + name)
        let workers = Workers(count: threadCount)
        // About 32 MB of images at a time, and enough of them to keep every thread busy.
        let blockCount = max(threadCount, min(1024, (32 << 20) / source.dataset.imageSize))
        for start in stride(from: samples.lowerBound, to: samples.upperBound, by: blockCount) {
            let positions = start..<min(start + blockCount, samples.upperBound)
            let encoded = Mutex<[Members]>(Array(repeating: [], count: positions.count))
            try workers.run(parts: positions, makeState: { (SampleReader(source), PNGEncoder()) }) {
                worker, position in
                let members = try self.members(of: position, reader: worker.0, encoder: worker.1)
                encoded.withLock { $0[position - start] = members }
            }
            for (members, position) in zip(encoded.withLock({ $0 }), positions) {
                let key = Self.key(of: source.ids[position])
                for (suffix, bytes) in members { try tar.add(key + suffix, bytes) }
            }
            progress(positions.upperBound, source.count)
        }
        try tar.close()
    }

    private func members(of position: Int, reader: SampleReader, encoder: PNGEncoder) throws -> Members {
        let dataset = source.dataset
        let shape = dataset.imageShape
        var members: Members = []
        if dataset.elementType != .float32, 1...4 ~= shape.channels {
            let header = PNGHeader(
                width: shape.width, height: shape.height, channels: shape.channels,
                bitDepth: dataset.elementType.size * 8)
            members.append((".png", try encoder.encode(reader.image(position, layout: .nhwc), of: header)))
        } else {
            let head = NPYHeader.bytes(
                shape: shape.dimensions, descriptor: dataset.elementType.npyDescriptor)
            members.append((".npy", head + Array(try reader.image(position, layout: .nchw))))
        }
        if let labels = source.labels { members.append((".cls", Array(String(labels[position]).utf8))) }
        if let groups = source.groups {
            members.append((".group", Array(String(groups.numbers[position]).utf8)))
        }
        if let masks = source.masks {
            members.append((".mask.png", try reader.maskPNG(position, of: masks, encoder: encoder)))
        }
        return members
    }
}
