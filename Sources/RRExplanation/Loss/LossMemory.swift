internal import RRNetworks
internal import RRTensor

/// The memory of an explanation loss: a worker's passes, the lanes' gradients, a sample's terms.
final class LossMemory<Scalar: NetworkScalar> {
    let terms: SampleTerms

    private let network: Network<Scalar>
    private let attribution: Attribution
    private let groupCapacity: Int
    private let laneCapacity: Int
    /// As many as there are threads, at most one a lane, and few where a group's memory is large: further threads help.
    private let workers: [LossWorker<Scalar>]
    private let workspaces: Workspaces<Scalar>
    private let laneGradients: LaneGradients<Scalar>
    /// What lanes add up to where no other memory is given; nil before that.
    private var sum: UnsafeMutablePointer<Scalar>?
    /// What gradients are made of that are taken of the whole batch; nil before the first such batch.
    private var gatheredMaps: GatheredMaps<Scalar>?
    /// The threads that find work in one group.
    private let pieceCount: Int

    init(
        network: Network<Scalar>, guidance: Guidance, attribution: Attribution, schedule: GroupSchedule,
        workerCount: Int
    ) {
        self.network = network
        self.attribution = attribution
        groupCapacity = schedule.groupCapacity
        laneCapacity = schedule.laneCapacity
        let workspaces = Workspaces(network, capacity: schedule.groupCapacity, count: workerCount)
        self.workspaces = workspaces
        let placeCount = min(workerCount, laneCapacity, network.groupLimits.largestPlaceCount)
        workers = (0..<placeCount).map { _ in
            LossWorker(
                network: network, guidance: guidance, attribution: attribution,
                capacity: schedule.groupCapacity, workspaces: workspaces)
        }
        pieceCount = network.shareCount(sampleCount: schedule.groupCapacity)
        laneGradients = LaneGradients(count: network.parameterLayout.count)
        terms = SampleTerms(count: schedule.sampleCount)
    }

    deinit { sum?.deallocate() }

    /// Whether a batch that is cut so can use this memory.
    func fits(_ schedule: GroupSchedule) -> Bool {
        schedule.groupCapacity <= groupCapacity && schedule.sampleCount <= terms.penalties.count
            && schedule.laneCapacity <= laneCapacity
    }

    /// Computes every sample's terms and every lane's gradient, and adds the lanes.
    ///
    /// - Parameter target: as long as the parameters, for the gradient; nil for memory of its own.
    func run(
        _ batch: LabelledBatch, _ plan: LossPlan, parameters: [Scalar],
        visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?, into target: UnsafeMutablePointer<Scalar>?,
        workers threads: Workers
    ) -> BatchGradient<Scalar> {
        let (schedule, terms) = (plan.schedule, self.terms)
        let layers = network.gatheredLayers(demand: plan.demand, sampleCount: schedule.sampleCount)
        let gathered = gatheredMaps(of: layers, rowCount: plan.gradientCapacity)
        let gradient = target ?? ownSum()
        laneGradients.begin(laneCount: schedule.lanes.count, ranges: layers.laneRanges, into: gradient)
        parameters.withUnsafeBufferPointer { parameters in
            guard let parameters = parameters.baseAddress else { return }
            let memory = UncheckedSendable((workers, laneGradients, parameters))
            threads.run(parts: schedule.lanes.count, places: workers.count, pieces: pieceCount) {
                lane, place in
                let (workers, laneGradients, parameters) = memory.value
                let job = LossJob(
                    plan: plan, batch: batch, parameters: parameters, gathered: gathered, terms: terms,
                    place: place, visitor: visitor)
                laneGradients.add(lane: lane, at: place) { gradient in
                    for group in schedule.lanes[lane] {
                        workers[place.number].run(job, samples: group, addingTo: gradient)
                    }
                }
            }
        }
        return BatchGradient(
            sum: gradient, spare: laneGradients.spare, parameterCount: network.parameterLayout.count,
            laneRanges: layers.laneRanges,
            gathered: gathered, plan: plan, features: attribution.features, workers: threads)
    }

    /// Memory that takes none where nothing is written to it.
    private func ownSum() -> UnsafeMutablePointer<Scalar> {
        let memory = sum ?? .allocate(capacity: network.parameterLayout.count)
        sum = memory
        return memory
    }

    private func gatheredMaps(of layers: GatheredLayers, rowCount: Int) -> GatheredMaps<Scalar>? {
        if let maps = gatheredMaps, maps.layers == layers, maps.capacity >= rowCount { return maps }
        gatheredMaps =
            layers.isEmpty
            ? nil : GatheredMaps(layers, in: network, capacity: rowCount, workspaces: workspaces)
        return gatheredMaps
    }
}

/// Where the workers write each sample's part of the loss.
///
/// `@unchecked Sendable`: every sample of a batch belongs to one group, so no two workers write one element; nobody reads
/// before all are done.
final class SampleTerms: @unchecked Sendable {
    /// What each sample of the batch adds to the first term before it is divided.
    let crossEntropies: UnsafeMutableBufferPointer<Double>
    /// What each annotated sample of the batch adds to R before it is divided.
    let penalties: UnsafeMutableBufferPointer<Double>
    /// Whether each sample's largest logit is the label's.
    let isCorrect: UnsafeMutableBufferPointer<Bool>

