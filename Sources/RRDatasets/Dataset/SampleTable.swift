/// What a dataset says of its samples beside their images: a column for each thing, an element for each sample.
public struct SampleTable: Hashable, Sendable {
    /// The id of each sample; nil where samples are called by their numbers, or ids are read when they are asked for.
    public var ids: [String]?
    /// The label of each sample, from 0 on; nil where there are none.
    public var labels: [Int]?
    /// The names of the classes by label; nil where the labels are bare numbers or absent.
    public var classNames: [String]?
    /// The number of each sample's split; nil where there is one split.
    public var splits: [UInt8]?
    /// The names of the splits by number; empty where there is one.
    public var splitNames: [String]
    /// The group of each sample; nil where the samples are in none.
    public var groups: SampleGroups?
    /// The size of each image before it was resized; nil where images were not, or nobody knows.
    public var sourceSizes: [ImageSize]?

    public init(
        ids: [String]? = nil, labels: [Int]? = nil, classNames: [String]? = nil, splits: [UInt8]? = nil,
        splitNames: [String] = [], groups: SampleGroups? = nil, sourceSizes: [ImageSize]? = nil
    ) {
        self.ids = ids
        self.labels = labels
        self.classNames = classNames
        self.splits = splits
        self.splitNames = splitNames
        self.groups = groups
        self.sourceSizes = sourceSizes
    }

    /// The number of classes: of names, else the largest label and one; 0 without labels. O(N) without names.
    public var classCount: Int { classNames?.count ?? (labels?.max() ?? -1) + 1 }
}

extension SampleTable {
    /// Checks that the columns are of as many samples, and that all that they say has a name.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape`, `duplicateId`, `unsafeId`, `labelOutOfRange`,
    ///   `splitOutOfRange`, `groupOutOfRange`, `valueOutOfRange` or `wrongAttribute`.
    func check(sampleCount count: Int, path: String) throws(DatasetError) {
        for (name, length) in [
            ("ids", ids?.count), ("labels", labels?.count), ("splits", splits?.count),
            ("groups", groups?.numbers.count), ("source sizes", sourceSizes?.count),
        ] {
            guard let length, length != count else { continue }
            throw DatasetError(.wrongShape, path: path, "there are \(length) \(name) for \(count) samples")
        }
        try checkIds(path: path)
        if labels == nil, classNames != nil {
            throw DatasetError(.missingLabels, path: path, "classes have names, but samples have no labels")
        }
        try Self.check(
            labels, below: classNames?.count ?? Dataset.largestBareLabel + 1, .labelOutOfRange, path: path
        ) { "has the label \($0), but the classes are 0 to \($1)" }
        try Self.check(
            groups?.numbers, below: groups?.names?.count ?? Dataset.largestBareLabel + 1, .groupOutOfRange,
            path: path
        ) { "is in group \($0), but the groups are 0 to \($1)" }
        try Self.check(splits.map { $0.map(Int.init) }, below: splitNames.count, .splitOutOfRange, path: path)
        {
            "is in split \($0), but \($1 + 1) splits are named"
        }
        if let index = sourceSizes?.firstIndex(where: { !$0.isStorable }), let size = sourceSizes?[index] {
            throw DatasetError(
                .valueOutOfRange, path: path,
                "sample \(index) has the source size \(size): both extents are from 1 to \(Int32.max)")
        }
        guard splits != nil || splitNames.isEmpty else {
            throw DatasetError(.wrongShape, path: path, "splits have names, but no sample is in one")
        }
        for (what, names) in [
            ("classes", classNames ?? []), ("splits", splitNames), ("groups", groups?.names ?? []),
        ] {
            guard Set(names).count == names.count else {
                throw DatasetError(.wrongAttribute, path: path, "two \(what) have the same name")
            }
        }
    }

    private func checkIds(path: String) throws(DatasetError) {
        guard let ids else { return }
        var seen = Set<String>(minimumCapacity: ids.count)
        for id in ids {
            guard !id.isEmpty, !id.utf8.contains(0) else {
                throw DatasetError(
                    .unsafeId, path: path, "the id “\(id)” cannot be stored: it is empty or holds a zero byte"
                )
            }
            guard seen.insert(id).inserted else {
                throw DatasetError(.duplicateId, path: path, "two samples have the id “\(id)”")
            }
        }
    }

    private static func check(
        _ numbers: [Int]?, below limit: Int, _ code: DatasetError.Code, path: String,
        _ message: (_ number: Int, _ last: Int) -> String
    ) throws(DatasetError) {
        guard let numbers, let index = numbers.firstIndex(where: { $0 < 0 || $0 >= limit }) else { return }
        throw DatasetError(code, path: path, "sample \(index) " + message(numbers[index], limit - 1))
    }
}

/// The height and width of an image in pixels.
public struct ImageSize: Hashable, Sendable, CustomStringConvertible {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// `480×640`, height first.
    public var description: String { "\(height)×\(width)" }

    /// Whether a file has room for it.
    var isStorable: Bool { 1...Int(Int32.max) ~= height && 1...Int(Int32.max) ~= width }
}
