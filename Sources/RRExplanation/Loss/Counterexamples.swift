internal import RRNetworks
internal import RRTensor

/// What the workers need to know where R is the cross-entropy of changed images.
struct CounterexamplePlan {
    /// The search for the worst image; nil for random values.
    let adversary: AdversaryOptions?
    /// The values of each channel that random ones are drawn from.
    let ranges: [ClosedRange<Float>]
    let draws: SampleDraws
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
            masks, samples: samples, columnCount: columnCount, draws: plan.draws,
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
