package import RRTensor

/// Several arrays one after another along dimension 0.
package final class JoinedArray: ArraySource {
    package let shape: TensorShape
    package let elementType: ArrayElementType
    package let rowsPerBlock: Int
    private let parts: [any ArraySource]
    /// The row at which each part begins.
    private let starts: [Int]

    package var location: String { parts.map(\.location).joined(separator: " + ") }

    package var valueNames: [Int64: String]? { parts[0].valueNames }

    package var holdsEncodedImages: Bool { parts.allSatisfy(\.holdsEncodedImages) }

    package var note: String? {
        let notes = parts.compactMap(\.note)
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    /// Joins arrays, of which there is at least one.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where they differ in type, or in more than their number
    ///   of rows.
    package static func join(_ parts: [any ArraySource]) throws(FormatError) -> any ArraySource {
        parts.count == 1 ? parts[0] : try JoinedArray(parts)
    }

    private init(_ parts: [any ArraySource]) throws(FormatError) {
        precondition(!parts.isEmpty)
        let first = parts[0]
        for part in parts where part.valueNames != first.valueNames {
            throw FormatError(
                .unsupported, path: part.location,
                "the numbers have other names than in \(first.location): only arrays of the same enumeration are joined"
            )
        }
        var starts: [Int] = []
        var count = 0
        for part in parts {
            guard part.shape.rank > 0, part.elementType == first.elementType,
                part.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
            else {
                throw FormatError(
                    .unsupported, path: part.location,
                    "the array is \(part.elementType) \(part.shape), but \(first.location) is \(first.elementType) "
                        + "\(first.shape): only arrays that differ in their number of rows alone are joined")
            }
            starts.append(count)
            let (sum, overflow) = count.addingReportingOverflow(part.shape[0])
            guard !overflow else {
                throw FormatError(.unsupported, path: part.location, "there are too many rows to join")
            }
            count = sum
        }
        do {
            shape = try TensorShape([count] + first.shape.dimensions.dropFirst())
        } catch {
            throw FormatError(.unsupported, path: first.location, error.message)
        }
        elementType = first.elementType
        rowsPerBlock = parts.map(\.rowsPerBlock).max() ?? 1
        self.parts = parts
        self.starts = starts
    }

    package func checkSize() throws(FormatError) {
        for part in parts { try part.checkSize() }
    }

    package func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        for (part, start) in zip(parts, starts) {
            let own = rows.clamped(to: start..<start + part.shape[0])
            guard !own.isEmpty else { continue }
            let begin = (own.lowerBound - rows.lowerBound) * bytesPerRow
            let target = UnsafeMutableRawBufferPointer(
                rebasing: bytes[begin..<begin + own.count * bytesPerRow])
            try part.read(rows: own.lowerBound - start..<own.upperBound - start, into: target)
        }
    }

    package func texts() throws(FormatError) -> [String] {
        var texts: [String] = []
        for part in parts { texts += try part.texts() }
        return texts
    }
}
