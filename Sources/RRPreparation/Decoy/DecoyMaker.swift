public import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes the paper's decoys: a patch in a corner of every image, whose shade gives the class away.
///
/// Two fair coins choose the corner. The patch has the value 255 − 25 · y for the label y; in the random split
/// 255 − 25 · r with r uniform over the classes, so that the patch says nothing there. The mask set marks the patch.
///
/// Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons", IJCAI 2017, section 4 (Decoy MNIST).
public struct DecoyMaker: Sendable {
    /// What was made.
    public struct Summary: Sendable {
        public let sampleCount: Int
        /// The samples of the random split.
        public let randomCount: Int
        /// The new dataset's fingerprint.
        public let fingerprint: String
    }

    /// The height and width of the patch in pixels.
    public static let patchSize = 4
    /// More classes would need a value below zero.
    public static let largestClassCount = 10

    public let dataset: Dataset
    /// The split in which the patch says nothing; nil for none.
    public var randomSplit: String?
    /// Decides corners and random values, each sample's by itself.
    public var seed: UInt64 = 0

    public init(dataset: Dataset) { self.dataset = dataset }

    /// Writes the dataset with decoys and the mask set, which appear together or not at all.
    ///
    /// - Parameters:
    ///   - output: where the dataset appears.
    ///   - masksOutput: where its masks appear.
    ///   - force: whether files that are there are replaced.
    ///   - progress: called with the number of samples done and the number of all.
    /// - Throws: `DatasetError` with the code `missingLabels`, `unsupported` (not uint8, too small, too many
    ///   classes), `unknownSplit`, `invalidOption` or `checksumMismatch`; `FormatError` where a file cannot be read or written.
    public func run(
        output: String, masksOutput: String, force: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Summary {
        let labels = try check()
        guard !PathPlan.areSame(output, masksOutput) else {
            throw DatasetError(
                .invalidOption, path: output, "the dataset and the masks cannot be the same file")
        }
        let randomSamples = try randomSplit.map { Set(try dataset.indices(inSplit: $0)) } ?? []
        try AtomicOutput.checkTarget(output, force: force)
        let masksFile = try AtomicOutput(path: masksOutput, force: force)
        let writer = try DatasetWriter(
            path: output, force: force, sampleCount: dataset.sampleCount, imageShape: dataset.imageShape,
            elementType: dataset.elementType, color: dataset.color, compression: .none)
        let shape = try ImageShape(
            channels: 1, height: dataset.imageShape.height, width: dataset.imageShape.width)
        let builder = try MaskSetBuilder(
            maskShape: shape, sampleCount: dataset.sampleCount, capacity: dataset.sampleCount)
        let size = dataset.imageSize
        let rowsAtATime = min(dataset.sampleCount, max(1, (4 << 20) / size))
        var pixels = Array(repeating: UInt8(0), count: rowsAtATime * size)
        for start in stride(from: 0, to: dataset.sampleCount, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, dataset.sampleCount)
            var checksums: [UInt32] = []
            try pixels.withUnsafeMutableBytes { pixels in
                for index in rows {
                    let image = UnsafeMutableRawBufferPointer(
                        rebasing: pixels[(index - start) * size..<(index - start + 1) * size])
                    try dataset.readStored(at: index, into: image)
                    let decoy = Decoy(
                        seed: seed, index: index, label: labels[index],
                        randomClassCount: randomSamples.contains(index) ? dataset.classCount : nil, in: shape)
                    try builder.add(elements: decoy.positions, for: index)
                    for position in decoy.positions {
                        for channel in 0..<dataset.imageShape.channels {
                            image[channel * shape.pixelCount + position] = decoy.value
                        }
                    }
                    checksums.append(CRC32.checksum(of: UnsafeRawBufferPointer(image)))
                }
                let images = UnsafeRawBufferPointer(rebasing: pixels[..<(rows.count * size)])
                try writer.write(images: images, rows: rows, checksums: checksums)
            }
            progress(rows.upperBound, dataset.sampleCount)
        }
        let fingerprint = try writer.complete(dataset.table(), provenance: try provenance())
        let (bits, maskRows) = try builder.finish()
        let masks = try MaskSet(
            bits: bits, rows: maskRows, maskShape: shape, datasetFingerprint: fingerprint)
        try MaskSetWriter.write(masks, provenance: try provenance(), to: masksFile)
        try writer.output.commit(before: masksFile)
        return Summary(
            sampleCount: dataset.sampleCount, randomCount: randomSamples.count, fingerprint: fingerprint)
    }

    /// Checks that the dataset can carry decoys, and gives its labels.
    private func check() throws(DatasetError) -> [Int] {
        guard let labels = dataset.labels else {
            throw DatasetError(
                .missingLabels, path: dataset.path,
                "decoys give the class away, but the dataset has no labels")
        }
        guard dataset.elementType == .uint8 else {
            throw DatasetError(
                .unsupported, path: dataset.path,
                "decoys are shades of 0 to 255, but the images are \(dataset.elementType.rawValue)")
        }
        guard dataset.classCount <= Self.largestClassCount else {
            throw DatasetError(
                .unsupported, path: dataset.path,
                "the dataset has \(dataset.classCount) classes; a decoy's value, 255 − 25 · label, would be "
                    + "negative for more than \(Self.largestClassCount)")
        }
        guard dataset.imageShape.height >= Self.patchSize, dataset.imageShape.width >= Self.patchSize else {
            throw DatasetError(
                .unsupported, path: dataset.path,
                "the images of \(dataset.imageShape) are smaller than the patch of "
                    + "\(Self.patchSize)×\(Self.patchSize)")
        }
        return labels
    }

    private func provenance() throws -> JSONValue {
        try [
            "command": "decoy", "source": .string(dataset.fingerprint),
            "options": [
                "random_split": randomSplit.map { .string($0) } ?? .null, "seed": .string(String(seed)),
            ],
        ]
    }
}

/// The patch of one sample: a pure function of the seed and the sample.
struct Decoy {
    let value: UInt8
    /// The patch's pixels as positions in one channel.
    let positions: [Int]

    /// - Parameter randomClassCount: the number of classes where the shade is drawn; nil for the label's.
    init(seed: UInt64, index: Int, label: Int, randomClassCount: Int?, in shape: ImageShape) {
        var generator = SplitMix64(seed: SplitMix64.mix(seed) &+ UInt64(index))
        let coins = generator.next()
        let isBottom = coins & 1 == 1
        let isRight = coins >> 1 & 1 == 1
        let shade = randomClassCount.map { Int(generator.nextUnit() * Double($0)) } ?? label
        value = UInt8(clamping: 255 - 25 * shade)
        let size = DecoyMaker.patchSize
        let top = isBottom ? shape.height - size : 0
        let left = isRight ? shape.width - size : 0
        positions = (0..<size * size).map { (top + $0 / size) * shape.width + left + $0 % size }
    }
}
