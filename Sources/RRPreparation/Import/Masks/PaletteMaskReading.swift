internal import RRFormats

/// What the numbers of a palette say in a mask of which nobody says which count.
///
/// A palette that is gray where the mask uses it is read by its colours, as the image that everybody sees: black is 0, and
/// white, or the gray 1, is 1. Other palettes are read by their numbers, if number 0 is nearly black or transparent, as a
/// background is. In Pascal VOC's palette 255 is void: it is where the annotators would not decide, and is no part of what a
/// mask says is wrong, whatever its 1s mark.
enum PaletteMaskReading: Equatable {
    /// The numbers whose pixels are 1. `isByColor` where the numbers alone would have said something else.
    case marks(Set<Int>, isByColor: Bool)
    /// Class 1 and void of Pascal VOC.
    case voc
    /// Void alone beside the background: 255 may as well be what the mask marks.
    case voidAlone
    /// The mask has more values than two, or one of its own.
    case severalValues
    /// Neither the numbers nor the colours say it.
    case unclear

    /// Reads the numbers that a mask has.
    ///
    /// - Parameter used: the numbers, ascending.
    init(used: [Int], palette: PNGPalette) {
        let colors = used.compactMap { palette.colors.indices.contains($0) ? palette.colors[$0] : nil }
        let grays = colors.compactMap(\.gray)
        if grays.count == used.count, Set(grays).count == grays.count,
            Set(grays).isSubset(of: [0, 255]) || Set(grays).isSubset(of: [0, 1])
        {
            let marked = Set(zip(used, grays).filter { $1 != 0 }.map(\.0))
            self = .marks(marked, isByColor: marked != Set(used.filter { $0 != 0 }))
            return
        }
        let marked = used.filter { $0 != 0 }
        if Self.hasVoid(palette, used: used) {
            self = marked == [Self.void] ? .voidAlone : marked == [1, Self.void] ? .voc : .severalValues
            return
        }
        guard marked.count <= 1, marked.allSatisfy({ $0 == 1 || $0 == 255 }) else {
            self = .severalValues
            return
        }
        self =
            palette.colors.first.map(Self.isBackground) ?? true
            ? .marks(Set(marked), isByColor: false) : .unclear
    }

    /// The number of void.
    static let void = 255

    /// Whether there are void pixels of Pascal VOC.
    static func hasVoid(_ palette: PNGPalette, used: [Int]) -> Bool {
        used.contains(void) && isVOC(palette, used: used)
    }

    private static func isBackground(_ color: PNGPalette.Color) -> Bool {
        color.alpha == 0 || max(color.red, color.green, color.blue) <= 64
    }

    /// Whether colours are those that VOC's development kit gives to numbers: the bits of a number by threes, the lowest
    /// to the highest bits of red, green and blue.
    private static func isVOC(_ palette: PNGPalette, used: [Int]) -> Bool {
        used.allSatisfy { number in
            var channels = [0, 0, 0]
            for bit in 0..<8 { channels[bit % 3] |= (number >> bit & 1) << (7 - bit / 3) }
            return palette.colors.indices.contains(number)
                && palette.colors[number]
                    == PNGPalette.Color(
                        red: UInt8(channels[0]), green: UInt8(channels[1]), blue: UInt8(channels[2]))
        }
    }
}
