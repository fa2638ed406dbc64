public import RRDatasets
public import RRFormats

/// The samples that an export writes: all of a dataset or those of one split, and their masks.
public struct ExportSource: Sendable {
    public let dataset: Dataset
    /// Present where masks are exported along.
    public let masks: MaskSet?
    /// The indices of the samples, ascending.
    public let indices: [Int]
    /// The id of each sample.
    public let ids: [String]
    /// The label of each sample; nil where the dataset has none.
    public let labels: [Int]?
    /// The group of each sample; nil where the dataset has none.
    public let groups: SampleGroups?
    /// The number of each sample's split; nil where there is one.
    public let splits: [UInt8]?
    /// The names of the splits by number; empty where there is one.
    public let splitNames: [String]

    /// Chooses samples.
    ///
    /// - Parameters:
    ///   - dataset: the dataset that is exported.
    ///   - masks: its masks; nil for images alone.
    ///   - split: the name of a split, or `all`.
    /// - Throws: `DatasetError` with the code `unknownSplit`, `empty` for a split without samples, `otherDataset` or
    ///   `wrongMaskSize` for masks of another dataset; as `Dataset.ids()`.
    public init(dataset: Dataset, masks: MaskSet? = nil, split: String = "all") throws {
        try masks?.check(for: dataset)
        let indices = try dataset.indices(inSplit: split)
        guard !indices.isEmpty else {
            throw DatasetError(.empty, path: dataset.path, "the split “\(split)” has no samples")
        }
        let allIDs = try dataset.ids()
        let isWhole = indices.count == dataset.sampleCount
        self.dataset = dataset
        self.masks = masks
        self.indices = indices
        ids = isWhole ? allIDs : indices.map { allIDs[$0] }
        labels = dataset.labels.map { labels in isWhole ? labels : indices.map { labels[$0] } }
        groups = isWhole ? dataset.groups : dataset.groups?.keeping(indices)
        let isOneSplit = split != "all" || dataset.splits == nil
        splits = isOneSplit ? nil : dataset.splits
        splitNames = isOneSplit ? [] : dataset.splitNames
    }

    /// The exports that keep what others cannot: any type, id, label and mask.
    static let exportsOfAnything: Message = "`\(operation: .exportNPY)` and `\(operation: .exportHDF5)`"

    /// The number of samples.
    public var count: Int { indices.count }

    /// The number of the samples whose mask is not all zero.
    var annotatedCount: Int {
        masks.map { masks in indices.count { masks.isAnnotated($0) } } ?? 0
    }

    /// The class name of a label, or its digits where classes have no names.
    func className(of label: Int) -> String {
        guard let names = dataset.classNames, names.indices.contains(label) else { return String(label) }
        return names[label]
    }
}

/// What an export has written.
public struct ExportSummary: Sendable {
    /// The file or folder.
    public let path: String
    public let sampleCount: Int
    /// The samples whose mask is not all zero; nil without masks.
    public let annotatedCount: Int?
    /// Where masks stand that have a place of their own.
    public let masksPath: String?
    /// The files that belong to no single sample, relative to `path`: arrays, shards, `metadata.csv`.
    public let files: [String]
    /// What a user may not expect: what an import of the export would not give back.
    public let notes: [Message]
}

extension OperationName {
    static let exportHDF5 = OperationName("ArrayExport(.hdf5)")
    static let exportNPY = OperationName("ArrayExport(.npy)")
}
