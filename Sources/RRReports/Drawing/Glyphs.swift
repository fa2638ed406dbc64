internal import CUnifont
internal import RRFormats

/// The letters of pictures: GNU Unifont, 16 pixels high, a letter 8 or 16 wide.
///
/// A font within the program gives the same pixels on every machine and is never missing. It is drawn for this size, and has all of
/// the Basic Multilingual Plane; of what it lacks, such as emoji, the number is shown.
struct Glyphs {
    /// The rows of a glyph.
    static let height = 16
    /// The columns of a cell.
    static let cellWidth = 8

    static let shared = Glyphs()

    /// A bitmap.
    struct Glyph {
        /// Of 8 pixels each: 1 or 2, and more where a number stands for the character.
        let cellCount: Int
        /// A row each, the leftmost pixel highest of `8 · cellCount` bits.
        let rows: [UInt32]
    }

    private static let codeCount = 1 << 16
    private static let byteCount = 1_715_040

    private let bytes: [UInt8]
    /// Where the glyph of each code point begins.
    private let starts: [Int32]

    private init() {
        var size = 0
        let packed = UnsafeRawBufferPointer(start: rr_unifont(&size), count: size)
        // What the compiler has put in is whole; were it not, every letter would be shown by its number.
        bytes =
            ZlibBytes.inflate(packed, size: Self.byteCount) ?? Array(repeating: 0, count: Self.codeCount)
        var next = Int32(Self.codeCount)
        starts = bytes.prefix(Self.codeCount).map { cells in
            defer { next += Int32(cells) * Int32(Self.height) }
            return next
        }
    }

    /// The glyph of a letter with the marks on it.
    func glyph(of character: Character) -> Glyph {
        var scalars = Array(character.unicodeScalars).filter { !Self.isInvisible($0) }
        // Of several letters that make one picture, as in an emoji of a family, the first stands for all.
        if let first = scalars.first { scalars = [first] + scalars.dropFirst().filter(Self.isMark) }
        guard let first = scalars.first else { return Glyph(cellCount: 0, rows: Self.noRows) }
        guard var glyph = known(first) else { return Self.number(of: first) }
        for mark in scalars.dropFirst() {
            guard let other = known(mark), other.cellCount == glyph.cellCount || other.cellCount == 1 else {
                continue
            }
            let shift = UInt32(glyph.cellCount - other.cellCount) * 4
            glyph = Glyph(
                cellCount: glyph.cellCount, rows: zip(glyph.rows, other.rows).map { $0 | $1 << shift })
        }
        return glyph
    }

    private func known(_ scalar: Unicode.Scalar) -> Glyph? {
        guard scalar.value < Self.codeCount else { return nil }
        let cells = Int(bytes[Int(scalar.value)])
        guard cells > 0 else { return nil }
        let start = Int(starts[Int(scalar.value)])
        return Glyph(
            cellCount: cells,
            rows: (0..<Self.height).map { row in
                (0..<cells).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[start + row * cells + $1]) }
            })
    }

    private static let noRows = Array(repeating: UInt32(0), count: height)

    /// A box with the hexadecimal number of a character that the font lacks, two rows of digits 3 × 5 pixels large.
    private static func number(of scalar: Unicode.Scalar) -> Glyph {
        let digits = String(scalar.value, radix: 16)
        let padded = Array(String(repeating: "0", count: max(0, 6 - digits.count)) + digits)
        var rows = noRows
        rows[0] = 0xFFFF
        rows[15] = 0xFFFF
        for row in 1..<15 { rows[row] = 0x8001 }
        for (place, digit) in padded.enumerated() {
            guard let value = digit.hexDigitValue else { continue }
            let (top, left) = (place < 3 ? 2 : 9, 2 + place % 3 * 4)
            for row in 0..<5 {
                rows[top + row] |= (smallDigits[value] >> UInt32(12 - 3 * row) & 7) << UInt32(13 - left)
            }
        }
        return Glyph(cellCount: 2, rows: rows)
    }

    /// The digits 0 to F, five rows of three pixels each, the first row highest.
    private static let smallDigits: [UInt32] = [
        0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111,
        0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_001_010_010,
        0b111_101_111_101_111, 0b111_101_111_001_111, 0b010_101_111_101_101, 0b110_101_110_101_110,
        0b111_100_100_100_111, 0b110_101_101_101_110, 0b111_100_111_100_111, 0b111_100_111_100_100,
    ]

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark: true
        default: false
        }
    }

    /// Joiners, selectors of a variant, marks of direction: what changes other characters and has no form of its own.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.generalCategory == .control
    }
}
