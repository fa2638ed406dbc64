internal import RRDatasets
internal import RRFormats
internal import RRTensor

extension ArraySource {
    /// Whether there is an element for each of some things: extents of 1 beside their number, as in (1, N) and
    /// (N, 1, 1, 1), do not matter.
    func hasOne(forEach count: Int) -> Bool {
        let dimensions = shape.dimensions
        return !dimensions.isEmpty && dimensions.filter { $0 != 1 } == (count == 1 ? [] : [count])
    }

    /// Reads numbers of any type that are whole, as MATLAB and pandas have them in floating-point types too.
    ///
    /// - Parameter what: what they are, for errors: `labels`.
    /// - Throws: `DatasetError` with the code `wrongType` where they are no numbers, or one is not whole; `FormatError`.
    func wholeNumbers(_ what: String, needed: String) throws -> [Int64] {
        switch elementType {
        case .float16: try wholeNumbers(what, needed, of: Float16.self)
        case .float32: try wholeNumbers(what, needed, of: Float.self)
        case .float64: try wholeNumbers(what, needed, of: Double.self)
        case .text, .other:
            throw DatasetError(
                .wrongType, path: location, "the \(what) are of the type \(elementType); \(needed)")
        default: try integers()
        }
    }

    private func wholeNumbers<Element: BinaryFloatingPoint & BitwiseCopyable>(
        _ what: String, _ needed: String, of type: Element.Type
    ) throws -> [Int64] {
        var numbers: [Int64] = []
        try forEachBlock { _, bytes in
            for value in bytes.assumingMemoryBound(to: type) {
                guard let number = Int64(exactly: value) else {
                    throw DatasetError(
                        .wrongType, path: location,
                        "the \(what) are of the type \(elementType), and number \(numbers.count) is \(value); \(needed)"
                    )
                }
                numbers.append(number)
            }
        }
        return numbers
    }
}
