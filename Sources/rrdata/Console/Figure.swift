import FoundationEssentials
import Glibc

/// Numbers as people read them.
enum Figure {
    /// Four significant digits: `0.01234`, `1.235e-06`.
    static func text(_ value: Double) -> String { format("%.4g", value) }

    /// One digit after the point: `87.6 %`.
    static func percent(_ share: Double) -> String { format("%.1f %%", 100 * share) }

    /// `784 B`, `12.3 MB`
    static func bytes(_ count: Int) -> String {
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
