internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The labels of an import's samples, read from an array of numbers, one-hot rows or names.
struct ArrayLabels {
    let labels: [Int]
    /// The names of the classes, sorted bytewise; nil where the array holds numbers.
    let classNames: [String]?

    /// Reads an array: (N) or (N, 1) integers or texts, or (N, K) with a single 1 in each row.
    ///
    /// - Parameter count: the number of images.
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongType`, `labelOutOfRange` or `severalLabels`;
    ///   `FormatError`.
    init(_ array: any ArraySource, count: Int) throws {
        let dimensions = array.shape.dimensions
        if dimensions.count == 2, dimensions[0] == count, dimensions[1] > 1, array.elementType.size != nil {
            (labels, classNames) = (try Self.oneHot(array), nil)
            return
        }
        guard dimensions == [count] || dimensions == [count, 1] else {
            throw DatasetError(
                .wrongShape, path: array.location,
                "the shape is \(array.shape), but there are \(count) images: (\(count)) or (\(count), 1) is needed, "
                    + "or (\(count), K) with a single 1 in each row")
        }
        if array.elementType == .text {
            (labels, classNames) = try numbered(array.texts())
            return
        }
        guard array.elementType.isInteger else {
            throw DatasetError(
                .wrongType, path: array.location,
                "the labels are of the type \(array.elementType); whole numbers or class names are needed, one a "
                    + "sample")
        }
        let integers = try array.integers()
        let served = 0...Int64(Dataset.largestBareLabel)
        if let row = integers.firstIndex(where: { !(served ~= $0) }) {
            throw DatasetError(
                .labelOutOfRange, path: array.location,
                "row \(row) has the label \(integers[row]); labels are 0 to \(Dataset.largestBareLabel)"
            )
        }
        labels = integers.map { Int($0) }
        classNames = nil
    }

    private static func oneHot(_ array: any ArraySource) throws -> [Int] {
        switch array.elementType {
        case .uint8, .bool: try oneHot(array, as: UInt8.self)
        case .int8: try oneHot(array, as: Int8.self)
        case .uint16: try oneHot(array, as: UInt16.self)
        case .int16: try oneHot(array, as: Int16.self)
        case .uint32: try oneHot(array, as: UInt32.self)
        case .int32: try oneHot(array, as: Int32.self)
        case .uint64: try oneHot(array, as: UInt64.self)
        case .int64: try oneHot(array, as: Int64.self)
        case .float16: try oneHot(array, as: Float16.self)
        case .float32: try oneHot(array, as: Float.self)
        default: try oneHot(array, as: Double.self)
        }
    }

    private static func oneHot<Element: Numeric & BitwiseCopyable>(
        _ array: any ArraySource, as type: Element.Type
    ) throws -> [Int] {
        let classCount = array.shape[1]
        var labels: [Int] = []
        labels.reserveCapacity(array.shape[0])
        try array.forEachBlock { rows, bytes in
            let block = bytes.assumingMemoryBound(to: type)
            for row in rows {
                let start = (row - rows.lowerBound) * classCount
                let values = block[start..<start + classCount]
                let ones = values.indices.filter { values[$0] == 1 }
                if let other = values.first(where: { $0 != 0 && $0 != 1 }) {
                    throw DatasetError(
                        .severalLabels, path: array.location,
                        "row \(row) of \(array.shape) has the value \(other); labels are (N), or (N, K) with a "
                            + "single 1 in each row")
                }
                guard ones.count == 1, let one = ones.first else {
                    let classes = ones.isEmpty ? "no class" : "\(ones.count) classes"
                    throw DatasetError(
                        .severalLabels, path: array.location,
                        "row \(row) has \(classes); every sample has exactly one label here, and training is on one "
                            + "class a sample. Choose one column as the label, or combine columns into classes"
                    )
                }
                labels.append(one - start)
            }
        }
        return labels
    }
}

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
            let (numbers, names) = try numbered(array.texts())
            return SampleGroups(numbers: numbers, names: names)
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

/// Numbers texts by their place among those that differ, sorted bytewise.
private func numbered(_ texts: [String]) -> (numbers: [Int], names: [String]) {
    let names = Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    return (texts.map { numbers[$0] ?? 0 }, names)
}
