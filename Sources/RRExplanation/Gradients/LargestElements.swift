package import RRNetworks

/// Finds the K largest of many values without sorting them, in memory that is used again.
///
/// Of equal values those at lower positions are larger, so that the K largest are always exactly K.
package struct LargestElements<Scalar: NetworkScalar> {
    /// A copy that the search may disorder.
    private var ranked: [Scalar] = []

    package init() {}

    /// Finds the value of the element with a rank, 1 for the largest: Hoare's selection, O(n) on average.
    ///
    /// - Parameter values: finite ones, as many as the rank or more.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package mutating func value(ofRank rank: Int, in values: UnsafeBufferPointer<Scalar>) -> Scalar {
        if ranked.count != values.count { ranked = Array(repeating: 0, count: values.count) }
        return ranked.withUnsafeMutableBufferPointer { ranked in
            _ = ranked.update(fromContentsOf: values)
            var low = 0
            var high = ranked.count - 1
            let wanted = rank - 1
            while low < high {
                let pivot = ranked[low + (high - low) / 2]
                var left = low
                var right = high
                while left <= right {
                    while ranked[left] > pivot { left += 1 }
                    while ranked[right] < pivot { right -= 1 }
                    if left <= right {
                        ranked.swapAt(left, right)
                        left += 1
                        right -= 1
                    }
                }
                if wanted <= right {
                    high = right
                } else if wanted >= left {
                    low = left
                } else {
                    break
                }
            }
            return ranked[wanted]
        }
    }

    /// Counts how many of the K largest elements a mask marks.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package mutating func countMarked(
        ofLargest kept: Int, in values: UnsafeBufferPointer<Scalar>, by mask: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let bound = value(ofRank: kept, in: values)
        var free = kept
        var marked = 0
        for index in 0..<values.count where values[index] > bound {
            free -= 1
            if mask[index] != 0 { marked += 1 }
        }
        for index in 0..<values.count where values[index] == bound {
            guard free > 0 else { break }
            free -= 1
            if mask[index] != 0 { marked += 1 }
        }
        return marked
    }
}
