/// Bytes that a program has within itself, packed as a zlib stream (RFC 1950).
package enum ZlibBytes {
    /// Inflates a stream of a known size.
    ///
    /// - Returns: nil where the stream is damaged, has another size, or there is no memory.
    package static func inflate(_ source: UnsafeRawBufferPointer, size: Int) -> [UInt8]? {
        guard let inflater = Inflater() else { return nil }
        var isSound = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { target, count in
            let outcome = inflater.inflate(source, .zlib, into: UnsafeMutableRawBufferPointer(target))
            isSound = outcome == .done(read: source.count, written: size)
            count = isSound ? size : 0
        }
        return isSound ? bytes : nil
    }
}
