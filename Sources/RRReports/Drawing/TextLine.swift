package import RRDatasets
internal import RRFormats

/// A line of text as a picture shows it: in the order in which it is seen, no wider than there is room.
package struct TextLine: Sendable {
    /// The pixels from one line to the next.
    package static let height = Glyphs.height + 2

    /// From left to right.
    private let glyphs: [Glyphs.Glyph]

    /// The pixels that the text takes.
    package var width: Int { glyphs.reduce(0) { $0 + $1.cellCount } * Glyphs.cellWidth }

    /// - Parameters:
    ///   - text: of whatever origin; control characters are escaped.
    ///   - largestWidth: the pixels that there are. Of a longer text the middle is left out: names differ at their ends.
    package init(_ text: String, fitting largestWidth: Int = .max) {
        let legible = text.legible
        var glyphs = Self.visualOrder(legible).map { Glyphs.shared.glyph(of: $0) }
        let largestCount = largestWidth / Glyphs.cellWidth
        if glyphs.reduce(0, { $0 + $1.cellCount }) > largestCount {
            let gap = Glyphs.shared.glyph(of: "…")
            var (head, tail) = (glyphs[...], glyphs[...])
            head = Self.prefix(glyphs, cells: max(0, (largestCount - gap.cellCount + 1) / 2))
            tail = Self.suffix(glyphs, cells: max(0, (largestCount - gap.cellCount) / 2))
            glyphs = largestCount < gap.cellCount ? [] : Array(head) + [gap] + Array(tail)
        }
        self.glyphs = glyphs
    }

    /// Draws the line.
    ///
    /// - Parameters:
    ///   - x: the left end.
    ///   - y: the top.
    package func draw(on panel: inout PixelPanel, x: Int, y: Int, color: RGBColor) {
        var left = x
        for glyph in glyphs {
            let width = glyph.cellCount * Glyphs.cellWidth
            for row in 0..<Glyphs.height where 0..<panel.height ~= y + row {
                for column in 0..<width where glyph.rows[row] >> UInt32(width - 1 - column) & 1 == 1 {
                    if 0..<panel.width ~= left + column { panel[y + row, left + column] = color }
                }
            }
            left += width
        }
    }

    private static func prefix(_ glyphs: [Glyphs.Glyph], cells: Int) -> ArraySlice<Glyphs.Glyph> {
        var sum = 0
        return glyphs.prefix {
            sum += $0.cellCount
            return sum <= cells
        }
    }

    private static func suffix(_ glyphs: [Glyphs.Glyph], cells: Int) -> ArraySlice<Glyphs.Glyph> {
        var (sum, count) = (0, 0)
        for glyph in glyphs.reversed() {
            sum += glyph.cellCount
            if sum > cells { break }
            count += 1
        }
        return glyphs.suffix(count)
    }

    /// The characters from left to right: stretches that are written from the right are turned, numbers within them are not.
    ///
    /// A small part of the Unicode Bidirectional Algorithm (UAX #9) for single lines that begin on the left, as captions do.
    static func visualOrder(_ text: String) -> [Character] {
        var result: [Character] = []
        var stretch: [Character] = []
        var neutral: [Character] = []
        func endStretch() {
            result += turned(stretch)
            result += neutral
            (stretch, neutral) = ([], [])
        }
        for character in text {
            if isFromRight(character) {
                stretch += neutral + [character]
                neutral = []
            } else if stretch.isEmpty {
                result.append(character)
            } else if character.isLetter {
                endStretch()
                result.append(character)
            } else {
                neutral.append(character)
            }
        }
        endStretch()
        return result
    }

    private static func turned(_ stretch: [Character]) -> [Character] {
        var result: [Character] = []
        var number: [Character] = []
        for character in stretch.reversed() {
            if character.isNumber {
                number.insert(character, at: 0)
            } else {
                result += number + [character]
                number = []
            }
        }
        return result + number
    }

    /// Hebrew, Arabic, Syriac, Thaana, N'Ko and their like, with their presentation forms.
    private static func isFromRight(_ character: Character) -> Bool {
        switch character.unicodeScalars.first?.value ?? 0 {
        case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFE, 0x10800...0x10FFF, 0x1E800...0x1EFFF:
            !character.isNumber
        default: false
        }
    }
}
