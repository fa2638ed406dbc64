internal import RRDatasets
package import RRFormats
package import RRSchemas

/// All that `rrdata validate` finds in a dataset and its mask sets.
package struct ValidationReport: Sendable {
    /// What the masks of one file cover.
    package struct Masks: Sendable {
        package let path: String
        /// The samples whose mask is not all zero; nil where it could not be told.
        package let annotatedCount: Int?
        /// The samples without such a mask; nil where it could not be told.
        package let unannotatedCount: Int?
        /// The mean share of 1s in the masks that are not all zero.
        package let meanCoverage: Double?
    }

    /// The bytes of images that are read where not every image is: a fraction of a second.
    package static let quickImageByteCount = 256 << 20

    package let datasetPath: String
    /// The number of samples; nil where it could not be told.
    package let sampleCount: Int?
    /// The images whose bytes were checked.
    package let checkedImageCount: Int
    package let masks: [Masks]
    /// What the dataset is like, to judge other files by.
    package let facts: DatasetFacts
    /// File by file, in the order in which the files were given.
    package let findings: [Finding]

    package var faultCount: Int { findings.count { $0.severity == .fault } }
    package var warningCount: Int { findings.count { $0.severity == .warning } }

    /// Judges a dataset, and mask sets by themselves and as its masks. All masks are read.
    ///
    /// - Parameter imageByteLimit: the bytes of images that are read at most, spread evenly over the dataset.
    /// - Throws: `FormatError` with the code `notFound` where a file is missing; everything else is a finding.
    package init(
        datasetPath: String, maskPaths: [String] = [], imageByteLimit: Int = Self.quickImageByteCount
    ) throws(FormatError) {
        // A missing file is told before gigabytes are read.
        for path in [datasetPath] + maskPaths where FileTree.kind(of: path) == nil {
            throw FormatError(.notFound, path: path, "there is no such file")
        }
        let outcome = try DatasetValidator.run(path: datasetPath, imageByteLimit: imageByteLimit)
        let facts = outcome.facts
        self.facts = facts
        checkedImageCount = outcome.checkedImageCount
        var findings = outcome.findings
        var masks: [Masks] = []
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
        self.datasetPath = datasetPath
        sampleCount = facts.sampleCount
        self.masks = masks
        self.findings = findings
    }

    /// What `rrdata validate --json` prints.
    package var json: JSONValue {
        [
            "valid": .bool(faultCount == 0), "faults": .integer(faultCount),
            "warnings": .integer(warningCount),
            "findings": .array(findings.map(\.json)),
            "dataset": [
                "path": .string(datasetPath), "samples": sampleCount.map { .integer($0) } ?? .null,
                "images_checked": .integer(checkedImageCount),
            ],
            "masks": .array(
                masks.map { masks in
                    [
                        "path": .string(masks.path),
                        "annotated": masks.annotatedCount.map { .integer($0) } ?? .null,
                        "unannotated": masks.unannotatedCount.map { .integer($0) } ?? .null,
                        "mean_coverage": masks.meanCoverage.map { .number($0) } ?? .null,
                    ]
                }),
        ]
    }
}
