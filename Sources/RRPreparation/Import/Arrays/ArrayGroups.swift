internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The groups of an import's samples, read from an array of numbers or names.
enum ArrayGroups {
    /// Reads (N) or (N, 1) integers or texts.
    ///
    /// - Parameters:
    ///   - count: the number of images.
    ///   - names: the names of the groups by number, where the source has them apart.
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongType` or `groupOutOfRange`; `FormatError`.
    static func read(_ array: any ArraySource, count: Int, names: [String]? = nil) throws -> SampleGroups {
        let dimensions = array.shape.dimensions
        guard dimensions == [count] || dimensions == [count, 1] else {
            throw DatasetError(
                .wrongShape, path: array.location,
                "the shape is \(array.shape), but there are \(count) images: a group for each is needed")
        }
        if array.elementType == .text {
            let texts = try array.texts()
            let sorted = Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let numbers = Dictionary(sorted.enumerated().map { ($1, $0) }) { first, _ in first }
            return SampleGroups(numbers: texts.map { numbers[$0] ?? 0 }, names: sorted)
        }
        guard array.elementType.isInteger else {
            throw DatasetError(
                .wrongType, path: array.location,
                "the groups are of the type \(array.elementType); whole numbers or names are needed")
        }
        let integers = try array.integers()
        let limit = names?.count ?? Dataset.largestBareLabel + 1
        if let row = integers.firstIndex(where: { $0 < 0 || $0 >= limit }) {
            throw DatasetError(
                .groupOutOfRange, path: array.location,
                "row \(row) has the group \(integers[row]); groups are 0 to \(limit - 1)")
        }
        return SampleGroups(numbers: integers.map { Int($0) }, names: names)
    }
}
