import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport

/// A dataset and masks that a seed decides, ordered and named as an import of folders would.
struct RandomDataset {
    let shape: ImageShape
    let elementType: ImageElementType
    let ids: [String]
    let labels: [Int]
    let classNames: [String]
    let splits: [UInt8]?
    let splitNames: [String]
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

    init(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        func random(_ bound: Int) -> Int { Int(generator.nextUnit() * Double(bound)) }
        shape = try ImageShape(channels: 1 + random(4), height: 1 + random(9), width: 1 + random(17))
        elementType = random(2) == 0 ? .uint8 : .uint16
        splitNames = [[], ["test", "train"], ["train", "val"], ["test", "train", "val"]][random(4)]
        let first = random(Self.names.count)
        let count = 1 + random(4)
        classNames = (first..<first + count).map { Self.names[$0 % Self.names.count] }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
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
        let size = shape.elementCount * elementType.size
        images = ids.map { _ in (0..<size).map { _ in UInt8(random(256)) } }
        let annotated = ids.indices.filter { _ in random(2) == 0 }
        var bits = try MaskBits(rowCount: annotated.count + 1, elementsPerRow: shape.pixelCount)
        var rows = Array(repeating: annotated.count, count: ids.count)
        for (row, sample) in annotated.enumerated() {
            rows[sample] = row
            for pixel in 0..<shape.pixelCount where random(3) == 0 { bits[row, pixel] = true }
            bits[row, random(shape.pixelCount)] = true
        }
        (self.bits, self.rows) = (bits, rows)
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
        _ = try writer.finish(
            ids: ids, labels: labels, classNames: classNames, splits: splits, splitNames: splitNames,
            provenance: [:])
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
