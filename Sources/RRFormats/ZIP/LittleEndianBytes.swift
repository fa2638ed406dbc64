/// Bytes from which integers are taken, none beyond the end.
struct LittleEndianBytes {
    let all: [UInt8]

    init(_ bytes: [UInt8]) { all = bytes }

    /// An unsigned integer of 1 to 8 bytes; nil beyond the end, or where it is above `Int.max`.
    func integer(at offset: Int, size: Int) -> Int? {
        guard let bytes = bytes(at: offset, count: size) else { return nil }
        return Int(exactly: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    func bytes(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, offset <= all.count, count <= all.count - offset else { return nil }
        return all[offset..<offset + count]
    }
}
