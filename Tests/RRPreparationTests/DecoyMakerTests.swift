import RRDatasets
import RRFormats
import RRPreparation
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Decoys")
struct DecoyMakerTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Writes `in.h5`: samples of uint8 pixels that are all 7, labels 0, 1, 2, … in turn, in two splits.
    func makeDataset(
        count: Int = 400, classCount: Int = 10, channels: Int = 2, height: Int = 5, width: Int = 6,
        elementType: ImageElementType = .uint8, isLabelled: Bool = true
    ) throws -> Dataset {
        let shape = try ImageShape(channels: channels, height: height, width: width)
        let image = [UInt8](repeating: 7, count: shape.elementCount * elementType.size)
        var sample = try SampleDataset(folder, images: Array(repeating: image, count: count), of: shape)
        sample.elementType = elementType
        sample.ids = (0..<count).map { "id-\($0)" }
        sample.labels = isLabelled ? (0..<count).map { $0 % classCount } : nil
        (sample.splits, sample.splitNames) = ((0..<count).map { $0 % 4 == 3 ? 0 : 1 }, ["test", "train"])
        return try sample.dataset("in.h5")
    }

    func run(
        _ dataset: Dataset, randomSplit: String? = nil, seed: UInt64 = 3, output: String = "out.h5",
        masks: String = "masks.h5"
    ) throws -> DecoyMaker.Summary {
        var maker = DecoyMaker(dataset: dataset)
        maker.randomSplit = randomSplit
        maker.seed = seed
        return try maker.run(output: folder.path(output), masksOutput: folder.path(masks), force: false)
    }

    /// The place of a patch: whether it is at the bottom, whether at the right, and its value.
    struct Patch: Hashable {
        let isBottom: Bool
        let isRight: Bool
        let value: UInt8
    }

    /// Reads the patches of `out.h5` after checking that they are 4×4, in a corner, in all channels, and the mask.
    func readPatches(of dataset: Dataset) throws -> [Patch] {
        let decoyed = try Dataset(path: folder.path("out.h5"))
        let masks = try MaskSet(path: folder.path("masks.h5"), for: decoyed)
        #expect(masks.annotatedCount == dataset.sampleCount)
        #expect(masks.rows == Array(0..<dataset.sampleCount))
        let (height, width) = (dataset.imageShape.height, dataset.imageShape.width)
        #expect(masks.maskShape.dimensions == [1, height, width])
        var pixels = [UInt8](repeating: 0, count: dataset.imageSize)
        let mask = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: dataset.imageSize)
        defer { mask.deallocate() }
        return try (0..<dataset.sampleCount).map { index in
            try pixels.withUnsafeMutableBytes { try decoyed.readStored(at: index, into: $0) }
            _ = masks.expandMask(ofSample: index, channels: dataset.imageShape.channels, into: mask)
            let corners = [0, width - 1, (height - 1) * width, height * width - 1]
            let corner = try #require(corners.firstIndex { mask[$0] == 1 })
            let patch = Patch(isBottom: corner > 1, isRight: corner % 2 == 1, value: pixels[corners[corner]])
            for position in pixels.indices {
                let row = position / width % height
                let column = position % width
                let isInside =
                    (patch.isBottom ? row >= height - 4 : row < 4)
                    && (patch.isRight ? column >= width - 4 : column < 4)
                guard mask[position] == (isInside ? 1 : 0), pixels[position] == (isInside ? patch.value : 7)
                else {
                    Issue.record("sample \(index) has another patch or mask at \(position)")
                    break
                }
            }
            return patch
        }
    }

    @Test("the patch of value 255 − 25·y is in one of four corners, and the mask is the patch")
    func patches() throws {
        let dataset = try makeDataset()
        let summary = try run(dataset)
        #expect(summary.sampleCount == 400 && summary.randomCount == 0)
        let patches = try readPatches(of: dataset)
        #expect(patches.enumerated().allSatisfy { $0.element.value == UInt8(255 - 25 * ($0.offset % 10)) })
        // Each corner is drawn 100 times of 400, give or take five standard deviations of 8.7.
        for isBottom in [false, true] {
            for isRight in [false, true] {
                let count = patches.count { $0.isBottom == isBottom && $0.isRight == isRight }
                #expect(56...144 ~= count)
            }
        }
        let decoyed = try Dataset(path: folder.path("out.h5"))
        #expect(decoyed.labels == dataset.labels && decoyed.splits == dataset.splits)
        #expect(decoyed.splitNames == dataset.splitNames)
        #expect(try decoyed.ids() == dataset.ids())
        #expect(try decoyed.fingerprint == summary.fingerprint && decoyed.fingerprint != dataset.fingerprint)
    }

    @Test("in the random split the value says nothing of the label, elsewhere nothing changes")
    func randomSplit() throws {
        let dataset = try makeDataset(count: 1600)
        #expect(try run(dataset, randomSplit: "test").randomCount == 400)
        let patches = try readPatches(of: dataset)
        let testPatches = patches.enumerated().filter { $0.offset % 4 == 3 }
        let trainPatches = patches.enumerated().filter { $0.offset % 4 != 3 }
        #expect(trainPatches.allSatisfy { $0.element.value == UInt8(255 - 25 * ($0.offset % 10)) })
        // Each of ten values is drawn 40 times of 400, give or take five standard deviations of 6.
        for label in 0..<10 {
            #expect(10...70 ~= testPatches.count { $0.element.value == UInt8(255 - 25 * label) })
        }
        #expect(10...70 ~= testPatches.count { $0.element.value == UInt8(255 - 25 * ($0.offset % 10)) })
    }

    @Test("a sample's patch depends on the seed and the sample alone")
    func pureFunction() throws {
        let large = try makeDataset(count: 400)
        _ = try run(large, randomSplit: "test")
        let patches = try readPatches(of: large)
        let bytes = try FileBytes.read(folder.path("out.h5"))
        _ = try run(large, randomSplit: "test", output: "again.h5", masks: "again-masks.h5")
        #expect(try FileBytes.read(folder.path("again.h5")) == bytes)
        _ = try run(large, randomSplit: "test", seed: 4, output: "other.h5", masks: "other-masks.h5")
        #expect(try FileBytes.read(folder.path("other.h5")) != bytes)

        let second = try DecoyMakerTests()
        let small = try second.makeDataset(count: 37)
        _ = try second.run(small, randomSplit: "test")
        #expect(try second.readPatches(of: small) == Array(patches[..<37]))
    }

    @Test("datasets that cannot carry decoys are refused by name")
    func refusals() throws {
        func code(_ dataset: Dataset, randomSplit: String? = nil) throws -> DatasetError? {
            let error = #expect(throws: DatasetError.self) { try run(dataset, randomSplit: randomSplit) }
            #expect(try folder.names() == ["in.h5"])
            return error
        }
        #expect(try code(makeDataset(count: 22, classCount: 11))?.code == .unsupported)
        #expect(try code(makeDataset(count: 4, height: 3))?.code == .unsupported)
        #expect(try code(makeDataset(count: 4, width: 3))?.code == .unsupported)
        #expect(try code(makeDataset(count: 4, elementType: .uint16))?.code == .unsupported)
        #expect(try code(makeDataset(count: 4, isLabelled: false))?.code == .missingLabels)
        let split = try code(makeDataset(count: 4), randomSplit: "val")
        #expect(split?.code == .unknownSplit)
        #expect(split?.message.contains("test, train") == true)
    }

    @Test("both outputs are kept where they exist, and they are not one file")
    func outputs() throws {
        let dataset = try makeDataset(count: 4)
        try folder.write([1], to: "masks.h5")
        #expect(throws: FormatError.self) { try run(dataset) }
        #expect(try folder.names() == ["in.h5", "masks.h5"])
        for spelling in ["x.h5", "./x.h5", "no/x.h5"] {
            let same = #expect(throws: DatasetError.self) {
                try run(dataset, output: spelling.hasPrefix("no") ? spelling : "x.h5", masks: spelling)
            }
            #expect(same?.code == .invalidOption)
        }
        #expect(try folder.names() == ["in.h5", "masks.h5"])
    }
}
