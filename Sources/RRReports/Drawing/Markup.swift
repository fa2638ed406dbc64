internal import RRFormats

/// Text and pictures inside HTML and SVG.
package enum Markup {
    /// Text that stands for itself between tags and inside quoted attributes, whatever it holds.
    ///
    /// Characters that XML has none of (XML 1.0, section 2.2) are replaced.
    package static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x40 || $0 >= 0xEF }) else { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}":
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A name of whatever origin as a page shows it: escaped, in one line, and apart from the direction of what stands beside it.
    package static func name(_ text: String) -> String { "<bdi>\(escaped(text.legible))</bdi>" }

    /// The address of a picture that a page has within itself.
    package static func dataAddress(ofPNG bytes: [UInt8]) -> String {
        "data:image/png;base64,\(Base64.text(of: bytes))"
    }
}
