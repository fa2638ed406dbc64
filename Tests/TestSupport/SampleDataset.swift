package import RRDatasets
internal import RRFormats
package import RRSchemas
package import RRTensor

/// A small dataset and its masks, with known content, and the means to spoil them.
package struct SampleDataset {
    package static let count = 7

    package let folder: TemporaryFolder
    package let shape: ImageShape
    package var elementType = ImageElementType.uint8
    package var compression = Compression.none
    package var labels: [Int]? = [0, 1, 2, 0, 1, 2, 0]
    package var classNames: [String]? = ["coat", "bag", "boot"]
    package var splits: [UInt8]? = [0, 0, 0, 0, 1, 1, 1]
    package var provenance: JSONValue = [:]
    /// Added to every stored byte: another dataset that differs in its pixels only.
    package var pixelOffset: UInt8 = 0

    package init(_ folder: TemporaryFolder, channels: Int = 1, height: Int = 5, width: Int = 4) throws {
        self.folder = folder
        shape = try ImageShape(channels: channels, height: height, width: width)
    }

    /// The stored bytes of an image, different in every sample and element.
    package func storedBytes(of index: Int) -> [UInt8] {
        guard elementType == .float32 else {
            let count = shape.elementCount * elementType.size
            return (0..<count).map { UInt8(truncatingIfNeeded: index * 37 + $0 * 11) &+ pixelOffset }
        }
        let floats = (0..<shape.elementCount).map { element -> Float in
            Float(index) * 0.25 - Float(element) * 0.125 + Float(pixelOffset)
        }
        return floats.withUnsafeBytes { Array($0) }
    }

    @discardableResult
    package func write(_ name: String = "d.h5") throws -> String {
        let path = folder.path(name)
        let writer = try DatasetWriter(
            path: path, force: true, sampleCount: Self.count, imageShape: shape, elementType: elementType,
            color: "other", compression: compression)
        for index in 0..<Self.count {
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
                ids: (0..<Self.count).map { "sample/\($0)" }, labels: labels, classNames: classNames,
                splits: splits, splitNames: splits == nil ? [] : ["train", "test"]), provenance: provenance)
        try writer.commit()
        return path
    }

    /// Masks of one channel for the samples 1, 4 and 6, in another order: sample s has a 1 at element s only.
    package func masks(_ fingerprint: String) throws -> MaskSet {
        let maskShape = try ImageShape(channels: 1, height: shape.height, width: shape.width)
        var bits = try MaskBits(rowCount: 4, elementsPerRow: maskShape.elementCount)
        for (row, sample) in [6, 1, 4].enumerated() { bits[row, sample] = true }
        return try MaskSet(
            bits: bits, rows: [3, 1, 3, 3, 2, 3, 0], maskShape: maskShape, datasetFingerprint: fingerprint)
    }

    @discardableResult
    package func writeMasks(for dataset: String = "d.h5", _ name: String = "m.h5") throws -> String {
        let masks = try masks(Dataset(path: folder.path(dataset)).fingerprint)
        try MaskSetWriter.write(masks, provenance: ["source": "test"], path: folder.path(name), force: true)
        return folder.path(name)
    }
}
