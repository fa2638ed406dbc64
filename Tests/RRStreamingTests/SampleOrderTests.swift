import Foundation
import RRDatasets
import RRFormats
import TestSupport
import Testing

@testable import RRStreaming

/// A stream that a Python program describes batch by batch.
struct StreamCase: Decodable {
    enum Balance: Decodable {
        case equal
        case weights([Double])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let weights = try? container.decode([Double].self) {
                self = .weights(weights)
            } else {
                self = .equal
            }
        }
    }

    let count, batchSize, world, epochs: Int
    let shuffle: Bool
    let seed: UInt64
    let dropLast: Bool
    let split: String
    let balance: Balance?
    let annotatedFraction: Double?
    let annotatedOnly: Bool
    let idsBelow: Int?
    let batches: Int
    let crc32: UInt32
    let rank, batch: Int?
    let rows: [Int64]?
    let next: [Int]?
    let otherWorld: Int?
    let restCrc32: UInt32?

    func options(rank: Int = 0, world: Int? = nil) throws -> StreamOptions {
        var options = StreamOptions(
            batchSize: batchSize, isShuffled: shuffle, seed: seed, epochs: epochs, split: split,
            dropsLast: dropLast)
        options.rank = rank
        options.world = world ?? self.world
        switch balance {
        case .equal?: options.balance = .equal
        case .weights(let weights)?: options.balance = .weights(weights)
        case nil: break
        }
        options.annotatedFraction = annotatedFraction
        options.annotatedOnly = annotatedOnly
        if let idsBelow {
            let isChosen = { (row: Int) in split == "all" || ["train", "test"][row % 2] == split }
            options.ids = (0..<count).reversed().filter { isChosen($0) && $0 * 7 % 10 < idsBelow }
                .map { "sample-\($0)" }
        }
        options.augmentation = try Augmentation("hflip,vflip")
        return options
    }

    static func all() throws -> [StreamCase] {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("streaming/order.json")))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([StreamCase].self, from: data)
    }
}

@Suite("Orders, ranks and places to go on from")
struct SampleOrderTests {
    /// What a batch holds, byte for byte.
    private struct Content: Equatable {
        let images: [Float]
        let labels, rows: [Int64]
        let masks: [UInt8]
        let annotated: [Bool]
        let epoch, step: Int
        let next: StreamPosition

        init(_ batch: Batch) {
            images = Array(batch.images)
            labels = Array(batch.labels)
            rows = Array(batch.indices)
            masks = Array(batch.masks)
            annotated = Array(batch.annotated)
            (epoch, step, next) = (batch.epoch, batch.step, batch.next)
        }
    }

    private func contents(
        _ small: SmallDataset, _ options: StreamOptions, from start: StreamPosition = .beginning
    ) throws -> [Content] {
        let stream = try BatchStream(
            dataset: small.dataset, masks: small.masks, options: options, from: start)
        var contents: [Content] = []
        while let batch = try stream.next() { contents.append(Content(batch)) }
        #expect(contents.count == stream.batchCount)
        #expect(contents.flatMap(\.rows).count { $0 >= 0 } == stream.sampleCount)
        return contents
    }

    private func checksum(_ rows: [Int64]) -> UInt32 {
        rows.withUnsafeBytes { CRC32.checksum(of: $0) }
    }

    /// Image and mask are those of the row, mirrored alike; a padded sample is all zero.
    private func expectSamples(_ content: Content, of small: SmallDataset) {
        let size = SmallDataset.channels * SmallDataset.plane
        for (place, row) in content.rows.enumerated() {
            let image = Array(content.images[place * size..<(place + 1) * size])
            let mask = Array(content.masks[place * size..<(place + 1) * size])
            guard row >= 0 else {
                #expect(content.labels[place] == -1 && !content.annotated[place])
                #expect(image.allSatisfy { $0 == 0 } && mask.allSatisfy { $0 == 0 })
                continue
            }
            let expected = small.expected(Int(row))
            let isMirror = (0..<4).contains { way in
                mirrored(expected.image, way) == image && mirrored(expected.mask, way) == mask
            }
            #expect(isMirror, "row \(row)")
            #expect(content.labels[place] == row % 3 && content.annotated[place] == expected.isAnnotated)
        }
    }

    private func mirrored<Element>(_ elements: [Element], _ way: Int) -> [Element] {
        let (height, width) = (SmallDataset.height, SmallDataset.width)
        return elements.indices.map { element in
            let (plane, pixel) = element.quotientAndRemainder(dividingBy: height * width)
            let (row, column) = pixel.quotientAndRemainder(dividingBy: width)
            return elements[
                plane * height * width + (way & 1 == 1 ? height - 1 - row : row) * width
                    + (way & 2 == 2 ? width - 1 - column : column)]
        }
    }

