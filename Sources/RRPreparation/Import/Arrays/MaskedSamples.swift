internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Which samples the rows of an array of masks are for.
struct MaskedSamples {
    /// What says so.
    enum Basis {
        /// There is a mask for each sample.
        case order
        /// An array of M row numbers of the dataset.
        case rows(any ArraySource)
        /// An array of M ids of the dataset; whole numbers stand for their decimal digits.
        case ids(any ArraySource)
        /// An array of N truth values: which samples have a mask. There are N masks, or one for each truth.
        case flags(any ArraySource)
    }

    /// The sample for each row of the array; nil where the row is for none.
    let ofRows: [Int?]

    /// Resolves a basis.
    ///
    /// - Parameters:
    ///   - maskCount: the rows of the array of masks, M.
    ///   - ids: the ids of the dataset's samples, N of them.
    ///   - location: where the masks are, for errors.
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongType`, `indexOutOfRange` or `duplicateId`;
    ///   `FormatError`.
    init(_ basis: Basis, maskCount: Int, sampleCount: Int, ids: () throws -> [String], location: String)
        throws
    {
        switch basis {
        case .order:
            guard maskCount == sampleCount else {
                throw DatasetError(
                    .wrongShape, path: location,
                    "there are \(maskCount) masks for \(sampleCount) images; say which samples they are for with "
                        + "\(option: .rows), \(option: .ids) or \(option: .flags)")
            }
            ofRows = Array(0..<sampleCount)
        case .rows(let array):
            let rows = try Self.integers(array, count: maskCount)
            if let position = rows.firstIndex(where: { $0 < 0 || $0 >= sampleCount }) {
                throw DatasetError(
                    .indexOutOfRange, path: array.location,
                    "element \(position) is \(rows[position]), but the samples are 0 to \(sampleCount - 1)")
            }
            ofRows = try Self.unique(rows.map { Int($0) }, at: array.location) { "the sample \($0)" }
        case .ids(let array):
            let names: [String]
            if array.elementType == .text {
                try Self.check(array, count: maskCount)
                names = try array.texts()
            } else {
                names = try Self.integers(array, count: maskCount).map(String.init)
            }
            let ids = try ids()
            let indices = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
            let unknown = names.filter { indices[$0] == nil }
            guard unknown.isEmpty else {
                let listed = unknown.prefix(3).map { "“\($0)”" }.joined(separator: ", ")
                throw DatasetError(
                    .indexOutOfRange, path: array.location,
                    "\(unknown.count) of \(names.count) ids are of no sample, such as \(listed); the dataset's ids "
                        + "are \(ids.prefix(3).map { "“\($0)”" }.joined(separator: ", "))"
                        + (ids.count > 3 ? ", …" : ""))
            }
            ofRows = try Self.unique(names.map { indices[$0] ?? 0 }, at: array.location) {
                "the id “\(ids[$0])”"
            }
        case .flags(let array):
            let flags = try Self.integers(array, count: sampleCount)
            if let position = flags.firstIndex(where: { $0 != 0 && $0 != 1 }) {
                throw DatasetError(
                    .wrongType, path: array.location,
                    "element \(position) is \(flags[position]); flags are truth values, 0 or 1")
            }
            let flagged = flags.indices.filter { flags[$0] == 1 }
            if maskCount == sampleCount {
                ofRows = flags.indices.map { flags[$0] == 1 ? $0 : nil }
            } else if maskCount == flagged.count {
                ofRows = flagged
            } else {
                throw DatasetError(
                    .wrongShape, path: array.location,
                    "\(flagged.count) of \(sampleCount) samples are flagged, but there are \(maskCount) masks: one "
                        + "for each sample or one for each flagged sample is needed")
            }
        }
    }

    private static func check(_ array: any ArraySource, count: Int) throws(DatasetError) {
        guard array.hasOne(forEach: count) else {
            throw DatasetError(
                .wrongShape, path: array.location, "the shape is \(array.shape), where (\(count)) is needed")
        }
    }

    private static func integers(_ array: any ArraySource, count: Int) throws -> [Int64] {
        try check(array, count: count)
        return try array.wholeNumbers("elements", needed: "whole numbers are needed")
    }

    private static func unique(
        _ samples: [Int], at location: String, name: (Int) -> String
    ) throws(DatasetError) -> [Int?] {
        var seen: Set<Int> = []
        for sample in samples where !seen.insert(sample).inserted {
            throw DatasetError(.duplicateId, path: location, "\(name(sample)) has two masks")
        }
        return samples
    }
}

extension OptionName {
    static let flags = OptionName("flags")
    static let ids = OptionName("ids")
    static let rows = OptionName("rows")
}
