/// The loops of a normalisation over each sample's own statistics; the innermost runs over samples.
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
        let samples = memory.sampleCount
        for group in 0..<geometry.groupCount {
            let rows = group &* geometry.rowsPerGroup..<(group &+ 1) &* geometry.rowsPerGroup
            measure(input, rows, memory, group, epsilon: epsilon)
            let (mean, inverse) = memory.moments(group)
            for row in rows {
                let weight = weights[row / geometry.rowsPerWeight]
                let bias = biases[row / geometry.rowsPerWeight]
                let x = input + row &* samples
                let z = output + row &* samples
                for sample in 0..<samples {
                    z[sample] = (x[sample] - mean[sample]) * inverse[sample] * weight + bias
                }
            }
        }
    }

    /// Writes μ and r of a group's rows: the mean first, so that the squares do not cancel.
    @inline(__always)
    private static func measure<Scalar: NetworkScalar>(
        _ input: UnsafePointer<Scalar>, _ rows: Range<Int>, _ memory: NormalizationMemory<Scalar>,
        _ group: Int, epsilon: Double
    ) {
        let samples = memory.sampleCount
        let (mean, inverse) = memory.moments(group)
        let (sums, squares) = memory.sums
        memory.clearSums()
        for row in rows {
            let x = input + row &* samples
            for sample in 0..<samples { sums[sample] += Double(x[sample]) }
        }
        for sample in 0..<samples { mean[sample] = Scalar(sums[sample] / Double(rows.count)) }
        for row in rows {
            let x = input + row &* samples
            for sample in 0..<samples {
                let difference = x[sample] - mean[sample]
                squares[sample] += Double(difference * difference)
            }
        }
        for sample in 0..<samples {
            let variance = squares[sample] / Double(rows.count)
            inverse[sample] = Scalar(1 / (variance + epsilon).squareRoot())
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
        let samples = memory.sampleCount
        let isForward = pass == .tangent
        for group in 0..<geometry.groupCount {
            let rows = group &* geometry.rowsPerGroup..<(group &+ 1) &* geometry.rowsPerGroup
            let (mean, inverse) = memory.moments(group)
            let (plain, scaled) = memory.means(pass, group)
            let sums = memory.sums
            memory.clearSums()
            for row in rows {
                let before = isForward ? 1 : weights[row / geometry.rowsPerWeight]
                let x = input + row &* samples
                let v = values + row &* samples
                for sample in 0..<samples {
                    let value = before * v[sample]
                    sums.0[sample] += Double(value)
                    sums.1[sample] += Double(value * ((x[sample] - mean[sample]) * inverse[sample]))
                }
            }
            for sample in 0..<samples {
                plain[sample] = Scalar(sums.0[sample] / Double(rows.count))
                scaled[sample] = Scalar(sums.1[sample] / Double(rows.count))
            }
            for row in rows {
                let weight = weights[row / geometry.rowsPerWeight]
                let (before, after) = isForward ? (1, weight) : (weight, 1)
                let x = input + row &* samples
                let v = values + row &* samples
                let target = result + row &* samples
                for sample in 0..<samples {
                    let normal = (x[sample] - mean[sample]) * inverse[sample]
                    let centred = before * v[sample] - plain[sample] - normal * scaled[sample]
                    target[sample] = after * inverse[sample] * centred
                }
            }
        }
    }
}
