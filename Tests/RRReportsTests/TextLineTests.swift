import RRDatasets
import Testing

@testable import RRReports

@Suite("text of pictures")
struct TextLineTests {
    /// The inked pixels of a text as rows of `#` and `.`.
    private func drawn(_ text: String, width: Int? = nil) -> [String] {
        let line = width.map { TextLine(text, fitting: $0) } ?? TextLine(text)
        var panel = PixelPanel(width: max(1, line.width), height: 16)
        line.draw(on: &panel, x: 0, y: 0, color: Palette.ink)
        return (0..<16).map { row in
            String((0..<panel.width).map { panel[row, $0] == Palette.ink ? "#" : "." })
        }
    }

    @Test("letters are those of Unifont")
    func letter() {
        #expect(
            drawn("A")[4..<14] == [
                "...##...", "..#..#..", "..#..#..", ".#....#.", ".#....#.", ".######.", ".#....#.",
                ".#....#.",
                ".#....#.", ".#....#.",
            ])
        #expect(TextLine("ab").width == 16 && TextLine("字").width == 16 && TextLine("").width == 0)
    }

    @Test("marks stand on their letters, and take no room")
    func marks() {
        let marked = drawn("e\u{301}")
        #expect(marked[0].count == 8)
        #expect(marked[6...] == drawn("e")[6...] && marked != drawn("e"))
        #expect(TextLine("\u{301}").width <= 8)
    }

    @Test("what the font lacks is shown by its number, a picture of several characters as one")
    func emoji() {
        let single = drawn("😀")
        #expect(single[0] == "################" && single != drawn("😁"))
        #expect(TextLine("👩‍👩‍👧").width == 16 && TextLine("👍🏽").width == 16 && TextLine("🇩🇪").width == 16)
    }

    @Test("stretches from right to left are turned, numbers within them are not")
    func direction() {
        func order(_ text: String) -> String { String(TextLine.visualOrder(text)) }
        #expect(order("abc") == "abc")
        #expect(order("\u{5D0}\u{5D1}\u{5D2}") == "\u{5D2}\u{5D1}\u{5D0}")
        #expect(order("x \u{5D0}\u{5D1} y") == "x \u{5D1}\u{5D0} y")
        #expect(order("\u{5D0} 12 \u{5D1}") == "\u{5D1} 12 \u{5D0}")
        #expect(order("\u{5D0}\u{5D1} 12") == "\u{5D1}\u{5D0} 12")
    }

    @Test("what is too long loses its middle, and nothing is drawn beyond its room", arguments: 0...40)
    func fitting(width: Int) {
        let line = TextLine("train/ankle-boot/00018", fitting: width)
        #expect(line.width <= width)
        var panel = PixelPanel(width: 8, height: 8)
        // Outside of the panel nothing happens.
        line.draw(on: &panel, x: -20, y: -5, color: Palette.ink)
        line.draw(on: &panel, x: 5, y: 5, color: Palette.ink)
    }

    @Test("control characters and marks of direction are shown, not obeyed")
    func hostile() {
        #expect(TextLine("a\u{202E}b").width == TextLine("a\\u{202E}b").width)
        #expect(TextLine("\u{1B}[2J\n").width == TextLine("\\u{1B}[2J\\n").width)
    }
}