    @Test(
        "200 streams hold what a Python implementation says, on any ranks, and go on from any batch as before"
    )
    func cases() throws {
        let cases = try StreamCase.all()
        #expect(cases.count == 200)
        var datasets: [Int: SmallDataset] = [:]
        var paddedCount = 0
        for (number, item) in cases.enumerated() {
            let small =
                try datasets[item.count]
                ?? SmallDataset(sampleCount: item.count, splitNames: ["train", "test"])
            datasets[item.count] = small
            let ranks = try (0..<item.world).map { try contents(small, item.options(rank: $0)) }
            let rows = ranks.flatMap { $0.flatMap(\.rows) }
            #expect(ranks.allSatisfy { $0.map(\.rows.count) == ranks[0].map(\.rows.count) })
            #expect(ranks[0].count == item.batches, "case \(number)")
            #expect(checksum(rows) == item.crc32, "case \(number)")
            for content in ranks.joined() { expectSamples(content, of: small) }
            paddedCount += rows.count { $0 < 0 }

            if item.balance == nil, item.annotatedFraction == nil, !item.dropLast {
                let chosen = try contents(small, item.options(world: 1)).filter { $0.epoch == 0 }.flatMap(
                    \.rows)
                for epoch in 0..<item.epochs {
                    let seen = ranks.joined().filter { $0.epoch == epoch }.flatMap(\.rows).filter { $0 >= 0 }
                    #expect(seen.sorted() == chosen.sorted(), "case \(number): every sample once")
                }
            }

            guard let rank = item.rank, let batch = item.batch, let next = item.next,
                let other = item.otherWorld
            else { continue }
            let content = ranks[rank][batch]
            #expect(content.rows == item.rows)
            #expect(content.next == StreamPosition(epoch: next[0], position: next[1]))
            let resumed = try contents(small, item.options(rank: rank), from: content.next)
            #expect(resumed == Array(ranks[rank][(batch + 1)...]), "case \(number)")
            let elastic = try (0..<other).map {
                try contents(small, item.options(rank: $0, world: other), from: content.next)
            }
            #expect(checksum(elastic.flatMap { $0.flatMap(\.rows) }) == item.restCrc32, "case \(number)")
        }
        #expect(paddedCount > 0)
    }

    @Test("a dataset of 2⁴⁰ samples has an order that costs no memory, for a million ranks")
    func huge() {
        var options = StreamOptions(batchSize: 8, isShuffled: true, seed: 5, epochs: 1 << 20)
        options.world = StreamOptions.largestWorld
        options.rank = 77
        let order = SampleOrder(rows: 3..<3 + 1 << 40, options: options)
        let schedule = BatchSchedule(positionCount: order.count, options: options, start: .beginning)
        #expect(schedule.batchesPerEpoch == 1 << 17)
        let batch = schedule[5 << 17 + 12]
        #expect((batch.epoch, batch.step) == (5, 12))
        var rows = Array(repeating: Int64(0), count: batch.count)
        rows.withUnsafeMutableBufferPointer { order.fill($0, of: batch) }
        let permutation = KeyedPermutation(count: 1 << 40, seed: 5, epoch: 5)
        #expect(rows == (0..<8).map { Int64(3 + permutation(12 << 23 + 77 + $0 << 20)) })
    }

    @Test(
        "every batch has its annotated fraction, and in some epochs every sample has its turn equally often")
    func annotatedFraction() throws {
        let small = try SmallDataset(sampleCount: 40)
        var options = StreamOptions(batchSize: 8, isShuffled: true, seed: 9, epochs: 8)
        options.annotatedFraction = 0.5
        let batches = try contents(small, options)
        #expect(batches.allSatisfy { $0.annotated.count { $0 } == 4 })
        // 8 epochs of 20 draws are 160: 5 of each of 32 annotated samples, 20 of each of the 8 others.
        let counts = Dictionary(batches.flatMap(\.rows).map { ($0, 1) }, uniquingKeysWith: +)
        #expect((0..<40).allSatisfy { counts[$0] == ($0 % 5 == 4 ? 20 : 5) })
        #expect(Set(batches.map { $0.annotated }).count > 10)
    }