    init(count: Int) {
        crossEntropies = .allocate(capacity: count)
        penalties = .allocate(capacity: count)
        isCorrect = .allocate(capacity: count)
        crossEntropies.initialize(repeating: 0)
        penalties.initialize(repeating: 0)
        isCorrect.initialize(repeating: false)
    }

    deinit {
        crossEntropies.deallocate()
        penalties.deallocate()
        isCorrect.deallocate()
    }
}

/// One worker of an explanation loss: it takes groups of samples through all passes.
final class LossWorker<Scalar: NetworkScalar> {
    let pass: GroupPass<Scalar>
    private let penalty: AttributionPenalty<Scalar>
    private let counterexamples: CounterexampleMemory<Scalar>?

    init(
        network: Network<Scalar>, guidance: Guidance, attribution: Attribution, capacity: Int,
        workspaces: Workspaces<Scalar>
    ) {
        pass = GroupPass(
            network: network, capacity: capacity, workspaces: workspaces, features: attribution.features)
        penalty = AttributionPenalty(
            attribution, image: network.model.input, coversImages: guidance == .inputGradient,
            capacity: capacity + 16)
        counterexamples =
            guidance.counterexamples == nil
            ? nil
            : CounterexampleMemory(
                elementCount: network.model.input.elementCount, classCount: network.model.classCount,
                capacity: capacity)
    }

    /// Writes the terms of a group's samples, and adds the group's part of the gradient.
    ///
    /// - Parameter positions: the samples of the group as positions in the plan's order.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func run(
        _ job: LossJob<Scalar>, samples positions: Range<Int>, addingTo gradient: UnsafeMutablePointer<Scalar>
    ) {
        let samples = job.plan.order.samples[positions]
        let labels = job.batch.labels
        pass.demand = job.plan.demand
        pass.place = job.place
        defer { pass.place = nil }
        let guided = job.plan.order.samples[
            positions.clamped(to: 0..<max(job.plan.order.annotatedCount, positions.lowerBound))]
        let changes =
            guided.isEmpty
            ? nil
            : job.plan.counterexamples.flatMap { plan in
                counterexamples.map { (plan, memory: $0) }
            }
        if let (plan, memory) = changes, plan.options.consistency > 0 {
            observeCounterexamples(job, plan, memory, samples: guided)
        }
        pass.load(
            job.batch.images, samples: samples, dropout: job.plan.dropout, identities: job.batch.indices)
        if let (plan, memory) = changes, plan.options.place == .instead {
            changeImages(job, plan, memory, samples: guided)
        }
        pass.forward(job.parameters)
        for (column, sample) in samples.enumerated() {
            let softmax = pass.softmaxes[column]
            let label = Int(labels[sample])
            job.terms.crossEntropies[sample] =
                job.plan.labelWeights.crossEntropy(softmax, label: label) * job.plan.weight(of: sample)
            job.terms.isCorrect[sample] = softmax.prediction == label
        }
        guard !job.plan.looksOnly else { return }
        let isPenalized = !guided.isEmpty && job.plan.counterexamples == nil
        if isPenalized || job.visitor != nil {
            pass.reverse(
                job.plan.target, samples: samples, of: job.batch, directions: job.plan.directions,
                parameters: job.parameters)
        }
        if let visitor = job.visitor {
            pass.show(samples, labels: labels, hasGradient: true, worker: job.place.number, to: visitor)
        }
        if isPenalized { runPenalty(job, samples) }
        for (column, sample) in samples.enumerated() {
            job.plan.labelWeights.writeAdjoint(
                of: pass.softmaxes[column], label: Int(labels[sample]), scale: job.plan.weight(of: sample),
                target: job.plan.target,
                tangent: isPenalized ? pass.logitTangent : nil, to: pass.logitAdjoint, column: column,
                of: pass.columnCount)
        }
        if let (plan, memory) = changes, plan.options.consistency > 0 {
            memory.compare(
                logits: pass.logits, sampleCount: guided.count, columnCount: pass.columnCount)
            addDifferences(job, plan, memory, guided, sign: 1)
        }
        pass.gradient(
            job.parameters, isSecondOrder: isPenalized,
            gathering: job.gathered.map { ($0, positions.lowerBound) }, addingTo: gradient)
        if let (plan, memory) = changes, plan.options.place == .beside {
            let gathering = job.gathered.map { ($0, job.plan.schedule.sampleCount + positions.lowerBound) }
            runCounterexamples(
                job, plan, memory, samples: guided, gathering: gathering, addingTo: gradient)
        }
    }

    /// Runs the pass for the tangent along v = ∂(λ1 R)/∂g, and takes each sample's penalty.
    private func runPenalty(_ job: LossJob<Scalar>, _ samples: ArraySlice<Int>) {
        if !job.plan.coversImages, let masks = job.batch.masks {
            penalty.load(masks, samples: samples, columnCount: pass.columnCount)
        }
        penalty.fill(pass.explained, columnCount: pass.columnCount, scale: Scalar(job.plan.tangentScale))
        for (column, sample) in samples.enumerated() {
            job.terms.penalties[sample] = penalty.penalties[column]
        }
        pass.tangent(job.parameters)
    }
}

/// A batch as one worker sees it.
struct LossJob<Scalar: NetworkScalar> {
    let plan: LossPlan
    let batch: LabelledBatch
    let parameters: UnsafePointer<Scalar>
    let gathered: GatheredMaps<Scalar>?
    let terms: SampleTerms
    let place: WorkPlace
    /// Whom to show every sample's input gradient; nil for nobody.
    let visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?
}
