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
    func multiply<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, by factors: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ range: Range<Int>, sampleCount: Int, adds: Bool = false
    ) {
        let (row, start) = (range.lowerBound * sampleCount, range.lowerBound * span * sampleCount)
        Scalar.kernels.elements.multiplySpans(
            values + start, factors + row, result + start, range.count, span, sampleCount, adds)
    }

    /// Writes, or adds, the sums of products over the elements of each factor, for some of these.
    func sumProducts<Scalar: NetworkScalar>(
        _ first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, _ range: Range<Int>, sampleCount: Int, adds: Bool = false
    ) {
        let (row, start) = (range.lowerBound * sampleCount, range.lowerBound * span * sampleCount)
        Scalar.kernels.elements.sumSpans(
            first + start, second + start, result + row, range.count, span, sampleCount, adds)
    }
}
