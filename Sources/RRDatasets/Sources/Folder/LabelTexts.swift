/// What the labels of a list mean that are written as texts.
enum LabelTexts {
    /// The whole numbers that all of some texts are, `1.0` one of them; nil where one is none.
    static func wholeNumbers(_ texts: [String]) -> [Int]? {
        var numbers: [Int] = []
        for text in texts {
            guard let number = Int32(text).map(Int.init) ?? decimal(text).flatMap(Int.init(exactly:)) else {
                return nil
            }
            numbers.append(number)
        }
        return numbers
    }

    /// The classes of some texts: the names in their order, and the number of each text's.
    ///
    /// Where all texts are numbers, equal ones are one class, and they are sorted as numbers; else names are sorted by
    /// their bytes.
    static func classes(of texts: [String]) -> (names: [String], numbers: [Int]) {
        let decimals = texts.compactMap(decimal)
        guard decimals.count == texts.count else {
            let known = Set(texts.map { Array($0.utf8) })
            let bare = texts.map { text in
                let bare = withoutFraction(text)
                return known.contains(Array(bare.utf8)) ? bare : text
            }
            let names = Dictionary(bare.map { (Array($0.utf8), $0) }) { first, _ in first }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            let numbers = Dictionary(names.enumerated().map { ($1.key, $0) }) { first, _ in first }
            return (names.map(\.value), bare.map { numbers[Array($0.utf8)] ?? 0 })
        }
        let values = Set(decimals).sorted()
        let numbers = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
        let names = values.map { value in texts[decimals.firstIndex(of: value) ?? 0] }
        return (names, decimals.map { numbers[$0] ?? 0 })
    }

    /// `1` for `1.0`, as tables have whole numbers of a column in which some are missing.
    static func withoutFraction(_ text: String) -> String {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")), point > text.startIndex,
            text.utf8[point...].dropFirst().allSatisfy({ $0 == UInt8(ascii: "0") }),
            Int(text[..<point]) != nil
        else { return text }
        return String(text[..<point])
    }

    /// A number in digits, with a point and an exponent where there are; nil for words such as `inf` and hexadecimal digits.
    private static func decimal(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy { byte in
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "+-.eE".utf8.contains(byte)
        }
        guard isPlain, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    /// Labels that an export wrote as numbers; nil where one is none, or too large.
    static func bareNumbers(_ texts: [String]) -> [Int32]? {
        let numbers = texts.compactMap { Int32($0) }.filter { 0...Int32(Dataset.largestBareLabel) ~= $0 }
        return numbers.count == texts.count ? numbers : nil
    }
}
