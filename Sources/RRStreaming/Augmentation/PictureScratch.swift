/// What one thread keeps a picture in while it changes it; it grows to the largest use and stays.
final class PictureScratch {
    /// An image whose size changes.
    private let image = GrowingMemory<Float>()
    /// Its mask.
    private let mask = GrowingMemory<UInt8>()
    private let floats = GrowingMemory<Float>()
    private let bytes = GrowingMemory<UInt8>()
    /// How target positions are made of source positions.
    var rows = ResamplingWindows()
    var columns = ResamplingWindows()
    /// Where the pixels of one row of a rotation come from.
    var taps: [RotationTap] = []
    /// The weights of a blur.
    var weights: [Float] = []

    /// Memory for a picture of so many elements, of any content.
    func picture(
        _ count: Int
    ) -> (image: UnsafeMutableBufferPointer<Float>, mask: UnsafeMutableBufferPointer<UInt8>) {
        (image.elements(count), mask.elements(count))
    }

    /// Memory for so many numbers, of any content.
    func floats(_ count: Int) -> UnsafeMutableBufferPointer<Float> { floats.elements(count) }

    /// A copy of some bytes.
    func copy(of source: UnsafeMutableBufferPointer<UInt8>) -> UnsafeMutableBufferPointer<UInt8> {
        let copy = bytes.elements(source.count)
        _ = copy.update(fromContentsOf: source)
        return copy
    }
}

private final class GrowingMemory<Element: BitwiseCopyable & ExpressibleByIntegerLiteral> {
    private var memory = UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

    deinit { memory.deallocate() }

    func elements(_ count: Int) -> UnsafeMutableBufferPointer<Element> {
        if memory.count < count {
            memory.deallocate()
            memory = .allocate(capacity: count)
            memory.initialize(repeating: 0)
        }
        return UnsafeMutableBufferPointer(rebasing: memory[..<count])
    }
}
