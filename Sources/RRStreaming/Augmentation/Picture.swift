internal import RRTensor

/// An image and its mask while their size changes.
struct Picture {
    private(set) var shape: ImageShape
    private let imageMemory: UnsafeMutableBufferPointer<Float>
    private let maskMemory: UnsafeMutableBufferPointer<UInt8>?
    /// That of an image, or 1.
    private let maskChannels: Int

    /// - Parameters:
    ///   - imageMemory: room for the image at its largest, from whose start it stands.
    ///   - maskMemory: the same for the mask, as much a channel; nil for none.
    init(
        shape: ImageShape, imageMemory: UnsafeMutableBufferPointer<Float>,
        maskMemory: UnsafeMutableBufferPointer<UInt8>?
    ) {
        self.shape = shape
        self.imageMemory = imageMemory
        self.maskMemory = maskMemory
        maskChannels =
            maskMemory.map { $0.count * shape.channels / max(1, imageMemory.count) } ?? shape.channels
    }

    /// `(C, H, W)`
    var image: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: imageMemory[..<shape.elementCount])
    }

    /// `(C, H, W)` or `(1, H, W)`
    var mask: UnsafeMutableBufferPointer<UInt8>? {
        maskMemory.map {
            UnsafeMutableBufferPointer(rebasing: $0[..<(maskChannels * shape.pixelCount)])
        }
    }

    /// Brings image and mask to the size that a resampling makes.
    mutating func resample(
        _ resampling: PictureResampling, to target: ImageShape, _ scratch: PictureScratch
    ) {
        resampling.resample(imageMemory, shape, scratch)
        if let maskMemory { resampling.pick(maskMemory, channels: maskChannels, shape, scratch) }
        shape = target
    }

    /// Takes away what rounding put beyond 0 and 1.
    func clampImage() {
        let image = image
        for position in image.indices { image[position] = min(max(image[position], 0), 1) }
    }
}
