/// The text of a table as spreadsheets put it into bytes.
enum CSVText {
    /// A table in UTF-8, without the line in which Excel says its delimiter.
    ///
    /// Spreadsheets write “Unicode text” as UTF-16 with a byte order mark; everything else is left as it is.
    static func utf8(of bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]), bytes.count % 2 == 0 {
            let high = bytes[0] == 0xFE ? 0 : 1
            let units = stride(from: 2, to: bytes.count, by: 2).map { position in
                UInt16(bytes[position + high]) << 8 | UInt16(bytes[position + 1 - high])
            }
            guard let text = String(validating: units, as: UTF16.self) else { return bytes }
            bytes = Array(text.utf8)
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        // `"sep=;"` has seven bytes.
        guard let end = bytes.prefix(start + 8).firstIndex(where: { $0 == 10 || $0 == 13 }) else {
            return bytes
        }
        let first = bytes[start..<end].filter { $0 != UInt8(ascii: "\"") }
        guard first.count == 5, first.starts(with: Array("sep=".utf8)),
            CSVDelimiter(rawValue: first[4]) != nil
        else { return bytes }
        // The line stays as an empty one, so that the numbers of the others are those of the file.
        return Array(bytes[end...])
    }
}
