internal import CStoredElements

/// The way from stored integers to floats between 0 and 1.
enum ImageScaling {
    /// The elements that are converted at a time.
    private static let blockSize = 256

    /// Spreads integers that fill the end of a buffer out to floats that fill it all, divided by `maximum`.
    ///
    /// A float is never smaller than an integer here, so what is written stays behind what is still to be read,
    /// once a block has been moved aside. The division is IEEE's, and so bit for bit NumPy's.
    static func spread<Stored: FixedWidthInteger & BitwiseCopyable>(
        _ type: Stored.Type, maximum: Float, over image: UnsafeMutableBufferPointer<Float>
    ) {
        let size = MemoryLayout<Stored>.stride
        let bytes = UnsafeMutableRawBufferPointer(image)
        let start = bytes.count - image.count * size
        withUnsafeTemporaryAllocation(of: Stored.self, capacity: blockSize) { block in
            var position = 0
            while position < image.count {
                let count = min(blockSize, image.count - position)
                let source = start + position * size
                UnsafeMutableRawBufferPointer(block)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[source..<source + count * size]))
                for offset in 0..<count {
                    image[position + offset] = Float(block[offset]) / maximum
                }
                position += count
            }
        }
    }

    /// Writes bytes divided by 255 as floats, bit for bit NumPy's.
    static func scale(_ bytes: UnsafeBufferPointer<UInt8>, into image: UnsafeMutableBufferPointer<Float>) {
        precondition(bytes.count == image.count)
        guard let bytes = bytes.baseAddress, let target = image.baseAddress else { return }
        rr_scale_bytes(bytes, image.count, target)
    }

    /// Writes 16-bit integers divided by 65,535 as floats, bit for bit NumPy's.
    static func scale(_ integers: UnsafeBufferPointer<UInt16>, into image: UnsafeMutableBufferPointer<Float>)
    {
        precondition(integers.count == image.count)
        for position in 0..<image.count { image[position] = Float(Int32(integers[position])) / 65535 }
    }
}
