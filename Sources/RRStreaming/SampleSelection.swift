internal import RRDatasets
internal import RRFormats

/// The rows of the dataset that a stream draws from, ascending.
///
/// Rows that lie together, as a split's do, take no memory; others 8 bytes each.
enum SampleSelection: Sendable {
    case range(Range<Int>)
    case list([Int])

    /// - Parameter rows: ascending.
    init(_ rows: [Int]) {
        if let first = rows.first, let last = rows.last, last - first == rows.count - 1 {
            self = .range(first..<last + 1)
        } else {
            self = .list(rows)
        }
    }

    /// Applies the options that choose samples: split, ids, then annotation.
    ///
    /// - Throws: `DatasetError` with the code `unknownSplit`; `invalidOption` where annotated samples are wanted and
    ///   there are no masks; `badMetadata` where an id is not in the split or twice in the list; `empty` where no
    ///   sample is annotated.
    init(of dataset: Dataset, masks: MaskSet?, split: String, options: StreamOptions) throws {
        var rows = try dataset.indices(inSplit: split)
        if let ids = options.ids { rows = try Self.rows(of: ids, among: rows, dataset, split: split) }
        if options.annotatedOnly {
            guard let masks else { throw Self.missingMasks }
            rows = rows.filter { masks.isAnnotated($0) }
            guard !rows.isEmpty else {
                throw DatasetError(
                    .empty, path: dataset.path,
                    "no sample that is chosen has a mask with a pixel set, so there is nothing to stream")
            }
        }
        self.init(rows)
    }

    static var missingMasks: DatasetError {
        DatasetError(
            .invalidOption, path: "",
            "which samples are annotated is said by masks, and there are none: give \(option: .masks)")
    }

    private static func rows(
        of ids: [String], among rows: [Int], _ dataset: Dataset, split: String
    ) throws -> [Int] {
        let all = try dataset.ids()
        var rowsOfIds: [String: Int] = [:]
        rowsOfIds.reserveCapacity(rows.count)
        for row in rows { rowsOfIds[all[row]] = row }
        var chosen: Set<Int> = []
        for id in ids {
            guard let row = rowsOfIds[id] else {
                let hint =
                    split != "all" && all.contains(id)
                    ? "is not in the split “\(split)”: name its split, or all" : "is not in the dataset"
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” of the list \(hint)")
            }
            guard chosen.insert(row).inserted else {
                throw DatasetError(.badMetadata, path: dataset.path, "the id “\(id)” is twice in the list")
            }
        }
        return chosen.sorted()
    }

    var count: Int {
        switch self {
        case .range(let range): range.count
        case .list(let rows): rows.count
        }
    }

    subscript(position: Int) -> Int {
        switch self {
        case .range(let range): range.lowerBound + position
        case .list(let rows): rows[position]
        }
    }

    /// The rows in groups by number, from 0; a row without a group is in none.
    func grouped(into groupCount: Int, by group: (Int) -> Int?) -> [[Int]] {
        var groups: [[Int]] = Array(repeating: [], count: groupCount)
        for position in 0..<count {
            let row = self[position]
            if let number = group(row) { groups[number].append(row) }
        }
        return groups
    }
}
