import RRDatasets
import RRFormats
import RRTensor

extension SampleDataset {
    /// How ids, labels, classes and splits of a random dataset stand.
    package enum Order: CaseIterable {
        /// As an import of folders would order and name them.
        case folders
        /// As arrays bring them: any order, any ids, classes in any order, unused ones among them.
        case any
    }

    /// Names as people give them to folders, and some that they should not.
    private static let names = [
        "T-shirt top", "Ünïcode", "猫", "a,b", "say \"hi\"", "plain", "Plain", "with.dot", "new\nline",
        " space ",
        "e\u{301}", "\u{E9}", "100%", "x.png", "..a",
    ].filter { !$0.hasPrefix(".") }

    /// A dataset and masks that a seed decides.
    package static func random(
        _ folder: TemporaryFolder, seed: UInt64, order: Order = .folders
    ) throws -> SampleDataset {
        var generator = SplitMix64(seed: seed)
        func random(_ bound: Int) -> Int { Int(generator.nextUnit() * Double(bound)) }
        let shape = try ImageShape(channels: 1 + random(4), height: 1 + random(9), width: 1 + random(17))
        let elementType: ImageElementType = random(2) == 0 ? .uint8 : .uint16
        let first = random(Self.names.count)
        let names = (first..<first + 1 + random(4)).map { Self.names[$0 % Self.names.count] }
        guard order == .folders else {
            let count = 1 + random(12)
            let ids = (0..<count).map { ["\($0)", "x/\(count - $0)", "\(Self.names[$0]), \($0)"][random(3)] }
            let kind = random(3)
            let labels = kind == 2 ? nil : (0..<count).map { _ in random(names.count) }
            let splitNames = [[], ["train", "dev"], ["b", "a", "c"]][random(3)]
            let splits =
                splitNames.isEmpty ? nil : (0..<count).map { _ in UInt8(random(splitNames.count)) }
            var sample = try content(folder, ids, of: shape, elementType, random: random)
            sample.groups =
                [
                    nil, SampleGroups(numbers: (0..<count).map { _ in random(3) * 5 }, names: nil),
                    SampleGroups(
                        numbers: (0..<count).map { _ in random(2) }, names: ["z, z", "a", "unused"]),
                ][random(3)]
            (sample.labels, sample.classNames) = (labels, kind == 0 ? names : nil)
            (sample.splits, sample.splitNames) = (splits, splitNames)
            return sample
        }
        let splitNames = [[], ["test", "train"], ["train", "val"], ["test", "train", "val"]][random(4)]
        let classNames = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var (ids, labels, splits): ([String], [Int], [UInt8]) = ([], [], [])
        for split in 0..<max(1, splitNames.count) {
            for (label, name) in classNames.enumerated() {
                let parents = (splitNames.isEmpty ? [] : [splitNames[split]]) + [name]
                let paths = (0..<1 + random(3)).map { number in
                    parents + (random(3) == 0 ? ["deep er", "\(number)"] : ["\(number)"])
                }
                ids += paths.sorted(by: Self.precedes).map { $0.joined(separator: "/") }
                labels += Array(repeating: label, count: paths.count)
                splits += Array(repeating: UInt8(split), count: paths.count)
            }
        }
        var sample = try content(folder, ids, of: shape, elementType, random: random)
        (sample.labels, sample.classNames) = (labels, classNames)
        (sample.splits, sample.splitNames) = (splitNames.isEmpty ? nil : splits, splitNames)
        return sample
    }

    /// Random images, and random masks for about half of the samples.
    private static func content(
        _ folder: TemporaryFolder, _ ids: [String], of shape: ImageShape, _ elementType: ImageElementType,
        random: (Int) -> Int
    ) throws -> SampleDataset {
        let size = shape.elementCount * elementType.size
        let images = ids.map { _ in (0..<size).map { _ in UInt8(random(256)) } }
        let annotated = ids.indices.filter { _ in random(2) == 0 }
        var bits = try MaskBits(rowCount: annotated.count + 1, elementsPerRow: shape.pixelCount)
        var rows = Array(repeating: annotated.count, count: ids.count)
        for (row, sample) in annotated.enumerated() {
            rows[sample] = row
            for pixel in 0..<shape.pixelCount where random(3) == 0 { bits[row, pixel] = true }
            bits[row, random(shape.pixelCount)] = true
        }
        var sample = try SampleDataset(folder, images: images, of: shape)
        (sample.ids, sample.elementType, sample.maskBits, sample.maskRows) = (ids, elementType, bits, rows)
        sample.color = ["gray", "gray-alpha", "rgb", "rgba"][shape.channels - 1]
        return sample
    }

    /// The order in which a folder lists its files and folders.
    private static func precedes(_ first: [String], _ second: [String]) -> Bool {
        let (a, b) = (
            first.dropLast() + [first[first.count - 1] + ".png"],
            second.dropLast() + [second[second.count - 1] + ".png"]
        )
        for (left, right) in zip(a, b) where left != right {
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        return a.count < b.count
    }
}
