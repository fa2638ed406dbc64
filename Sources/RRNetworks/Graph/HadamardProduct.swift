/// z = a ∘ b, where an element of b multiplies as many neighbouring elements of a as `span` says: the pixels of a channel,
/// or one.
///
/// With δ and ε the cotangent and the adjoint at z: δa = b ∘ δ, δb = Σ a ∘ δ, ż = ȧ ∘ b + a ∘ ḃ, and the last pass adds to
/// these what the product's curvature gives, εa = b ∘ ε + ḃ ∘ δ and εb = Σ (a ∘ ε + ȧ ∘ δ).
struct HadamardProduct: Hashable, Sendable {
    /// The elements of a that one of b multiplies.
    let span: Int
    /// The elements of b.
    let factorCount: Int

    /// Writes, or adds, values times factors, for some of these.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func multiply<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, by factors: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ range: Range<Int>, sampleCount: Int, adds: Bool = false
    ) {
        for factor in range {
            let row = factors + factor &* sampleCount
            for element in factor &* span..<(factor &+ 1) &* span {
                let source = values + element &* sampleCount
                let target = result + element &* sampleCount
                if adds {
                    for sample in 0..<sampleCount { target[sample] += source[sample] * row[sample] }
                } else {
                    for sample in 0..<sampleCount { target[sample] = source[sample] * row[sample] }
                }
            }
        }
    }

    /// Writes, or adds, the sums of products over the elements of each factor, for some of these.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func sumProducts<Scalar: NetworkScalar>(
        _ first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ range: Range<Int>, sampleCount: Int, adds: Bool = false
    ) {
        if !adds {
            (result + range.lowerBound &* sampleCount).update(
                repeating: 0, count: range.count &* sampleCount)
        }
        for factor in range {
            let target = result + factor &* sampleCount
            for element in factor &* span..<(factor &+ 1) &* span {
                let left = first + element &* sampleCount
                let right = second + element &* sampleCount
                for sample in 0..<sampleCount { target[sample] += left[sample] * right[sample] }
            }
        }
    }
}
