/// What separates the cells of a table, as the file itself shows.
package enum CSVDelimiter: UInt8, Sendable, CaseIterable {
    case comma = 0x2C
    case semicolon = 0x3B
    case tab = 0x09
    case bar = 0x7C

    /// The most records that are looked at.
    private static let sampledCount = 20

    /// Finds the delimiter of a table: a comma where commas make records of equally many cells, and where they do not
    /// what else does, above all with a header that it parts.
    ///
    /// A table of one column has none, and is read as one with commas.
    init(of bytes: [UInt8]) {
        guard !Self.isHeaderTooLong(bytes) else {
            self = .comma
            return
        }
        let readings = Self.allCases.map { (delimiter: $0, columns: Self.columnCount(of: bytes, $0)) }
        // A comma that fits is never doubted: such a table reads as it always did.
        let fitting = readings.filter { ($0.columns ?? 1) > 1 }
        self =
            fitting.first { $0.delimiter == .comma }?.delimiter
            ?? fitting.max { ($0.columns ?? 0) < ($1.columns ?? 0) }?.delimiter ?? Self.ofHeader(bytes)
    }

    /// Whether the first record is longer than any that is read, whatever separates its cells: that is found out once.
    private static func isHeaderTooLong(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > CSVReader.largestRecord else { return false }
        var reader = CSVReader(bytes)
        do throws(CSVFault) {
            _ = try reader.next()
        } catch {
            if case .longRecord = error.kind { return true }
        }
        return false
    }

    /// The number of cells that the first records have alike; nil where they differ or cannot be read.
    private static func columnCount(of bytes: [UInt8], _ delimiter: CSVDelimiter) -> Int? {
        var reader = CSVReader(bytes, delimiter: delimiter)
        guard let header = try? reader.next() else { return nil }
        for _ in 0..<sampledCount {
            guard let record = try? reader.next() else { break }
            guard record.fields.count == header.fields.count else { return nil }
        }
        return header.fields.count
    }

    /// The delimiter of a table whose records are unlike: errors are then in its terms.
    private static func ofHeader(_ bytes: [UInt8]) -> CSVDelimiter {
        func count(_ delimiter: CSVDelimiter) -> Int {
            var reader = CSVReader(bytes, delimiter: delimiter)
            return (try? reader.next())?.fields.count ?? 0
        }
        guard count(.comma) < 2 else { return .comma }
        return allCases.max { count($0) < count($1) } ?? .comma
    }

    /// `semicolons`, for a line about what was read.
    package var name: String {
        switch self {
        case .comma: "commas"
        case .semicolon: "semicolons"
        case .tab: "tabs"
        case .bar: "vertical bars"
        }
    }
}