    @Test("classes are drawn by their weights, and each sample of a class equally often")
    func balance() throws {
        let small = try SmallDataset(sampleCount: 30, splitNames: ["train", "test"])
        var options = StreamOptions(batchSize: 5, isShuffled: true, seed: 9, epochs: 5, split: "all")
        options.balance = .weights([3, 0, 2])
        let rows = try contents(small, options).flatMap(\.rows)
        #expect(rows.count == 150)
        let counts = Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)
        #expect((0..<30).allSatisfy { counts[$0] == [9, nil, 6][Int($0) % 3] })
        #expect(ClassPools.shares(of: 10, weights: [1, 1, 1, 0]) == [4, 3, 3, 0])
    }

    @Test("groups are drawn as often, and each sample of a group as often as another")
    func groups() throws {
        // 24, 4 and 2 samples; group 2 has none.
        let numbers = (0..<30).map { $0 < 24 ? 1 : $0 < 28 ? 0 : 3 }
        let small = try SmallDataset(sampleCount: 30, isLabelled: false, groups: numbers)
        var options = StreamOptions(batchSize: 5, isShuffled: true, seed: 9, epochs: 12)
        options.balance = .groups
        #expect(ClassBalance("groups") == .groups && ClassBalance.groups.text == "groups")
        let rows = try contents(small, options).flatMap(\.rows)
        let counts = Dictionary(rows.map { ($0, 1) }, uniquingKeysWith: +)
        #expect((0..<30).allSatisfy { counts[$0] == [30, 5, nil, 60][numbers[Int($0)]] })
    }

    @Test("what cannot be drawn is refused by name")
    func refusals() throws {
        let small = try SmallDataset(sampleCount: 8, splitNames: ["train", "test"])
        let unlabelled = try SmallDataset(sampleCount: 8, isLabelled: false)
        func code(
            _ data: SmallDataset, masks: Bool = true, from start: StreamPosition = .beginning,
            _ change: (inout StreamOptions) throws -> Void
        ) throws -> DatasetError.Code? {
            var options = StreamOptions(batchSize: 2, isShuffled: true, split: "all")
            try change(&options)
            let error = #expect(throws: DatasetError.self) {
                try BatchStream(
                    dataset: data.dataset, masks: masks ? data.masks : nil, options: options, from: start)
            }
            return error?.code
        }
        for (rank, world) in [(2, 2), (-1, 2), (0, 0), (0, StreamOptions.largestWorld + 1)] {
            #expect(try code(small) { ($0.rank, $0.world) = (rank, world) } == .invalidOption)
        }
        for fraction in [-0.1, 1.1, .nan] {
            #expect(try code(small) { $0.annotatedFraction = fraction } == .invalidOption)
        }
        #expect(try code(small, masks: false) { $0.annotatedFraction = 0.5 } == .invalidOption)
        #expect(try code(small, masks: false) { $0.annotatedOnly = true } == .invalidOption)
        #expect(try code(small) { ($0.annotatedFraction, $0.annotatedOnly) = (0.5, true) } == .invalidOption)
        #expect(try code(small) { ($0.annotatedFraction, $0.balance) = (0.5, .equal) } == .invalidOption)
        #expect(try code(small) { ($0.isShuffled, $0.balance) = (false, .equal) } == .invalidOption)
        #expect(try code(small) { ($0.isShuffled, $0.annotatedFraction) = (false, 0.5) } == .invalidOption)
        #expect(try code(small) { $0.balance = .weights([1, 1]) } == .invalidOption)
        #expect(try code(small) { $0.balance = .weights([1, -1, 1]) } == .invalidOption)
        #expect(try code(small) { $0.balance = .weights([0, 0, 0]) } == .invalidOption)
        #expect(try code(unlabelled) { $0.balance = .equal } == .missingLabels)
        #expect(try code(small) { $0.balance = .groups } == .invalidOption)
        #expect(
            try code(small) { ($0.balance, $0.ids) = (.weights([1, 1, 1]), ["sample-0", "sample-1"]) }
                == .empty)
        #expect(try code(small) { ($0.annotatedOnly, $0.ids) = (true, ["sample-4"]) } == .empty)
        #expect(try code(small) { ($0.annotatedFraction, $0.ids) = (0.5, ["sample-4"]) } == .empty)
        #expect(try code(small) { $0.ids = ["sample-0", "nobody"] } == .badMetadata)
        #expect(try code(small) { $0.ids = ["sample-0", "sample-0"] } == .badMetadata)
        #expect(try code(small) { ($0.ids, $0.split) = (["sample-1"], "train") } == .badMetadata)
        for (epoch, position) in [(0, 8), (1, 1), (2, 0), (-1, 0), (0, -1)] {
            let start = StreamPosition(epoch: epoch, position: position)
            #expect(try code(small, from: start) { _ in } == .valueOutOfRange)
        }
        #expect(
            try code(small, masks: false) { $0.augmentation = try Augmentation("erase") } == .invalidOption)
        for text in ["rot90", "crop:3", "cutout:4"] {
            #expect(try code(small) { $0.augmentation = try Augmentation(text) } == .invalidOption)
        }
    }
}
