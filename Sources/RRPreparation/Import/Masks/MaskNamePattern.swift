internal import RRDatasets
internal import RRFormats

/// How a mask file's name is made of an id: `{id}_segmentation`.
package struct MaskNamePattern: Sendable, Equatable, CustomStringConvertible {
    let prefix: String
    let suffix: String

    private static let placeholder = "{id}"

    /// The whole name is the id.
    static let idAlone = MaskNamePattern(prefix: "", suffix: "")

    private init(prefix: String, suffix: String) {
        self.prefix = prefix
        self.suffix = suffix
    }

    /// - Throws: `DatasetError` with the code `invalidOption` where `{id}` is not there exactly once.
    init(_ text: String) throws(DatasetError) {
        let parts = text.split(separator: Self.placeholder, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw DatasetError(
                .invalidOption, path: "",
                "\(option: .match) “\(text)” must hold {id} exactly once, as '{id}_segmentation' does")
        }
        self.init(prefix: String(parts[0]), suffix: String(parts[1]))
    }

    package var description: String { prefix + Self.placeholder + suffix }

    /// The pattern for files in a folder whose name is no part of ids.
    func inFolder(_ folder: String) -> MaskNamePattern {
        MaskNamePattern(prefix: folder + "/" + prefix, suffix: suffix)
    }

    /// The id in a file's name, given without the extension; nil where the name does not fit.
    func id(in name: String) -> String? {
        let (bytes, first, last) = (name.utf8, prefix.utf8, suffix.utf8)
        if bytes.count > first.count + last.count, bytes.starts(with: first),
            bytes.suffix(last.count).elementsEqual(last)
        {
            return String(decoding: bytes.dropFirst(first.count).dropLast(last.count), as: UTF8.self)
        }
        // The same characters may be other bytes: files of macOS have an accent apart from its letter.
        guard name.count > prefix.count + suffix.count, name.hasPrefix(prefix), name.hasSuffix(suffix) else {
            return nil
        }
        return String(name.dropFirst(prefix.count).dropLast(suffix.count))
    }

    /// The id in the name of one of several masks of an image, which have a number at the end: `x_mask_1`, `x_mask-2`; nil
    /// for any other name, and where the pattern has nothing after the id: there a number may be the id's.
    func id(inNumbered name: String) -> String? {
        guard !suffix.isEmpty, let last = name.last, last.isASCII, last.isNumber else { return nil }
        var bare = name[...]
        while let last = bare.last, last.isASCII, last.isNumber { bare.removeLast() }
        guard let separator = bare.popLast(), "_-.".contains(separator) else { return nil }
        return id(in: String(bare))
    }

    /// `_mask` for `_mask_1`; a suffix that is only a number stays.
    private static func withoutNumber(_ suffix: String) -> String {
        var bare = suffix[...]
        while let last = bare.last, last.isASCII, last.isNumber { bare.removeLast() }
        guard bare.count < suffix.count, let separator = bare.popLast(), "_-.".contains(separator),
            !bare.isEmpty
        else { return suffix }
        return String(bare)
    }

    /// The pattern under which most of some names are ids, where there is one.
    package static func proposal(for names: [String], isId: (String) -> Bool) -> MaskNamePattern? {
        var best: (pattern: MaskNamePattern, count: Int)?
        for name in names.prefix(3) {
            let characters = Array(name)
            for length in stride(from: characters.count, through: 1, by: -1) {
                for start in 0...characters.count - length
                where isId(String(characters[start..<start + length])) {
                    let pattern = MaskNamePattern(
                        prefix: String(characters[..<start]),
                        suffix: withoutNumber(String(characters[(start + length)...])))
                    let count = names.prefix(200).count {
                        (pattern.id(in: $0) ?? pattern.id(inNumbered: $0)).map(isId) ?? false
                    }
                    if count > best?.count ?? 0 { best = (pattern, count) }
                }
                if best != nil { break }
            }
        }
        return best?.pattern
    }
}
