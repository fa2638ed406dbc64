/// The checksum of HDF5's filter fletcher32: Fletcher's of 16-bit words, the most significant byte first.
///
/// An odd byte at the end is the upper half of a last word (the HDF5 library's `H5_checksum_fletcher32`).
enum Fletcher32 {
    static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        var (first, second): (UInt32, UInt32) = (0, 0)
        var position = 0
        let words = bytes.count / 2
        var left = words
        while left > 0 {
            // As many as cannot overflow the sums.
            let batch = min(left, 360)
            left -= batch
            for _ in 0..<batch {
                first &+= UInt32(bytes[position]) << 8 | UInt32(bytes[position + 1])
                second &+= first
                position += 2
            }
            first = first & 0xFFFF &+ first >> 16
            second = second & 0xFFFF &+ second >> 16
        }
        if bytes.count % 2 == 1 {
            first &+= UInt32(bytes[position]) << 8
            second &+= first
            first = first & 0xFFFF &+ first >> 16
            second = second & 0xFFFF &+ second >> 16
        }
        first = first & 0xFFFF &+ first >> 16
        second = second & 0xFFFF &+ second >> 16
        return second << 16 | first
    }
}
