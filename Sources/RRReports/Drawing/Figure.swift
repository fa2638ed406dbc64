internal import FoundationEssentials
internal import Glibc
package import RRExplanation

/// Numbers as people read them.
package enum Figure {
    /// Four significant digits: `0.01234`, `1.235e-06`.
    package static func text(_ value: Double) -> String { format("%.4g", value) }

    /// One digit after the point: `87.6 %`.
    package static func percent(_ share: Double) -> String { format("%.1f %%", 100 * share) }

    /// ` (80.1 to 90.3 %)`, with the space before it; nothing without an interval.
    package static func range(_ interval: ConfidenceInterval?) -> String {
        interval.map { format(" (%.1f to ", 100 * $0.lower) + percent($0.upper) + ")" } ?? ""
    }

    /// ` (+70.1 to +84.0)`, of a hundred, with the space before it; nothing without an interval.
    package static func pointRange(_ interval: ConfidenceInterval?) -> String {
        interval.map { format(" (%+.1f to ", 100 * $0.lower) + format("%+.1f)", 100 * $0.upper) } ?? ""
    }

    /// ` (0.8012 to 0.9031)`, with the space before it; nothing without an interval.
    package static func bounds(_ interval: ConfidenceInterval?) -> String {
        interval.map { " (\(text($0.lower)) to \(text($0.upper)))" } ?? ""
    }

    /// `+78.0 points`, of a hundred.
    package static func points(_ difference: Double) -> String { format("%+.1f points", 100 * difference) }

    /// Rows of cells, each column as wide as its widest and flush right.
    package static func columns(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { cell, width in
                String(repeating: " ", count: width - cell.count) + cell
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// `784 B`, `12.3 MB`
    package static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1000 { return format(unit == "B" ? "%.0f" : "%.1f", value) + " " + unit }
            value /= 1000
        }
        return format("%.1f", value) + " TB"
    }

    private static func format(_ pattern: String, _ value: Double) -> String {
        var buffer = Array(repeating: CChar(0), count: 64)
        let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, pattern, $0) }
        return String(
            decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
