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
        let samples = memory.sampleCount
        let sums = memory.sums
        for index in 0..<geometry.weightCount {
            let group = index / geometry.weightsPerGroup
            let (mean, inverse) = memory.moments(group)
            memory.clearSums()
            for row in index &* geometry.rowsPerWeight..<(index &+ 1) &* geometry.rowsPerWeight {
                let x = input + row &* samples
                let adjoint = adjoints + row &* samples
                for sample in 0..<samples {
                    let normal = (x[sample] - mean[sample]) * inverse[sample]
                    sums.0[sample] += Double(adjoint[sample] * normal)
                    sums.1[sample] += Double(adjoint[sample])
                }
                guard let secondOrder else { continue }
                let (plain, scaled) = memory.means(.tangent, group)
                let tangent = secondOrder.inputTangent + row &* samples
                let cotangent = secondOrder.outputCotangent + row &* samples
                for sample in 0..<samples {
                    let normal = (x[sample] - mean[sample]) * inverse[sample]
                    let centred = tangent[sample] - plain[sample] - normal * scaled[sample]
                    sums.0[sample] += Double(cotangent[sample] * inverse[sample] * centred)
                }
            }
            var (weight, bias) = (0.0, 0.0)
            for sample in 0..<samples {
                weight += sums.0[sample]
                bias += sums.1[sample]
            }
            weights[index] += Scalar(weight)
            biases[index] += Scalar(bias)
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
        let samples = memory.sampleCount
        for group in 0..<geometry.groupCount {
            let rows = group &* geometry.rowsPerGroup..<(group &+ 1) &* geometry.rowsPerGroup
            let (mean, inverse) = memory.moments(group)
            let (cotangentMean, a) = memory.means(.cotangent, group)
            let (tangentMean, b) = memory.means(.tangent, group)
            let (factor, _) = memory.means(.adjoint, group)
            let products = memory.sums.0
            memory.clearSums()
            for row in rows {
                let weight = weights[row / geometry.rowsPerWeight]
                let cotangent = secondOrder.outputCotangent + row &* samples
                let tangent = secondOrder.inputTangent + row &* samples
                for sample in 0..<samples {
                    let centredCotangent = weight * cotangent[sample] - cotangentMean[sample]
                    products[sample] += Double(centredCotangent * (tangent[sample] - tangentMean[sample]))
                }
            }
            for sample in 0..<samples {
                let product = products[sample] / Double(rows.count)
                factor[sample] = Scalar(product - 3 * Double(a[sample]) * Double(b[sample]))
            }
            for row in rows {
                let weight = weights[row / geometry.rowsPerWeight]
                let x = input + row &* samples
                let cotangent = secondOrder.outputCotangent + row &* samples
                let tangent = secondOrder.inputTangent + row &* samples
                let target = result + row &* samples
                for sample in 0..<samples {
                    let normal = (x[sample] - mean[sample]) * inverse[sample]
                    let bend =
                        normal * factor[sample] + a[sample] * (tangent[sample] - tangentMean[sample])
                        + b[sample] * (weight * cotangent[sample] - cotangentMean[sample])
                    target[sample] -= inverse[sample] * inverse[sample] * bend
                }
            }
        }
    }
}
