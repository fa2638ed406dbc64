public import RRFormats

/// All that a validation finds in a dataset, in mask sets and in runs.
///
/// There are two ways in with this one result: `init(datasetPath:maskPaths:imageByteLimit:)` judges a dataset and mask
/// sets, and in the module `RRTraining` `init(runPath:datasetFingerprint:)` a run or a model. `add(_:)` makes one report
/// of several.
public struct ValidationReport: Sendable {
    /// What a dataset is, as far as it could be told.
    public struct Dataset: Sendable {
        public let path: String
        /// The number of samples; nil where it could not be told.
        public let sampleCount: Int?
        /// The images whose bytes were checked.
        public let checkedImageCount: Int
        /// The fingerprint that is stored; nil where there is none.
        public let fingerprint: String?
    }

    /// What the masks of one file cover.
    public struct Masks: Sendable {
        public let path: String
        /// The samples whose mask is not all zero; nil where it could not be told.
        public let annotatedCount: Int?
        /// The samples without such a mask; nil where it could not be told.
        public let unannotatedCount: Int?
        /// The mean share of 1s in the masks that are not all zero.
        public let meanCoverage: Double?
    }

    /// The bytes of images that are read where not every image is: a fraction of a second.
    public static let quickImageByteCount = 256 << 20

    /// Nil where a run was judged by itself.
    public private(set) var dataset: Dataset?
    /// File by file, in the order in which the files were given.
    public private(set) var masks: [Masks]
    /// File by file, in the order in which the files were given.
    public private(set) var findings: [Finding]

    public var faultCount: Int { findings.count { $0.severity == .fault } }
    public var warningCount: Int { findings.count { $0.severity == .warning } }
    /// Whether there is no fault; there may be warnings.
    public var isSound: Bool { faultCount == 0 }

    /// Judges a dataset, and mask sets by themselves and as its masks. All masks are read.
    ///
    /// - Parameters:
    ///   - datasetPath: a dataset file.
    ///   - maskPaths: its mask sets.
    ///   - imageByteLimit: the bytes of images that are read at most, spread evenly over the dataset.
    /// - Throws: `FormatError` with the code `notFound` where a file is missing; everything else is a finding.
    public init(
        datasetPath: String, maskPaths: [String] = [], imageByteLimit: Int = Self.quickImageByteCount
    ) throws(FormatError) {
        // A missing file is told before gigabytes are read.
        for path in [datasetPath] + maskPaths where FileTree.kind(of: path) == nil {
            throw FormatError(.notFound, path: path, "there is no such file")
        }
        let outcome = try DatasetValidator.run(path: datasetPath, imageByteLimit: imageByteLimit)
        let facts = outcome.facts
        dataset = Dataset(
            path: datasetPath, sampleCount: facts.sampleCount, checkedImageCount: outcome.checkedImageCount,
            fingerprint: facts.fingerprint)
        masks = []
        findings = outcome.findings
        for path in maskPaths {
            let (maskFindings, coverage) = try MaskSetValidator.run(path: path, for: facts)
            findings += maskFindings
            let unannotated = coverage.annotatedCount.flatMap { annotated in
                facts.sampleCount.map { $0 - annotated }
            }
            masks.append(
                Masks(
                    path: path, annotatedCount: coverage.annotatedCount, unannotatedCount: unannotated,
                    meanCoverage: coverage.meanShare))
        }
    }

    /// Takes what was found in files that are neither datasets nor mask sets.
    package init(findings: [Finding]) {
        dataset = nil
        masks = []
        self.findings = findings
    }

    /// Adds what was found in other files, after what there is; the dataset stays the first.
    public mutating func add(_ other: ValidationReport) {
        dataset = dataset ?? other.dataset
        masks += other.masks
        findings += other.findings
    }
}
