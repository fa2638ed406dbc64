internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Makes the paper's toy colours: images of 5×5 pixels whose two classes two rules tell apart, each by itself.
///
/// Images of class 1 satisfy both rules: the four corners have the same colour, and the three pixels at the top
/// between them have different ones. Images of class 0 satisfy neither. A mask set for each rule marks its pixels,
/// which are the wrong reason where the other rule is wanted.
///
/// Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons", IJCAI 2017, section 4.1.
public struct ToyColorsMaker: Sendable {
    /// What was made.
    public struct Summary: Sendable {
        public let sampleCount: Int
        /// The samples of class 1, which satisfy both rules.
        public let bothRulesCount: Int
        /// The dataset's fingerprint.
        public let fingerprint: String
    }

    /// Where a dataset and its two mask sets are written.
    public struct Outputs: Sendable {
        public var dataset: String
        /// The masks that mark the corners.
        public var cornerMasks: String
        /// The masks that mark the three pixels at the top.
        public var topMasks: String

        public init(dataset: String, cornerMasks: String, topMasks: String) {
            self.dataset = dataset
            self.cornerMasks = cornerMasks
            self.topMasks = topMasks
        }
    }

    /// Ids have six digits.
    public static let largestSplitSize = 1_000_000

    /// The samples of the split `train`; the paper has 20,000.
    public var trainCount = 20_000
    /// The samples of the split `test`.
    public var testCount = 20_000
    /// Decides the images, each by itself: a sample does not change with the number of samples.
    public var seed: UInt64 = 0

    public init() {}

    /// Writes the dataset and the mask sets, which appear together or not at all.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption`; `FormatError` with the code `outputExists` or
    ///   `cannotWrite`.
    public func run(_ outputs: Outputs, force: Bool = false) throws -> Summary {
        try check(outputs)
        try AtomicOutput.checkTarget(outputs.dataset, force: force)
        let cornersFile = try AtomicOutput(path: outputs.cornerMasks, force: force)
        let topFile = try AtomicOutput(path: outputs.topMasks, force: force)
        let count = testCount + trainCount
        let size = ToyImage.size
        let writer = try DatasetWriter(
            path: outputs.dataset, force: force, sampleCount: count,
            imageShape: ImageShape(channels: 3, height: size, width: size), elementType: .uint8, color: "rgb",
            compression: .none)
        var labels: [Int] = []
        labels.reserveCapacity(count)
        for start in stride(from: 0, to: count, by: Self.rowsAtATime) {
            let rows = start..<min(start + Self.rowsAtATime, count)
            var pixels: [UInt8] = []
            var checksums: [UInt32] = []
            for row in rows {
                let image = image(row)
                let elements = image.elements
                labels.append(image.label)
                checksums.append(elements.withUnsafeBytes { CRC32.checksum(of: $0) })
                pixels += elements
            }
            try pixels.withUnsafeBytes { try writer.write(images: $0, rows: rows, checksums: checksums) }
        }
        let fingerprint = try writer.complete(
            SampleTable(
                ids: (0..<count).map(id), labels: labels, classNames: ["neither", "both"],
                splits: (0..<count).map { $0 < testCount ? 0 : 1 }, splitNames: ["test", "train"]),
            provenance: provenance(marks: nil))
        for (file, marks, positions) in [
            (cornersFile, "corners", ToyImage.corners), (topFile, "top-middle", ToyImage.topMiddle),
        ] {
            let masks = try masks(marking: positions, count: count, fingerprint: fingerprint)
            try MaskSetWriter.write(masks, provenance: provenance(marks: marks), to: file)
        }
        try writer.output.commit(before: cornersFile, topFile)
        return Summary(
            sampleCount: count, bothRulesCount: labels.count { $0 == 1 }, fingerprint: fingerprint)
    }

    private static let rowsAtATime = 8192

    private func check(_ outputs: Outputs) throws(DatasetError) {
        for (option, count) in [(OptionName.trainCount, trainCount), (.testCount, testCount)] {
            guard count >= 1, count <= Self.largestSplitSize else {
                throw DatasetError(
                    .invalidOption, path: "",
                    "\(option: option): is \(count), but must be from 1 to \(Self.largestSplitSize) samples")
            }
        }
        let paths = [outputs.dataset, outputs.cornerMasks, outputs.topMasks]
        let areApart = paths.indices.allSatisfy { position in
            paths[..<position].allSatisfy { !PathPlan.areSame($0, paths[position]) }
        }
        guard areApart else {
            throw DatasetError(
                .invalidOption, path: outputs.dataset,
                "the dataset and the two mask sets must be three files")
        }
    }

    /// The image of a row: those of the test split come first, as splits are sorted by name.
    private func image(_ row: Int) -> ToyImage {
        let (split, number): (UInt64, Int) = row < testCount ? (0, row) : (1, row - testCount)
        return ToyImage(seed: SplitMix64.mix(SplitMix64.mix(seed) &+ split) &+ UInt64(number))
    }

    private func id(_ row: Int) -> String {
        let (split, number) = row < testCount ? ("test", row) : ("train", row - testCount)
        let digits = String(number)
        return "\(split)/" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    private func masks(marking positions: [Int], count: Int, fingerprint: String) throws -> MaskSet {
        let shape = try ImageShape(channels: 1, height: ToyImage.size, width: ToyImage.size)
        let builder = try MaskSetBuilder(maskShape: shape, sampleCount: count, capacity: count)
        for row in 0..<count { try builder.add(elements: positions, for: row) }
        let (bits, rows) = try builder.finish()
        return try MaskSet(bits: bits, rows: rows, maskShape: shape, datasetFingerprint: fingerprint)
    }

    private func provenance(marks: String?) -> JSONValue {
        var members: [String: JSONValue] = [
            "command": "toy-colors",
            "options": [
                "train": .integer(trainCount), "test": .integer(testCount), "seed": .string(String(seed)),
            ],
        ]
        members["marks"] = marks.map { .string($0) }
        return .object(members)
    }
}

extension OptionName {
    fileprivate static let testCount = OptionName("testCount")
    fileprivate static let trainCount = OptionName("trainCount")
}
