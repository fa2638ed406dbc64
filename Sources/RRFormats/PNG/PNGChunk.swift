/// A chunk of a PNG file: a length, four letters, data and a checksum (PNG, 5.3).
struct PNGChunk {
    /// The four letters, the first in the highest byte.
    let type: UInt32
    /// Where the data lies in the file; the letters are the four bytes before it, the checksum those after.
    let data: Range<Int>

    /// Reads the chunk that begins at an offset; nil where it does not lie inside the file.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset <= bytes.count - 12 else { return nil }
        let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        guard length <= bytes.count - 12 - offset else { return nil }
        type = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        data = offset + 8..<offset + 8 + length
    }

    /// The four letters of the chunk at an offset, whose data need not be there; nil where they are not.
    static func type(in bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32? {
        guard offset <= bytes.count - 8 else { return nil }
        return UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
    }

    /// Where the next chunk begins.
    var end: Int { data.upperBound + 4 }

    /// Whether the checksum over letters and data is right.
    func hasRightChecksum(in bytes: UnsafeRawBufferPointer) -> Bool {
        let stored = bytes.loadUnaligned(fromByteOffset: data.upperBound, as: UInt32.self)
        let content = UnsafeRawBufferPointer(rebasing: bytes[data.lowerBound - 4..<data.upperBound])
        return CRC32.checksum(of: content) == UInt32(bigEndian: stored)
    }

    static let header: UInt32 = 0x4948_4452
    static let palette: UInt32 = 0x504C_5445
    static let imageData: UInt32 = 0x4944_4154
    static let end: UInt32 = 0x4945_4E44
    static let transparency: UInt32 = 0x7452_4E53
    static let exif: UInt32 = 0x6558_4966

    /// Chunks that name a colour space: gAMA, cHRM, sRGB, iCCP, cICP.
    static func namesColorSpace(_ type: UInt32) -> Bool {
        switch type {
        case 0x6741_4D41, 0x6348_524D, 0x7352_4742, 0x6943_4350, 0x6349_4350: true
        default: false
        }
    }

    /// Chunks that say nothing about the samples: those of colour spaces, tEXt, zTXt, iTXt, pHYs, tIME, bKGD,
    /// sBIT and eXIf.
    static func isPassedOver(_ type: UInt32) -> Bool {
        switch type {
        case 0x7445_5874, 0x7A54_5874, 0x6954_5874, 0x7048_5973, 0x7449_4D45, 0x624B_4744, 0x7342_4954,
            0x6558_4966:
            true
        default: namesColorSpace(type)
        }
    }
}
