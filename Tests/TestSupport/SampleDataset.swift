package import RRDatasets
internal import RRFormats
package import RRSchemas
package import RRTensor

/// A dataset and its masks with known content, and the means to write and to spoil them.
package struct SampleDataset {
    /// The samples of the dataset that `init(_:channels:height:width:)` makes.
    package static let count = 7

    package let folder: TemporaryFolder
    package let shape: ImageShape
    package var elementType = ImageElementType.uint8
    package var compression = Compression.none
    package var color = "other"
    package var ids: [String]
    package var labels: [Int]?
    package var classNames: [String]?
    package var splits: [UInt8]?
    package var splitNames: [String] = []
    package var groups: SampleGroups?
    package var provenance: JSONValue = [:]
    /// The masks of one channel, a row each, and a last one of zeros.
    package var maskBits: MaskBits
    /// The row of each sample's mask.
    package var maskRows: [Int]
    /// Added to every stored byte: another dataset that differs in its pixels only.
    package var pixelOffset: UInt8 = 0
    /// The stored bytes of each image; nil for those that `storedBytes(of:)` makes up.
    private let images: [[UInt8]]?

    /// Seven samples of three classes in two splits, with masks for the samples 1, 4 and 6, which stand in another
    /// order: sample s has a 1 at element s only.
    package init(_ folder: TemporaryFolder, channels: Int = 1, height: Int = 5, width: Int = 4) throws {
        self.folder = folder
        shape = try ImageShape(channels: channels, height: height, width: width)
        images = nil
        ids = (0..<Self.count).map { "sample/\($0)" }
        labels = [0, 1, 2, 0, 1, 2, 0]
        classNames = ["coat", "bag", "boot"]
        splits = [0, 0, 0, 0, 1, 1, 1]
        splitNames = ["train", "test"]
        maskBits = try MaskBits(rowCount: 4, elementsPerRow: shape.pixelCount)
        for (row, sample) in [6, 1, 4].enumerated() where sample < shape.pixelCount {
            maskBits[row, sample] = true
        }
        maskRows = [3, 1, 3, 3, 2, 3, 0]
    }

    /// Samples with these images, called by their numbers, without labels, splits and masks.
    ///
    /// - Parameter images: the stored bytes of each, `(C, H, W)`.
    package init(_ folder: TemporaryFolder, images: [[UInt8]], of shape: ImageShape) throws {
        self.folder = folder
        self.shape = shape
        self.images = images
        ids = images.indices.map(String.init)
        maskBits = try MaskBits(rowCount: 1, elementsPerRow: shape.pixelCount)
        maskRows = images.map { _ in 0 }
    }

    /// The stored bytes of an image, where none was given different in every sample and element.
    package func storedBytes(of index: Int) -> [UInt8] {
        if let images { return images[index] }
        guard elementType == .float32 else {
            let count = shape.elementCount * elementType.size
            return (0..<count).map { UInt8(truncatingIfNeeded: index * 37 + $0 * 11) &+ pixelOffset }
        }
        let floats = (0..<shape.elementCount).map { element -> Float in
            Float(index) * 0.25 - Float(element) * 0.125 + Float(pixelOffset)
        }
        return floats.withUnsafeBytes { Array($0) }
    }

    /// Writes the dataset, and gives its path.
    @discardableResult
    package func write(_ name: String = "d.h5") throws -> String {
        let path = folder.path(name)
        let writer = try DatasetWriter(
            path: path, force: true, sampleCount: ids.count, imageShape: shape, elementType: elementType,
            color: color, compression: compression)
        for index in ids.indices {
            let result = storedBytes(of: index).withUnsafeBytes { bytes in
                Result {
                    try writer.write(
                        images: bytes, rows: index..<index + 1, checksums: [CRC32.checksum(of: bytes)])
                }
            }
            try result.get()
        }
        _ = try writer.complete(
            SampleTable(
                ids: ids, labels: labels, classNames: classNames, splits: splits,
                splitNames: splits == nil ? [] : splitNames, groups: groups), provenance: provenance)
        try writer.output.commit()
        return path
    }

    /// Writes the dataset, and opens it.
    package func dataset(_ name: String = "d.h5") throws -> Dataset { try Dataset(path: write(name)) }

    /// The masks for a dataset of this fingerprint.
    package func masks(_ fingerprint: String) throws -> MaskSet {
        try MaskSet(
            bits: maskBits, rows: maskRows,
            maskShape: ImageShape(channels: 1, height: shape.height, width: shape.width),
            datasetFingerprint: fingerprint)
    }

    @discardableResult
    package func writeMasks(for dataset: String = "d.h5", _ name: String = "m.h5") throws -> String {
        let masks = try masks(Dataset(path: folder.path(dataset)).fingerprint)
        try MaskSetWriter.write(masks, provenance: ["source": "test"], path: folder.path(name), force: true)
        return folder.path(name)
    }
}
