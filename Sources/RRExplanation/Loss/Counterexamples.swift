internal import RRNetworks
internal import RRTensor

/// What the workers need to know where images are changed inside their masks.
struct CounterexamplePlan {
    let change: CounterexampleChange
    let draws: SampleDraws
    /// What R is made of, and whether x̃ is beside x or in its place.
    let options: CounterexampleOptions
    /// λ1 times the first term's divisor over that of R: what the first term's seed is multiplied by.
    let scale: Double
}

/// How an image is changed inside its mask.
enum CounterexampleChange {
    /// By values that are uniform over the range of each channel.
    case uniform([ClosedRange<Float>])
    /// By normal values with the moments of each channel.
    case normal([ChannelMoments])
    /// By what came with the batch, (N, C, H, W).
    case given(SharedElements<Float>)
    /// By a search for the worst image.
    case search(AdversaryOptions)
}

extension LossWorker {
    /// Changes the images of a group that is loaded inside their masks.
    ///
    /// - Parameter samples: annotated ones only, the first of the group.
    func changeImages(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        samples: ArraySlice<Int>
    ) {
        guard let masks = job.batch.masks else { return }
        let (count, columnCount) = (samples.count, pass.columnCount)
        memory.load(
            masks, samples: samples, columnCount: columnCount, draws: plan.draws,
            identities: job.batch.indices)
        switch plan.change {
        case .uniform(let ranges):
            memory.randomize(pass.input, in: ranges, sampleCount: count, columnCount: columnCount)
        case .normal(let moments):
            memory.randomize(pass.input, with: moments, sampleCount: count, columnCount: columnCount)
        case .given(let images):
            memory.replace(pass.input, by: images, samples: samples, columnCount: columnCount)
        case .search(let adversary):
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
        }
    }

    /// Takes the logits of changed images, which those of the images are compared with later.
    func observeCounterexamples(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        samples: ArraySlice<Int>
    ) {
        loadChanged(job, plan, memory, samples)
        pass.forward(job.parameters)
        memory.keep(logits: pass.logits, sampleCount: samples.count, columnCount: pass.columnCount)
    }

    /// Writes R of a group's changed images, and adds their part of the gradient.
    ///
    /// - Parameter samples: annotated ones only.
    func runCounterexamples(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        samples: ArraySlice<Int>, gathering: (maps: GatheredMaps<Scalar>, firstRow: Int)?,
        addingTo gradient: UnsafeMutablePointer<Scalar>
    ) {
        loadChanged(job, plan, memory, samples)
        pass.forward(job.parameters)
        writeSeeds(
            job, samples, scale: plan.options.countsCrossEntropy ? plan.scale : 0, to: pass.logitAdjoint)
        for (column, sample) in samples.enumerated() {
            let label = Int(job.batch.labels[sample])
            var value =
                plan.options.countsCrossEntropy
                ? job.plan.labelWeights.crossEntropy(pass.softmaxes[column], label: label) : 0
            if plan.options.consistency > 0 {
                let weight = plan.options.consistency * job.plan.labelWeights.ofClass[label]
                value += weight * memory.squaredDifference(column)
            }
            job.terms.penalties[sample] = value
        }
        addDifferences(job, plan, memory, samples, sign: -1)
        pass.gradient(
            job.parameters, isSecondOrder: false, gathering: gathering, addingTo: gradient)
    }

    /// Adds the derivative of the logits' difference, by those of x or, with the sign −1, of x̃, to the last pass's seed.
    func addDifferences(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        _ samples: ArraySlice<Int>, sign: Double
    ) {
        guard plan.options.consistency > 0 else { return }
        let scale = sign * 2 * plan.options.consistency * plan.scale / job.plan.labelWeights.sum
        for (column, sample) in samples.enumerated() {
            let weight = job.plan.labelWeights.ofClass[Int(job.batch.labels[sample])]
            memory.addDifference(
                column, times: scale * weight, to: pass.logitAdjoint, columnCount: pass.columnCount)
        }
    }

    private func loadChanged(
        _ job: LossJob<Scalar>, _ plan: CounterexamplePlan, _ memory: CounterexampleMemory<Scalar>,
        _ samples: ArraySlice<Int>
    ) {
        pass.load(
            job.batch.images, samples: samples, dropout: job.plan.dropout, identities: job.batch.indices)
        changeImages(job, plan, memory, samples: samples)
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
