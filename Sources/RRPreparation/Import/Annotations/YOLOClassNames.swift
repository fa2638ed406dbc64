internal import RRDatasets
internal import RRFormats

/// The names of YOLO's classes by their numbers, from `classes.txt`, `obj.names` or the YAML file of a dataset.
struct YOLOClassNames {
    private(set) var names: [String: String] = [:]
    /// The file that has them; nil where there is none.
    private(set) var file: String?

    private static let lists = ["classes.txt", "obj.names"]
    private static let descriptions = ["data.yaml", "dataset.yaml", "data.yml", "dataset.yml"]

    /// Looks in a folder of labels, and in the two above it, where datasets have `labels/train`.
    ///
    /// - Throws: `FormatError` where a file cannot be read; `DatasetError` with the code `badAnnotation` for a YAML file
    ///   whose names are in no form that is known.
    init(beside folder: String) throws {
        for place in ["", "/..", "/../.."] {
            for name in Self.lists + Self.descriptions {
                let path = folder + place + "/" + name
                guard FileTree.kind(of: path) == .file else { continue }
                let text = String(decoding: try FileBytes.read(path, maximumSize: 1 << 24), as: UTF8.self)
                let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
                if Self.lists.contains(name) {
                    for (number, line) in lines.enumerated() {
                        names[String(number)] = Self.unquoted(line)
                    }
                    names = names.filter { !$0.value.isEmpty }
                } else {
                    guard let found = Self.names(in: lines) else {
                        throw DatasetError(
                            .badAnnotation, path: path,
                            "the names of the classes are read as “names: [cat, dog]” or as a list below “names:”"
                        )
                    }
                    names = found
                }
                file = name
                return
            }
        }
    }

    /// The names in a YAML file: a list in brackets, or below the key with `- ` or a number and a colon before each.
    private static func names(in lines: [Substring]) -> [String: String]? {
        guard let start = lines.firstIndex(where: { $0.hasPrefix("names:") }) else { return [:] }
        var names: [String: String] = [:]
        let inline = withoutComment(lines[start].dropFirst("names:".count))
        if !inline.isEmpty {
            guard let open = inline.first, "[{".contains(open) else { return nil }
            let rest = lines[(start + 1)...].map(withoutComment)
            let whole = ([inline] + rest).joined(separator: " ")
            guard let end = whole.firstIndex(of: open == "[" ? "]" : "}") else { return nil }
            for (number, part) in whole[..<end].dropFirst().split(separator: ",").enumerated() {
                guard open == "{" else {
                    names[String(number)] = unquoted(part)
                    continue
                }
                guard let (key, name) = entry(part) else { return nil }
                names[key] = name
            }
            return names
        }
        for line in lines[(start + 1)...] {
            let content = withoutComment(line)
            guard !content.isEmpty else { continue }
            if content.hasPrefix("- ") {
                names[String(names.count)] = unquoted(content.dropFirst(2))
            } else if line.first?.isWhitespace == true, let (key, name) = entry(content[...]) {
                names[key] = name
            } else {
                guard line.first?.isWhitespace != true else { return nil }
                break
            }
        }
        return names
    }

    /// `0: cat`
    private static func entry(_ text: Substring) -> (key: String, name: String)? {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let number = Int(unquoted(parts[0])) else { return nil }
        return (String(number), unquoted(parts[1]))
    }

    private static func withoutComment(_ line: some StringProtocol) -> String {
        var text = String(line)
        if text.drop(while: \.isWhitespace).hasPrefix("#") { return "" }
        if let comment = text.firstRange(of: " #") { text = String(text[..<comment.lowerBound]) }
        return trimmed(text[...])
    }

    private static func trimmed(_ text: Substring) -> String {
        let rest = text.drop(while: \.isWhitespace)
        return rest.lastIndex { !$0.isWhitespace }.map { String(rest[...$0]) } ?? ""
    }

    private static func unquoted(_ text: some StringProtocol) -> String {
        let content = trimmed(Substring(text))
        for quote in ["'", "\""]
        where content.count >= 2 && content.hasPrefix(quote) && content.hasSuffix(quote) {
            return String(content.dropFirst().dropLast())
        }
        return content
    }
}
