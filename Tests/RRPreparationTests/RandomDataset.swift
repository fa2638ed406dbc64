import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport

/// A dataset and masks that a seed decides.
struct RandomDataset {
    let shape: ImageShape
    let elementType: ImageElementType
    let ids: [String]
    let labels: [Int]?
    let classNames: [String]?
    let splits: [UInt8]?
    let splitNames: [String]
    let groups: SampleGroups?
    let images: [[UInt8]]
    let bits: MaskBits
    /// The row of each sample's mask.
    let rows: [Int]

    /// Names as people give them to folders, and some that they should not.
    private static let names = [
        "T-shirt top", "Ünïcode", "猫", "a,b", "say \"hi\"", "plain", "Plain", "with.dot", "new\nline",
        " space ",
        "e\u{301}", "\u{E9}", "100%", "x.png", "..a",
    ].filter { !$0.hasPrefix(".") }

    /// How ids, labels, classes and splits stand.
    enum Order: CaseIterable {
        /// As an import of folders would order and name them.
        case folders
        /// As arrays bring them: any order, any ids, classes in any order, unused ones among them.
        case any
    }

    init(seed: UInt64, order: Order = .folders) throws {
        var generator = SplitMix64(seed: seed)
        func random(_ bound: Int) -> Int { Int(generator.nextUnit() * Double(bound)) }
        shape = try ImageShape(channels: 1 + random(4), height: 1 + random(9), width: 1 + random(17))
        elementType = random(2) == 0 ? .uint8 : .uint16
        let first = random(Self.names.count)
        let names = (first..<first + 1 + random(4)).map { Self.names[$0 % Self.names.count] }
        guard order == .folders else {
            let count = 1 + random(12)
            ids = (0..<count).map { ["\($0)", "x/\(count - $0)", "\(Self.names[$0]), \($0)"][random(3)] }
            let kind = random(3)
            classNames = kind == 0 ? names : nil
            labels = kind == 2 ? nil : (0..<count).map { _ in random(names.count) }
            splitNames = [[], ["train", "dev"], ["b", "a", "c"]][random(3)]
            let splitCount = splitNames.count
            splits = splitNames.isEmpty ? nil : (0..<count).map { _ in UInt8(random(splitCount)) }
            (images, bits, rows) = try Self.content(
                count: count, shape: shape, elementType: elementType, random: random)
            groups =
                [
                    nil, SampleGroups(numbers: (0..<count).map { _ in random(3) * 5 }, names: nil),
                    SampleGroups(
                        numbers: (0..<count).map { _ in random(2) }, names: ["z, z", "a", "unused"]),
                ][random(3)]
            return
        }
        let splitNames = [[], ["test", "train"], ["train", "val"], ["test", "train", "val"]][random(4)]
        let classNames = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var (ids, labels, splits): ([String], [Int], [UInt8]) = ([], [], [])
        for split in 0..<max(1, splitNames.count) {
            for (label, name) in classNames.enumerated() {
                let folder = (splitNames.isEmpty ? [] : [splitNames[split]]) + [name]
                let paths = (0..<1 + random(3)).map { number in
                    folder + (random(3) == 0 ? ["deep er", "\(number)"] : ["\(number)"])
                }
                ids += paths.sorted(by: Self.precedes).map { $0.joined(separator: "/") }
                labels += Array(repeating: label, count: paths.count)
                splits += Array(repeating: UInt8(split), count: paths.count)
            }
        }
        (self.ids, self.labels, self.splits) = (ids, labels, splitNames.isEmpty ? nil : splits)
        (self.classNames, self.splitNames) = (classNames, splitNames)
        groups = nil
        (images, bits, rows) = try Self.content(
            count: ids.count, shape: shape, elementType: elementType, random: random)
    }

    private static func content(
        count: Int, shape: ImageShape, elementType: ImageElementType, random: (Int) -> Int
    ) throws -> ([[UInt8]], MaskBits, [Int]) {
        let size = shape.elementCount * elementType.size
        let images = (0..<count).map { _ in (0..<size).map { _ in UInt8(random(256)) } }
        let annotated = (0..<count).filter { _ in random(2) == 0 }
        var bits = try MaskBits(rowCount: annotated.count + 1, elementsPerRow: shape.pixelCount)
        var rows = Array(repeating: annotated.count, count: count)
        for (row, sample) in annotated.enumerated() {
            rows[sample] = row
            for pixel in 0..<shape.pixelCount where random(3) == 0 { bits[row, pixel] = true }
            bits[row, random(shape.pixelCount)] = true
        }
        return (images, bits, rows)
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

    func write(to path: String) throws -> Dataset {
        let writer = try DatasetWriter(
            path: path, force: false, sampleCount: ids.count, imageShape: shape, elementType: elementType,
            color: ["gray", "gray-alpha", "rgb", "rgba"][shape.channels - 1], compression: .none)
        for (index, image) in images.enumerated() {
            try image.withUnsafeBytes { bytes in
                try writer.write(
                    images: bytes, rows: index..<index + 1, checksums: [CRC32.checksum(of: bytes)])
            }
        }
        _ = try writer.complete(
            SampleTable(
                ids: ids, labels: labels, classNames: classNames, splits: splits, splitNames: splitNames,
                groups: groups), provenance: [:])
        try writer.commit()
        return try Dataset(path: path)
    }

    func masks(for dataset: Dataset) throws -> MaskSet {
        try MaskSet(
            bits: bits, rows: rows,
            maskShape: ImageShape(channels: 1, height: shape.height, width: shape.width),
            datasetFingerprint: dataset.fingerprint)
    }
}
