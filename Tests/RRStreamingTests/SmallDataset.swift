import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport

/// A dataset of random images with random masks for most samples, in a folder of its own.
struct SmallDataset {
    let folder: TemporaryFolder
    let dataset: Dataset
    let masks: MaskSet
    /// The stored pixels, (N, C, H, W).
    let pixels: [UInt8]
    /// The masks, (N, 1, H, W); all zero for every fifth sample.
    let maskBytes: [UInt8]

    static let channels = 2
    static let height = 3
    static let width = 5
    static let plane = height * width

    var path: String { folder.path("d.h5") }

    /// - Parameters:
    ///   - splitNames: samples belong to them in turn.
    ///   - groups: the group of each sample; nil for none.
    init(
        sampleCount: Int, splitNames: [String] = [], isLabelled: Bool = true, groups: [Int]? = nil,
        compression: Compression = .none,
        idPrefix: String = "sample-"
    ) throws {
        folder = try TemporaryFolder()
        var generator = SplitMix64(seed: UInt64(sampleCount))
        let elementCount = Self.channels * Self.plane
        let pixels = (0..<sampleCount * elementCount).map { _ in UInt8(generator.next() & 255) }
        self.pixels = pixels
        let shape = try ImageShape(channels: Self.channels, height: Self.height, width: Self.width)
        let maskBytes = (0..<sampleCount * Self.plane).map { position in
            position / Self.plane % 5 == 4 ? 0 : UInt8(generator.next() & 1)
        }
        self.maskBytes = maskBytes
        var sample = try SampleDataset(
            folder,
            images: (0..<sampleCount).map { Array(pixels[$0 * elementCount..<($0 + 1) * elementCount]) },
            of: shape)
        sample.compression = compression
        sample.ids = (0..<sampleCount).map { "\(idPrefix)\($0)" }
        sample.labels = isLabelled ? (0..<sampleCount).map { $0 % 3 } : nil
        sample.groups = groups.map { SampleGroups(numbers: $0, names: nil) }
        if !splitNames.isEmpty {
            sample.splits = (0..<sampleCount).map { UInt8($0 % splitNames.count) }
            sample.splitNames = splitNames
        }
        sample.maskBits = try MaskBits(rowCount: sampleCount + 1, elementsPerRow: Self.plane)
        for (position, byte) in maskBytes.enumerated() where byte == 1 {
            sample.maskBits[position / Self.plane, position % Self.plane] = true
        }
        sample.maskRows = Array(0..<sampleCount)
        dataset = try sample.dataset()
        masks = try sample.masks(dataset.fingerprint)
    }

    /// Writes the masks to a file and gives its path.
    func writeMasks() throws -> String {
        try MaskSetWriter.write(masks, provenance: [:], path: folder.path("m.h5"), force: true)
        return folder.path("m.h5")
    }

    /// The values that a batch must hold for a sample: image, mask and whether it is annotated.
    func expected(_ index: Int) -> (image: [Float], mask: [UInt8], isAnnotated: Bool) {
        let elementCount = Self.channels * Self.plane
        let image = pixels[index * elementCount..<(index + 1) * elementCount].map { Float($0) / 255 }
        let plane = maskBytes[index * Self.plane..<(index + 1) * Self.plane]
        return (image, Array(plane) + Array(plane), plane.contains(1))
    }
}
