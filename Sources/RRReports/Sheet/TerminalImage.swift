internal import RRDatasets
internal import RRFormats

/// A picture as a terminal takes it.
public enum TerminalImage: String, Sendable, CaseIterable {
    /// kitty's graphics protocol, which Ghostty, Konsole and WezTerm have too.
    case kitty
    /// iTerm2's inline images, which WezTerm, mintty and the terminal of Visual Studio Code have too.
    case iterm2
    /// Sixels, as xterm, foot, mlterm and Windows Terminal have them.
    case sixel

    /// What a terminal is sent to show a sheet.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where the sheet is too large.
    public func text(of sheet: ContactSheet) throws -> String {
        let pixels = sheet.sheet.pixels()
        switch self {
        case .kitty: return Self.kitty(try pixels.png())
        case .iterm2: return Self.inline(try pixels.png())
        case .sixel: return Self.sixels(pixels)
        }
    }

    /// Source: "Terminal graphics protocol" of kitty: base64 in pieces of at most 4,096 bytes, `m=1` where more follow.
    static func kitty(_ png: [UInt8]) -> String {
        let digits = Array(Base64.text(of: png).utf8)
        var text = ""
        for start in stride(from: 0, to: digits.count, by: 4096) {
            let end = min(start + 4096, digits.count)
            let keys = (start == 0 ? "f=100,a=T," : "") + "m=\(end < digits.count ? 1 : 0)"
            text += "\u{1B}_G\(keys);" + String(decoding: digits[start..<end], as: UTF8.self) + "\u{1B}\\"
        }
        return text + "\n"
    }

    /// Source: "Inline Images Protocol" of iTerm2.
    static func inline(_ png: [UInt8]) -> String {
        "\u{1B}]1337;File=inline=1;size=\(png.count):\(Base64.text(of: png))\u{7}\n"
    }

    /// Source: DEC, "VT330/VT340 Programmer Reference Manual", volume 2, chapter 14. Colours are of a cube of 6 × 6 × 6, with
    /// shares of a hundred.
    static func sixels(_ panel: PixelPanel) -> String {
        func level(_ value: UInt8) -> Int { (Int(value) * 5 + 127) / 255 }
        func number(_ color: RGBColor) -> Int {
            level(color.red) * 36 + level(color.green) * 6 + level(color.blue)
        }
        var text = "\u{1B}Pq\"1;1;\(panel.width);\(panel.height)"
        for color in 0..<216 {
            text += "#\(color);2;\(color / 36 * 20);\(color / 6 % 6 * 20);\(color % 6 * 20)"
        }
        for top in stride(from: 0, to: panel.height, by: 6) {
            var bands: [Int: [UInt8]] = [:]
            for row in top..<min(top + 6, panel.height) {
                for column in 0..<panel.width {
                    bands[
                        number(panel[row, column]), default: Array(repeating: 0, count: panel.width)][
                            column] |=
                        1 << UInt8(row - top)
                }
            }
            for (place, color) in bands.keys.sorted().enumerated() {
                text += (place > 0 ? "$" : "") + "#\(color)" + runs(bands[color] ?? [])
            }
            text += "-"
        }
        return text + "\u{1B}\\\n"
    }

    /// Sixels with their repetitions counted.
    private static func runs(_ sixels: [UInt8]) -> String {
        var text = ""
        var start = 0
        while start < sixels.count {
            let value = sixels[start]
            var end = start + 1
            while end < sixels.count, sixels[end] == value { end += 1 }
            let letter = String(UnicodeScalar(value + 63))
            text +=
                end - start > 3 ? "!\(end - start)\(letter)" : String(repeating: letter, count: end - start)
            start = end
        }
        return text
    }
}
