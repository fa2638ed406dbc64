/// Changes of the order of bytes within elements.
enum ByteOrder {
    /// Turns the bytes of every element round.
    ///
    /// - Parameter size: the bytes of an element; 1, 2, 4 or 8.
    static func swap(_ bytes: UnsafeMutableRawBufferPointer, elementSize size: Int) {
        switch size {
        case 2: swap(bytes, as: UInt16.self)
        case 4: swap(bytes, as: UInt32.self)
        case 8: swap(bytes, as: UInt64.self)
        default: break
        }
    }

    private static func swap<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeMutableRawBufferPointer, as type: Word.Type
    ) {
        let step = MemoryLayout<Word>.size
        for offset in stride(from: 0, to: bytes.count - step + 1, by: step) {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: type)
            bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: type)
        }
    }
}
