package import RRNetworks

/// Which elements of an input gradient become a mask: those that the model looks at most.
public enum MaskSelection: Equatable, Sendable, CustomStringConvertible {
    /// The elements with the K largest absolute values; of equal ones those at lower positions.
    case top(count: Int)
    /// The same for K = the fraction of all elements, rounded to the nearest and at least 1.
    case topFraction(Double)
    /// All elements above this factor, from 0 to 1, of the sample's largest absolute value.
    case threshold(Double)

    /// `threshold 0.67`
    public var description: String {
        switch self {
        case .top(let count): "top-k \(count)"
        case .topFraction(let fraction): "top-fraction \(fraction)"
        case .threshold(let factor): "threshold \(factor)"
        }
    }

    /// Checks the selection for gradients of a size.
    ///
    /// - Throws: `ExplanationError` with the code `impossibleSelection`.
    public func check(elementCount: Int) throws(ExplanationError) {
        switch self {
        case .top(let count):
            guard count >= 1, count <= elementCount else {
                throw ExplanationError(
                    .impossibleSelection,
                    "cannot take the \(count) largest of \(elementCount) elements: choose 1 to \(elementCount)"
                )
            }
        case .topFraction(let fraction):
            guard fraction > 0, fraction <= 1 else {
                throw ExplanationError(
                    .impossibleSelection, "the fraction \(fraction) must be above 0 and at most 1")
            }
        case .threshold(let factor):
            guard factor >= 0, factor < 1 else {
                throw ExplanationError(
                    .impossibleSelection, "the threshold \(factor) must be at least 0 and below 1")
            }
        }
    }
}

/// What became of a sample's input gradient.
package enum MaskOutcome: Equatable, Sendable {
    case mask
    /// The gradient is zero throughout, so there is nothing to rank.
    case zeroGradient
    /// The gradient has an element that is not a finite number.
    case notFinite
}

/// Selects mask elements from input gradients, in memory that is used again for the next sample.
package struct MaskSelector<Scalar: NetworkScalar> {
    private let selection: MaskSelection
    private var magnitudes: [Scalar] = []
    private var largest = LargestElements<Scalar>()

    package init(_ selection: MaskSelection) { self.selection = selection }

    /// Writes 1 for every selected element and 0 for the others.
    ///
    /// - Parameters:
    ///   - gradient: a multiple of `mask.count` elements; whole blocks of that size are channels, whose absolute
    ///     values are summed.
    ///   - mask: as many elements as are ranked: C · H · W, or H · W where channels are summed.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package mutating func select(
        _ gradient: UnsafeBufferPointer<Scalar>, into mask: UnsafeMutableBufferPointer<UInt8>
    ) -> MaskOutcome {
        mask.update(repeating: 0)
        let count = mask.count
        if magnitudes.count != count { magnitudes = Array(repeating: 0, count: count) }
        for index in 0..<count { magnitudes[index] = gradient[index].magnitude }
        for start in stride(from: count, to: gradient.count, by: count) {
            for index in 0..<count { magnitudes[index] += gradient[start + index].magnitude }
        }
        var maximum = Scalar.zero
        for index in 0..<count {
            guard magnitudes[index].isFinite else { return .notFinite }
            maximum = max(maximum, magnitudes[index])
        }
        guard maximum > 0 else { return .zeroGradient }
        var bound = Scalar.zero
        var free = 0
        switch selection {
        case .top(let kept): free = kept
        case .topFraction(let fraction): free = max(1, Int((fraction * Double(count)).rounded()))
        case .threshold(let factor): bound = Scalar(factor) * maximum
        }
        if free > 0 { bound = magnitudes.withUnsafeBufferPointer { largest.value(ofRank: free, in: $0) } }
        // All above the bound, and of those that equal it as many as are free then.
        for index in 0..<count where magnitudes[index] > bound {
            mask[index] = 1
            free -= 1
        }
        for index in 0..<count where magnitudes[index] == bound {
            guard free > 0 else { break }
            mask[index] = 1
            free -= 1
        }
        return .mask
    }
}

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
