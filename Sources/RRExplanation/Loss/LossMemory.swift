internal import RRNetworks
internal import RRTensor

/// The memory of an explanation loss: a worker's passes, a lane's gradient, a sample's terms.
final class LossMemory<Scalar: NetworkScalar> {
    let terms: SampleTerms

    private let network: Network<Scalar>
    private let groupCapacity: Int
    private let workers: [LossWorker<Scalar>]
    /// (lanes, parameters).
    private let laneGradients: UnsafeMutableBufferPointer<Scalar>

    init(network: Network<Scalar>, guidance: Guidance, schedule: GroupSchedule, workerCount: Int) {
        self.network = network
        groupCapacity = schedule.groupCapacity
        workers = (0..<workerCount).map { _ in
            LossWorker(network: network, guidance: guidance, capacity: schedule.groupCapacity)
        }
        laneGradients = .allocate(capacity: schedule.laneCapacity * network.parameterLayout.count)
        terms = SampleTerms(count: schedule.sampleCount)
    }

    deinit { laneGradients.deallocate() }

    /// Whether a batch that is cut so can use this memory.
    func fits(_ schedule: GroupSchedule) -> Bool {
        schedule.groupCapacity <= groupCapacity && schedule.sampleCount <= terms.penalties.count
            && schedule.laneCapacity * network.parameterLayout.count <= laneGradients.count
    }

    /// Computes every sample's terms and every lane's gradient, and adds the lanes in order.
    func run(
        _ batch: LabelledBatch, _ plan: LossPlan, parameters: [Scalar],
        visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?, into gradient: inout [Scalar],
        workers threads: Workers
    ) {
        let count = network.parameterLayout.count
        if gradient.count != count { gradient = Array(repeating: 0, count: count) }
        guard let lanes = laneGradients.baseAddress else { return }
        let (schedule, terms) = (plan.schedule, self.terms)
        parameters.withUnsafeBufferPointer { parameters in
            guard let parameters = parameters.baseAddress else { return }
            let memory = UncheckedSendable((workers, lanes, parameters))
            threads.run(parts: schedule.lanes.count) { worker, lane in
                let (workers, lanes, parameters) = memory.value
                let gradient = lanes + lane * count
                gradient.clear(count: count)
                let job = LossJob(
                    plan: plan, batch: batch, parameters: parameters, terms: terms, worker: worker,
                    visitor: visitor)
                for group in schedule.lanes[lane] {
                    workers[worker].run(job, samples: group, addingTo: gradient)
                }
            }
        }
        let blockSize = 1 << 14
        gradient.withUnsafeMutableBufferPointer { gradient in
            guard let gradient = gradient.baseAddress else { return }
            let memory = UncheckedSendable((lanes, gradient))
            threads.run(parts: (count + blockSize - 1) / blockSize) { _, block in
                let (lanes, gradient) = memory.value
                let start = block * blockSize
                LaneSum.write(
                    lanes + start, laneCount: schedule.lanes.count, stride: count, into: gradient + start,
                    count: min(blockSize, count - start))
            }
        }
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

private enum LaneSum {
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        _ lanes: UnsafePointer<Scalar>, laneCount: Int, stride: Int,
        into gradient: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        gradient.update(from: lanes, count: count)
        for lane in 1..<max(laneCount, 1) {
            let values = lanes + lane * stride
            for index in 0..<count { gradient[index] += values[index] }
        }
    }
}
