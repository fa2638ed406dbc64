internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The labels of an import's samples, read from an array of numbers, one-hot rows or names.
struct ArrayLabels {
    let labels: [Int]
    /// The names of the classes, sorted bytewise; nil where the array holds numbers.
    let classNames: [String]?

    /// Reads an array: N whole numbers, of whatever type, or texts, or (N, K) or (K, N) with a single 1 for each sample.
    ///
    /// Extents of 1 beside N, as in (1, N) and (N, 1, 1, 1), do not matter. An enumeration's names are the classes, in the
    /// order of their values.
    ///
    /// - Parameter count: the number of images.
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongType`, `labelOutOfRange` or `severalLabels`;
    ///   `FormatError`.
    init(_ array: any ArraySource, count: Int) throws {
        let dimensions = array.shape.dimensions
        let inner = dimensions.dropFirst().filter { $0 != 1 }
        if dimensions.first == count, inner.count == 1, array.elementType.size != nil {
            (labels, classNames) = (try Self.oneHot(array), nil)
            return
        }
        let extents = dimensions.filter { $0 != 1 }
        if extents.count == 2, dimensions.count == 2, extents[1] == count, array.elementType.size != nil {
            (labels, classNames) = (try Self.oneHot(SampleFirstArray(array)), nil)
            return
        }
        guard array.hasOne(forEach: count) else {
            throw DatasetError(
                .wrongShape, path: array.location,
                "the shape is \(array.shape), but there are \(count) images: (\(count)) or (\(count), 1) is needed, "
                    + "or (\(count), K) with a single 1 in each row")
        }
        if array.elementType == .text {
            (labels, classNames) = try numbered(array.texts())
            return
        }
        let integers = try array.wholeNumbers(
            "labels", needed: "whole numbers or class names are needed, one a sample")
        if let names = array.valueNames {
            let values = names.keys.sorted()
            let numbers = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
            if let row = integers.firstIndex(where: { numbers[$0] == nil }) {
                throw DatasetError(
                    .labelOutOfRange, path: array.location,
                    "row \(row) has the value \(integers[row]), which the enumeration does not name: it has "
                        + values.map { "\(names[$0] ?? "") = \($0)" }.joined(separator: ", "))
            }
            labels = integers.map { numbers[$0] ?? 0 }
            classNames = values.map { names[$0] ?? "" }
            return
        }
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
        let classCount = array.elementsPerRow
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
        guard array.hasOne(forEach: count) else {
            throw DatasetError(
                .wrongShape, path: array.location,
                "the shape is \(array.shape), but there are \(count) images: a group for each is needed")
        }
        if array.elementType == .text {
            let (numbers, names) = try numbered(array.texts())
            return SampleGroups(numbers: numbers, names: names)
        }
        let integers = try array.wholeNumbers("groups", needed: "whole numbers or names are needed")
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
