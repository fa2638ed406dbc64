/// What the text of a cell says.
package enum CSVCell {
    /// A text without the spaces around it.
    package static func trimmed(_ text: String) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = text.utf8.first, let last = text.utf8.last, isSpace(first) || isSpace(last) else {
            return text
        }
        let start = text.utf8.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) } ?? start.startIndex
        return start.isEmpty ? "" : String(text[start.startIndex...end])
    }

    /// A text without the spaces around it; nil where the cell says that there is none.
    ///
    /// Besides empty cells these are what pandas, NumPy and spreadsheets write for no value. `NA`, `null` and `None` may be
    /// names, so that these stand.
    package static func value(_ text: String) -> String? {
        let text = trimmed(text)
        guard !text.isEmpty else { return nil }
        // Of millions of cells hardly one has as few bytes and begins so.
        guard text.utf8.count <= 4, "nN#<".utf8.contains(text.utf8[text.startIndex]) else { return text }
        return ["nan", "#n/a", "<na>"].contains(text.lowercased()) ? nil : text
    }

    /// The number in a cell; nil where there is none.
    ///
    /// - Parameter delimiter: what separates the table's cells: a decimal point may be a comma where that is none.
    package static func number(_ text: String, _ delimiter: CSVDelimiter) -> Double? {
        let text = trimmed(text)
        if let number = Double(text) { return number }
        guard delimiter != .comma, text.utf8.count(where: { $0 == UInt8(ascii: ",") }) == 1 else {
            return nil
        }
        return Double(String(text.map { $0 == "," ? "." : $0 }))
    }

    /// Whether a cell of a column of numbers has none: also where it says so in a word.
    package static func lacksNumber(_ text: String) -> Bool {
        guard let text = value(text) else { return true }
        return ["na", "n/a", "null", "none", "-"].contains(text.lowercased())
    }
}
