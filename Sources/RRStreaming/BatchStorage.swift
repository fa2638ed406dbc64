/// The arrays of a batch.
///
/// `@unchecked Sendable`: from `prepare` to the delivery of the batch the crew alone has a reference, and each of its
/// threads writes the places of other samples. Consumers only read. Arrays that a consumer kept are copied by `prepare`,
/// as Swift's arrays are.
final class BatchStorage: @unchecked Sendable {
    private(set) var images: [Float] = []
    private(set) var storedImages: [UInt8] = []
    private(set) var labels: [Int64] = []
    private(set) var indices: [Int64] = []
    private(set) var masks: [UInt8] = []
    private(set) var annotated: [Bool] = []

    /// Where the arrays' elements are between `prepare` and delivery: nothing touches the arrays meanwhile, so that they
    /// stay at their place.
    private(set) var places = Places()

    struct Places {
        var images = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
        var storedImages = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
        var labels = UnsafeMutableBufferPointer<Int64>(start: nil, count: 0)
        var indices = UnsafeMutableBufferPointer<Int64>(start: nil, count: 0)
        var masks = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
        var annotated = UnsafeMutableBufferPointer<Bool>(start: nil, count: 0)
    }

    /// Gives the arrays the extents of a batch; what they held is of no meaning afterwards, but masks that were never
    /// written are zero.
    func prepare(_ extents: BatchExtents) {
        let count = extents.count
        images.resize(to: count * extents.floatsPerImage)
        storedImages.resize(to: count * extents.bytesPerImage)
        labels.resize(to: count)
        indices.resize(to: count)
        masks.resize(to: count * extents.elementsPerMask)
        annotated.resize(to: count)
        places = Places(
            images: images.place(), storedImages: storedImages.place(), labels: labels.place(),
            indices: indices.place(), masks: masks.place(), annotated: annotated.place())
    }
}

/// The sizes of a batch's arrays.
struct BatchExtents {
    var count: Int
    let floatsPerImage: Int
    let bytesPerImage: Int
    let elementsPerMask: Int

    /// The memory of a batch; nil where it is more than a number can tell.
    var byteCount: Int? {
        let sample = floatsPerImage * MemoryLayout<Float>.size + bytesPerImage + elementsPerMask + 17
        let (product, overflow) = sample.multipliedReportingOverflow(by: count)
        return overflow ? nil : product
    }
}

extension Array where Element: ExpressibleByIntegerLiteral & BitwiseCopyable {
    fileprivate mutating func resize(to count: Int) { resize(to: count, filling: 0) }
}

extension Array where Element == Bool {
    fileprivate mutating func resize(to count: Int) { resize(to: count, filling: false) }
}

extension Array where Element: BitwiseCopyable {
    fileprivate mutating func resize(to count: Int, filling element: Element) {
        if self.count > count {
            removeLast(self.count - count)
        } else if count > capacity {
            self = Array(repeating: element, count: count)
        } else if self.count < count {
            append(contentsOf: repeatElement(element, count: count - self.count))
        }
    }

    fileprivate mutating func place() -> UnsafeMutableBufferPointer<Element> {
        withUnsafeMutableBufferPointer { $0 }
    }
}
