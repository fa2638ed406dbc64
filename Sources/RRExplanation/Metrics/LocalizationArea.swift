package import RRNetworks

/// The area under the receiver operating characteristic of an image's elements: the probability that an element inside A has a
/// larger |g| than one outside, equal ones counted as half.
///
/// 0.5 is chance, 0 says that everything outside A is looked at more than all inside. Other than the rank accuracy it looks
/// at all thresholds, so that the size of A does not matter. It misleads as all rankings do: most elements of an image have a
/// tiny |g|, whose order decides as much as that of the few large ones.
///
/// Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, as the metric `AUC` of
/// Quantus (Hedström et al., Journal of Machine Learning Research 24, 2023).
package struct LocalizationArea {
    /// Of each element the bits of its magnitude, which have the order of the numbers, and below them that of the mask.
    private var keys: [UInt64] = []
    private var sorted: [UInt64] = []

    package init() {}

    /// O(D).
    ///
    /// - Parameters:
    ///   - magnitudes: of the elements, none below zero, all finite.
    ///   - mask: 0 or 1 for each.
    /// - Returns: nil where the mask marks nothing or all.
    package mutating func measure<Scalar: NetworkScalar>(
        _ magnitudes: UnsafeBufferPointer<Scalar>, by mask: UnsafeBufferPointer<UInt8>
    ) -> Double? {
        let count = magnitudes.count
        if keys.count != count {
            keys = Array(repeating: 0, count: count)
            sorted = keys
        }
        for index in 0..<count {
            keys[index] = Double(magnitudes[index]).bitPattern << 1 | (mask[index] == 0 ? 0 : 1)
        }
        sort()
        var (marked, others, wins, place) = (0, 0, 0, 0)
        while place < count {
            let magnitude = keys[place] >> 1
            var (ofMarked, ofOthers) = (0, 0)
            while place < count, keys[place] >> 1 == magnitude {
                if keys[place] & 1 == 1 { ofMarked += 1 } else { ofOthers += 1 }
                place += 1
            }
            // Doubled, so that halves are whole.
            wins += ofMarked * (2 * others + ofOthers)
            marked += ofMarked
            others += ofOthers
        }
        guard marked > 0, others > 0 else { return nil }
        return Double(wins) / 2 / Double(marked) / Double(others)
    }

    /// By digits of 11 bits, those that all keys share left out: floats have few.
    private mutating func sort() {
        var (all, any) = (UInt64.max, UInt64(0))
        for key in keys {
            all &= key
            any |= key
        }
        let changing = all ^ any
        var starts = Array(repeating: 0, count: 2048)
        for shift in stride(from: UInt64(0), to: 64, by: 11) where changing >> shift & 2047 != 0 {
            for digit in 0..<2048 { starts[digit] = 0 }
            for key in keys { starts[Int(key >> shift & 2047)] += 1 }
            var sum = 0
            for digit in 0..<2048 { (starts[digit], sum) = (sum, sum + starts[digit]) }
            for key in keys {
                let digit = Int(key >> shift & 2047)
                sorted[starts[digit]] = key
                starts[digit] += 1
            }
            swap(&keys, &sorted)
        }
    }
}
