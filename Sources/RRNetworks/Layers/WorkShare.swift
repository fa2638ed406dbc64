/// One of equal shares of a pass through a layer, for a thread of several.
///
/// Shares divide what is written, never a sum: all together write the same bytes, whatever their number.
struct WorkShare: Equatable, Sendable {
    /// Below `count`.
    let index: Int
    let count: Int

    static var whole: WorkShare { WorkShare(index: 0, count: 1) }

    /// The share's part of as many elements; the shares' parts lie one after the other.
    @inline(__always)
    func range(of elementCount: Int) -> Range<Int> {
        elementCount * index / count..<elementCount * (index + 1) / count
    }

    /// The shares that some work is worth: each takes some microseconds at least, several times what handing it out does.
    ///
    /// - Parameters:
    ///   - products: what is multiplied and added; 0 for a loop over elements, which waits for memory.
    ///   - elements: what is read.
    static func count(products: Int, elements: Int) -> Int {
        min(max(products > 0 ? products >> 18 : elements >> 14, 1), 256)
    }
}
