internal import CStoredElements

/// The way from stored integers to floats between 0 and 1.
enum ImageScaling {
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
