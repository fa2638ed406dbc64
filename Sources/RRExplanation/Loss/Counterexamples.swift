internal import RRNetworks
internal import RRTensor

/// What the workers need to know where R is the cross-entropy of changed images.
struct CounterexamplePlan {
    /// The search for the worst image; nil for random values.
    let adversary: AdversaryOptions?
    /// The values of each channel that random ones are drawn from.
    let ranges: [ClosedRange<Float>]
    let key: CounterexampleKey
    /// λ1 times the first term's divisor over that of R: what the first term's seed is multiplied by.
    let scale: Double
}

extension LossWorker {
    /// Writes the cross-entropies of a group's changed images, and adds their part of the gradient.
    ///
    /// - Parameter samples: annotated ones only.
    func runCounterexamples(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        samples: ArraySlice<Int>, masks: SharedElements<UInt8>,
        addingTo gradient: UnsafeMutablePointer<Scalar>
    ) {
        pass.load(
            job.batch.images, samples: samples, dropout: job.plan.dropout, identities: job.batch.indices)
        let (count, columnCount) = (samples.count, pass.columnCount)
        memory.load(
            masks, samples: samples, columnCount: columnCount, key: plan.key,
            identities: job.batch.indices)
        if let adversary = plan.adversary {
            memory.beginSearch(
                pass.input, radius: adversary.radius, sampleCount: count, columnCount: columnCount)
            for _ in 0..<adversary.stepCount {
                pass.forward(job.parameters)
                // A positive factor has no effect on a sign: that of the sample alone keeps the digits.
                writeSeeds(job, samples, scale: job.plan.labelWeights.sum, to: pass.logitCotangent)
                pass.reverse(job.parameters)
                memory.climb(
                    pass.input, along: pass.inputCotangent, adversary, sampleCount: count,
                    columnCount: columnCount)
            }
        } else {
            memory.randomize(pass.input, in: plan.ranges, sampleCount: count, columnCount: columnCount)
        }
        pass.forward(job.parameters)
        writeSeeds(job, samples, scale: plan.scale, to: pass.logitAdjoint)
        for (column, sample) in samples.enumerated() {
            job.terms.penalties[sample] = job.plan.labelWeights.crossEntropy(
                pass.softmaxes[column], label: Int(job.batch.labels[sample]))
        }
        pass.gradient(job.parameters, isSecondOrder: false, addingTo: gradient)
    }

    /// Writes the derivative of the cross-entropy by the logits at hand, times a factor.
    private func writeSeeds(
        _ job: LossJob<Scalar>, _ samples: ArraySlice<Int>, scale: Double,
        to seeds: UnsafeMutablePointer<Scalar>
    ) {
        for (column, sample) in samples.enumerated() {
            job.plan.labelWeights.writeAdjoint(
                of: pass.softmaxes[column], label: Int(job.batch.labels[sample]), scale: scale,
                target: job.plan.target, tangent: nil, to: seeds, column: column, of: pass.columnCount)
        }
    }
}

/// What the random values of counterexamples follow from: the seed, the epoch and the sample, and nothing else.
///
/// With all arithmetic modulo 2⁶⁴, `mix` the finaliser of SplitMix64, `G` = `0x9E3779B97F4A7C15` and
/// fold(v, s) = mix((s ^ v) + G): `s = fold(sample, fold(epoch, mix(seed + G)))`, in which a sample is known by its row in
/// the dataset, or in the batch where it comes from none. Then `t = fold(l, s)`, where l is 0 with the bytes of
/// "counterexample" folded in, one after the other. The value of element e of the image (C, H, W) is
/// u = (`mix(t + (e + 1) · G)` >> 40) / 2²⁴: uniform in [0, 1), and exact in single precision.
struct CounterexampleKey: Hashable, Sendable {
    let seed: UInt64
    /// From 0.
    let epoch: Int

    private static let purpose: UInt64 = "counterexample".utf8.reduce(0) { fold(UInt64($1), into: $0) }

    /// The state t of a sample.
    func state(sample: Int64) -> UInt64 {
        let seeded = SplitMix64.mix(seed &+ Self.golden)
        let dated = Self.fold(UInt64(bitPattern: Int64(epoch)), into: seeded)
        return Self.fold(Self.purpose, into: Self.fold(UInt64(bitPattern: sample), into: dated))
    }

    /// The value u of an element.
    @inline(__always)
    static func unit(state: UInt64, element: Int) -> Float {
        Float(SplitMix64.mix(state &+ (UInt64(element) &+ 1) &* golden) >> 40) * 0x1p-24
    }

    private static func fold(_ value: UInt64, into state: UInt64) -> UInt64 {
        SplitMix64.mix((state ^ value) &+ golden)
    }

    @inline(__always)
    private static var golden: UInt64 { 0x9E37_79B9_7F4A_7C15 }
}
