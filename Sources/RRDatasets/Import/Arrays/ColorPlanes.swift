/// Bytes of pixels of three channels, taken apart into planes without a store for each byte.
///
/// Eight pixels are three words. The bytes of one channel stand at other places in each of the words, so that masks
/// bring all eight together in one word, in the order 0 3 6 1 4 7 2 5; two exchanges of bytes sort them.
enum ColorPlanes {
    /// Two groups of eight pixels at a time.
    private typealias Words = SIMD2<UInt64>

    /// Spreads `count` pixels over three planes of as many bytes, one after another.
    static func separate(_ source: UnsafePointer<UInt8>, count: Int, into target: UnsafeMutablePointer<UInt8>)
    {
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(target)
        let whole = count - count % 16
        for pixel in stride(from: 0, to: whole, by: 16) {
            let first = words(from + 3 * pixel)
            let second = words(from + 3 * pixel + 8)
            let third = words(from + 3 * pixel + 16)
            let red = sorted(first & mask(0) | second & mask(1) | third & mask(2))
            // The other channels begin elsewhere: bytes are turned round to where those of the first are.
            let green = sorted(turned(first & mask(1) | second & mask(2) | third & mask(0), by: 8))
            let blue = sorted(turned(first & mask(2) | second & mask(0) | third & mask(1), by: 16))
            (to + pixel).storeBytes(of: red, as: Words.self)
            (to + count + pixel).storeBytes(of: green, as: Words.self)
            (to + 2 * count + pixel).storeBytes(of: blue, as: Words.self)
        }
        for pixel in whole..<count {
            target[pixel] = source[3 * pixel]
            target[count + pixel] = source[3 * pixel + 1]
            target[2 * count + pixel] = source[3 * pixel + 2]
        }
    }

    @inline(__always)
    private static func words(_ place: UnsafeRawPointer) -> Words {
        Words(
            UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)),
            UInt64(littleEndian: (place + 24).loadUnaligned(as: UInt64.self)))
    }

    /// The bytes at the places that leave the given rest when divided by three.
    @inline(__always)
    private static func mask(_ rest: Int) -> Words {
        switch rest {
        case 0: Words(repeating: 0x00FF_0000_FF00_00FF)
        case 1: Words(repeating: 0xFF00_00FF_0000_FF00)
        default: Words(repeating: 0x0000_FF00_00FF_0000)
        }
    }

    @inline(__always)
    private static func turned(_ words: Words, by bits: UInt64) -> Words {
        words &>> Words(repeating: bits) | words &<< Words(repeating: 64 - bits)
    }

    /// Brings the bytes 0 3 6 1 4 7 2 5 into order.
    @inline(__always)
    private static func sorted(_ words: Words) -> Words {
        let half = exchanged(words, by: 32, at: 0x0000_0000_00FF_0000)
        return exchanged(half, by: 16, at: 0x0000_FF00_0000_FF00)
    }

    /// Exchanges bytes with those above them.
    @inline(__always)
    private static func exchanged(_ words: Words, by bits: UInt64, at mask: UInt64) -> Words {
        let difference = (words &>> Words(repeating: bits) ^ words) & Words(repeating: mask)
        return words ^ difference ^ difference &<< Words(repeating: bits)
    }
}
