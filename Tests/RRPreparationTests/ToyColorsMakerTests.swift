import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Toy colours")
struct ToyColorsMakerTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func run(
        train: Int = 300, test: Int = 200, seed: UInt64 = 5, name: String = "toy"
    ) throws -> ToyColorsMaker.Summary {
        var maker = ToyColorsMaker()
        maker.trainCount = train
        maker.testCount = test
        maker.seed = seed
        return try maker.run(outputs(name), force: false)
    }

    func outputs(_ name: String) -> ToyColorsMaker.Outputs {
        ToyColorsMaker.Outputs(
            dataset: folder.path("\(name).h5"), cornerMasks: folder.path("\(name)-corners.h5"),
            topMasks: folder.path("\(name)-top.h5"))
    }

    /// The colour of each pixel of each image, in the order of rows, as 0xRRGGBB.
    func colors(of dataset: Dataset) throws -> [[Int]] {
        var elements = [UInt8](repeating: 0, count: 75)
        return try (0..<dataset.sampleCount).map { index in
            try elements.withUnsafeMutableBytes { try dataset.readStored(at: index, into: $0) }
            return (0..<25).map { pixel in
                (0..<3).reduce(0) { $0 << 8 | Int(elements[$1 * 25 + pixel]) }
            }
        }
    }

    static let colors = [0xFF0000, 0x00FF00, 0x0080FF, 0x8000FF]

    @Test("in class 1 both rules hold, in class 0 neither, in both splits")
    func rules() throws {
        let summary = try run()
        let dataset = try Dataset(path: folder.path("toy.h5"))
        #expect(dataset.imageShape.dimensions == [3, 5, 5] && dataset.color == "rgb")
        #expect(dataset.classNames == ["neither", "both"] && dataset.splitNames == ["test", "train"])
        #expect(try dataset.indices(inSplit: "test") == Array(0..<200))
        #expect(try dataset.indices(inSplit: "train") == Array(200..<500))
        let ids = try dataset.ids()
        #expect(ids[0] == "test/000000" && ids[499] == "train/000299" && ids == ids.sorted())
        let labels = try #require(dataset.labels)
        #expect(summary.sampleCount == 500 && summary.bothRulesCount == labels.count { $0 == 1 })
        #expect(try summary.fingerprint == dataset.fingerprint)
        for (image, label) in zip(try colors(of: dataset), labels) {
            #expect(Set(image).isSubset(of: Self.colors))
            let corners = Set([image[0], image[4], image[20], image[24]])
            let top = Set([image[1], image[2], image[3]])
            #expect((corners.count == 1) == (label == 1))
            #expect((top.count == 3) == (label == 1))
        }
    }

    @Test("each mask set marks its rule's pixels in all channels of every image, and no other")
    func masks() throws {
        _ = try run(train: 30, test: 20)
        let dataset = try Dataset(path: folder.path("toy.h5"))
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 75)
        defer { bytes.deallocate() }
        for (name, marked) in [("toy-corners.h5", [0, 4, 20, 24]), ("toy-top.h5", [1, 2, 3])] {
            let masks = try MaskSet(path: folder.path(name), for: dataset)
            #expect(masks.annotatedCount == 50)
            for index in 0..<50 {
                _ = masks.expandMask(ofSample: index, channels: 3, into: bytes)
                #expect(
                    (0..<75).filter { bytes[$0] == 1 } == marked + marked.map { $0 + 25 }
                        + marked.map { $0 + 50 })
            }
        }
    }

    /// Checks that values that should come equally often do, give or take five standard deviations.
    func expectUniform<Value: Hashable>(_ values: [Value], kinds: Int) {
        let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
        let share = 1 / Double(kinds)
        let expected = Double(values.count) * share
        let deviation = (expected * (1 - share)).squareRoot()
        #expect(counts.count == kinds)
        #expect(counts.values.allSatisfy { (Double($0) - expected).magnitude < 5 * deviation }, "\(counts)")
    }

    @Test(
        "colours, classes, and the ways to keep and to break a rule come as often as the paper's code draws them"
    )
    func statistics() throws {
        _ = try run(train: 10_000, test: 10_000, seed: 11)
        let dataset = try Dataset(path: folder.path("toy.h5"))
        let labels = try #require(dataset.labels)
        let images = try colors(of: dataset)
        expectUniform(labels, kinds: 2)
        for pixel in [5, 9, 12, 14, 21, 24] { expectUniform(images.map { $0[pixel] }, kinds: 4) }
        // Neighbours, and pixels of samples that follow each other, do not depend on each other.
        expectUniform(images.map { [$0[12], $0[13]] }, kinds: 16)
        expectUniform(zip(images, images.dropFirst()).map { [$0[12], $1[12]] }, kinds: 16)
        // The two splits have images of their own.
        #expect(Set(images).count == images.count)

        let both = zip(images, labels).filter { $0.1 == 1 }.map(\.0)
        expectUniform(both.map { $0[0] }, kinds: 4)
        expectUniform(both.map { Array($0[1...3]) }, kinds: 24)
        // Of the two pairs of opposite corners one is drawn to differ, so the other agrees in 1 of 4: each in 1 of 8.
        let neither = zip(images, labels).filter { $0.1 == 0 }.map(\.0)
        let deviation = (Double(neither.count) * 7 / 64).squareRoot()
        for (first, second) in [(0, 24), (4, 20)] {
            let count = neither.count { $0[first] == $0[second] }
            #expect((Double(count) - Double(neither.count) / 8).magnitude < 5 * deviation)
        }
        #expect(neither.allSatisfy { $0[0] != $0[24] || $0[4] != $0[20] })
        // Three that are alike are drawn so, 1 in 16; three made to repeat have two alike.
        let alike = neither.count { Set($0[1...3]).count == 1 }
        let alikeDeviation = (Double(neither.count) * 15 / 256).squareRoot()
        #expect((Double(alike) - Double(neither.count) / 16).magnitude < 5 * alikeDeviation)
    }

    @Test("the seed and a sample's place in its split decide the sample, on every machine")
    func determinism() throws {
        // The fingerprint of the same images drawn by a program in Python.
        #expect(
            try run(train: 40, test: 30, seed: 5).fingerprint
                == "ebe9f694a42a7612810d3f02e53630aedbf01d7d09db8e6d0e28b0880e750878")
        let bytes = try FileBytes.read(folder.path("toy.h5"))
        _ = try run(train: 40, test: 30, seed: 5, name: "again")
        #expect(try FileBytes.read(folder.path("again.h5")) == bytes)
        _ = try run(train: 40, test: 30, seed: 6, name: "other")
        let images = try colors(of: Dataset(path: folder.path("toy.h5")))
        #expect(Set(try colors(of: Dataset(path: folder.path("other.h5")))).isDisjoint(with: images))
        _ = try run(train: 60, test: 10, seed: 5, name: "longer")
        let longer = try colors(of: Dataset(path: folder.path("longer.h5")))
        #expect(Array(longer[..<10]) == Array(images[..<10]))
        #expect(Array(longer[10..<50]) == Array(images[30...]))
    }

    @Test("numbers out of range, and outputs that are one file, are refused by name")
    func refusals() throws {
        for (train, test, option) in [
            (0, 5, "trainCount"), (5, 0, "testCount"), (1_000_001, 5, "trainCount"), (5, -1, "testCount"),
        ] {
            let error = #expect(throws: DatasetError.self) { try run(train: train, test: test) }
            #expect(error?.code == .invalidOption && error?.message.hasPrefix("`\(option)`: is ") == true)
        }
        for path in [\ToyColorsMaker.Outputs.dataset, \.cornerMasks]
            as [WritableKeyPath<ToyColorsMaker.Outputs, String>]
        {
            var outputs = outputs("toy")
            outputs[keyPath: path] = folder.path(
                "./" + outputs.topMasks.split(separator: "/").suffix(1).joined())
            let error = #expect(throws: DatasetError.self) { try ToyColorsMaker().run(outputs, force: false) }
            #expect(error?.code == .invalidOption)
        }
        #expect(try folder.names() == [])
    }

    @Test(
        "outputs that exist are kept, each of the three",
        arguments: ["toy.h5", "toy-corners.h5", "toy-top.h5"])
    func outputExists(name: String) throws {
        try folder.write([1], to: name)
        let error = #expect(throws: FormatError.self) { try run(train: 5, test: 5) }
        #expect(error?.code == .outputExists)
        #expect(try folder.names() == [name])
        #expect(try FileBytes.read(folder.path(name)) == [1])
    }
}
