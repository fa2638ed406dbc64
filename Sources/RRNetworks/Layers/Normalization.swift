/// The loops of a normalisation over each sample's own statistics, for eight samples at a time.
///
/// ⟨·⟩ is the mean over a normalised group, and J u = r (u − ⟨u⟩ − x̂ ⟨u x̂⟩) the symmetric Jacobian of x̂.
enum Normalization {
    /// Writes z = γ x̂ + β, and leaves μ and r for the other passes.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func normalize<Scalar: NetworkScalar>(
        _ input: UnsafePointer<Scalar>, _ geometry: NormalizationGeometry,
        _ memory: NormalizationMemory<Scalar>, epsilon: Double, weights: UnsafePointer<Scalar>,
        biases: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) {
        let count = Double(geometry.rowsPerGroup)
        memory.forEachBlock(geometry) { group, first in
            let x = memory.rows(input, first)
            // The mean first, so that the squares do not cancel.
            let mean = SIMD8<Scalar>(RowSums.single(geometry.rows(ofGroup: group)) { x[$0] } / count)
            let squares = RowSums.single(geometry.rows(ofGroup: group)) { row in
                let difference = x[row] - mean
                return difference * difference
            }
            let variance = squares / count
            let inverse = SIMD8<Scalar>(1 / (variance + epsilon).squareRoot())
            memory[.input, group, first] = (mean, inverse)
            let z = memory.rows(output, first)
            for index in geometry.weights(ofGroup: group) {
                let (weight, bias) = (weights[index], biases[index])
                for row in geometry.rows(ofWeight: index) {
                    z[row] = (x[row] - mean) * inverse * weight + bias
                }
            }
        }
    }

    /// Writes J (γ v), or γ J v in the pass of the tangent, and leaves the means of what J takes.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func transform<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, at input: UnsafePointer<Scalar>, _ geometry: NormalizationGeometry,
        _ memory: NormalizationMemory<Scalar>, saving pass: NormalizationMemory<Scalar>.Pass,
        weights: UnsafePointer<Scalar>, into result: UnsafeMutablePointer<Scalar>
    ) {
        let isForward = pass == .tangent
        let count = Double(geometry.rowsPerGroup)
        memory.forEachBlock(geometry) { group, first in
            let x = memory.rows(input, first)
            let v = memory.rows(values, first)
            let (mean, inverse) = memory[.input, group, first]
            var sums = (RowSums.Totals.zero, RowSums.Totals.zero)
            for index in geometry.weights(ofGroup: group) {
                let weight = isForward ? 1 : weights[index]
                let (plain, scaled) = RowSums.pair(geometry.rows(ofWeight: index)) { row in
                    let value = weight * v[row]
                    return (value, value * ((x[row] - mean) * inverse))
                }
                sums.0 += plain
                sums.1 += scaled
            }
            let (plain, scaled) = (SIMD8<Scalar>(sums.0 / count), SIMD8<Scalar>(sums.1 / count))
            memory[pass, group, first] = (plain, scaled)
            let target = memory.rows(result, first)
            for index in geometry.weights(ofGroup: group) {
                let weight = weights[index]
                let before = isForward ? 1 : weight
                let after = isForward ? weight * inverse : inverse
                for row in geometry.rows(ofWeight: index) {
                    let normal = (x[row] - mean) * inverse
                    target[row] = after * (before * v[row] - plain - normal * scaled)
                }
            }
        }
    }
}
