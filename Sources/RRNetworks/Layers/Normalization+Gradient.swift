extension Normalization {
    /// Adds ∇γ = Σ (ε x̂ + δ J ẋ) and ∇β = Σ ε; the second term of ∇γ only where the penalty has its part.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addParameterGradient<Scalar: NetworkScalar>(
        _ adjoints: UnsafePointer<Scalar>, _ secondOrder: SecondOrder<Scalar>?,
        at input: UnsafePointer<Scalar>, _ geometry: NormalizationGeometry,
        _ memory: NormalizationMemory<Scalar>, weights: UnsafeMutablePointer<Scalar>,
        biases: UnsafeMutablePointer<Scalar>
    ) {
        memory.forEachWeightBlock(geometry) { group, first, range in
            let x = memory.rows(input, first)
            let adjoint = memory.rows(adjoints, first)
            let (mean, inverse) = memory[.input, group, first]
            for index in range {
                let (weight, bias) = RowSums.pair(geometry.rows(ofWeight: index)) { row in
                    (adjoint[row] * ((x[row] - mean) * inverse), adjoint[row])
                }
                weights[index] += Scalar(weight.sum())
                biases[index] += Scalar(bias.sum())
            }
            guard let secondOrder else { return }
            let tangent = memory.rows(secondOrder.inputTangent, first)
            let cotangent = memory.rows(secondOrder.outputCotangent, first)
            let (plain, scaled) = memory[.tangent, group, first]
            for index in range {
                let weight = RowSums.single(geometry.rows(ofWeight: index)) { row in
                    let normal = (x[row] - mean) * inverse
                    return cotangent[row] * inverse * (tangent[row] - plain - normal * scaled)
                }
                weights[index] += Scalar(weight.sum())
            }
        }
    }

    /// Adds the derivative along ẋ of J M, at constant M = γ δ:
    /// −r² [x̂ (⟨M_c ẋ_c⟩ − 3ab) + a ẋ_c + b M_c], where M_c and ẋ_c are centred, a = ⟨M x̂⟩ and b = ⟨ẋ x̂⟩.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addCurvature<Scalar: NetworkScalar>(
        _ secondOrder: SecondOrder<Scalar>, at input: UnsafePointer<Scalar>,
        _ geometry: NormalizationGeometry, _ memory: NormalizationMemory<Scalar>,
        weights: UnsafePointer<Scalar>, to result: UnsafeMutablePointer<Scalar>
    ) {
        let count = Double(geometry.rowsPerGroup)
        memory.forEachBlock(geometry) { group, first in
            let x = memory.rows(input, first)
            let cotangent = memory.rows(secondOrder.outputCotangent, first)
            let tangent = memory.rows(secondOrder.inputTangent, first)
            let (mean, inverse) = memory[.input, group, first]
            let (cotangentMean, a) = memory[.cotangent, group, first]
            let (tangentMean, b) = memory[.tangent, group, first]
            var products = RowSums.Totals.zero
            for index in geometry.weights(ofGroup: group) {
                let weight = weights[index]
                products += RowSums.single(geometry.rows(ofWeight: index)) { row in
                    (weight * cotangent[row] - cotangentMean) * (tangent[row] - tangentMean)
                }
            }
            let ab = RowSums.Totals(a) * RowSums.Totals(b)
            let factor = SIMD8<Scalar>(products / count - 3 * ab)
            let target = memory.rows(result, first)
            for index in geometry.weights(ofGroup: group) {
                let weight = weights[index]
                for row in geometry.rows(ofWeight: index) {
                    let normal = (x[row] - mean) * inverse
                    let bend =
                        normal * factor + a * (tangent[row] - tangentMean)
                        + b * (weight * cotangent[row] - cotangentMean)
                    target[row] -= inverse * inverse * bend
                }
            }
        }
    }
}
