/// Text from a file, a name or another program, as a person can read it in a line and a terminal does not obey it.
extension String {
    /// The most bytes of UTF-8 that a name, an id or a value takes in a message.
    package static let largestLegibleSize = 1024

    /// The text in one line of bounded length: control characters escaped, the middle of a long text left out.
    ///
    /// `a\nb` for a name of two lines, `\u{1B}[2J` for what would clear a terminal. Letters of all scripts stay.
    package var legible: String { shortened(to: Self.largestLegibleSize).escaped(keepingLines: false) }

    /// The text with every character escaped that a terminal would obey, or that changes the order in which what stands
    /// beside it is shown.
    ///
    /// - Parameter keepsLines: whether line feeds and tabs stay.
    package func escaped(keepingLines keepsLines: Bool) -> String {
        guard utf8.contains(where: { Self.isSuspicious($0) }) else { return self }
        var text = ""
        text.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            switch scalar {
            case "\n" where keepsLines, "\t" where keepsLines: text.unicodeScalars.append(scalar)
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case _ where Self.isObeyed(scalar):
                text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The beginning and the end of a text that is longer than a number of bytes, with `…` between them.
    package func shortened(to size: Int) -> String {
        guard utf8.count > size else { return self }
        // Names differ at their ends: of a path that is the file.
        return prefix(bytes: size * 3 / 4) + "…" + suffix(bytes: size / 4)
    }

    private func prefix(bytes count: Int) -> String {
        var end = utf8.index(utf8.startIndex, offsetBy: count)
        while end > utf8.startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end])
    }

    private func suffix(bytes count: Int) -> String {
        var start = utf8.index(utf8.endIndex, offsetBy: -count)
        while start < utf8.endIndex, start.samePosition(in: unicodeScalars) == nil {
            start = utf8.index(after: start)
        }
        return String(self[start...])
    }

    /// Whether a byte is a control character, or begins what may be one beyond ASCII.
    private static func isSuspicious(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xD8 || byte == 0xE2 || byte == 0xEF
            || byte == 0xF3
    }

    /// Unicode's control characters, ends of lines and paragraphs, marks of direction, and tags that nobody sees.
    ///
    /// Source: The Unicode Standard 16.0, sections 23.1, 23.2 and 23.9; UAX #9, table 1.
    private static func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default: false
        }
    }
}
