internal import RRNetworks
internal import RRTensor

/// The memory of an explanation loss: a worker's passes, a lane's gradient, a sample's terms.
final class LossMemory<Scalar: NetworkScalar> {
    /// CE of each sample of the batch.
    private(set) var crossEntropies: [Double]
    /// What each annotated sample of the batch adds to R before it is divided.
    private(set) var penalties: [Double]
    /// Whether each sample's largest logit is the label's.
    private(set) var isCorrect: [Bool]

    private let network: Network<Scalar>
    private let groupCapacity: Int
    private let workers: [LossWorker<Scalar>]
    private var laneGradients: [Scalar]

    init(network: Network<Scalar>, guidance: Guidance, schedule: GroupSchedule, workerCount: Int) {
        self.network = network
        groupCapacity = schedule.groupCapacity
        workers = (0..<workerCount).map { _ in
            LossWorker(network: network, guidance: guidance, capacity: schedule.groupCapacity)
        }
        laneGradients = Array(repeating: 0, count: schedule.laneCapacity * network.parameterLayout.count)
        crossEntropies = Array(repeating: 0, count: schedule.sampleCount)
        penalties = crossEntropies
        isCorrect = Array(repeating: false, count: schedule.sampleCount)
    }

    /// Whether a batch that is cut so can use this memory.
    func fits(_ schedule: GroupSchedule) -> Bool {
        schedule.groupCapacity <= groupCapacity && schedule.sampleCount <= crossEntropies.count
            && schedule.laneCapacity * network.parameterLayout.count <= laneGradients.count
    }

    /// Computes every sample's terms and every lane's gradient.
    func run(
        _ batch: LabelledBatch, _ plan: LossPlan, parameters: [Scalar],
        visitor: (@Sendable (ExplainedSample<Scalar>) -> Void)?, workers pool: Workers
    ) {
        let parameterCount = network.parameterLayout.count
        let passes = UncheckedSendable(workers)
        let schedule = plan.schedule
        batch.withUnsafePointers { images, masks in
            parameters.withUnsafeBufferPointer { parameters in
                laneGradients.withUnsafeMutableBufferPointer { lanes in
                    withTerms { terms in
                        guard let parameters = parameters.baseAddress, let lanes = lanes.baseAddress else {
                            return
                        }
                        let inputs = UncheckedSendable((images, masks, parameters))
                        let gradients = UncheckedSendable(lanes)
                        pool.run(parts: schedule.lanes.count) { worker, lane in
                            let gradient = gradients.value + lane * parameterCount
                            gradient.clear(count: parameterCount)
                            let (images, masks, parameters) = inputs.value
                            let job = LossJob(
                                plan: plan, images: images, masks: masks, labels: batch.labels,
                                indices: batch.indices,
                                parameters: parameters, terms: terms, worker: worker, visitor: visitor)
                            for group in schedule.lanes[lane] {
                                passes.value[worker].run(job, samples: group, addingTo: gradient)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Adds the lanes' gradients, in order.
    func addLanes(_ laneCount: Int, into gradient: inout [Scalar], workers: Workers) {
        let count = network.parameterLayout.count
        if gradient.count != count { gradient = Array(repeating: 0, count: count) }
        let blockSize = 1 << 14
        laneGradients.withUnsafeBufferPointer { lanes in
            gradient.withUnsafeMutableBufferPointer { gradient in
                guard let lanes = lanes.baseAddress, let gradient = gradient.baseAddress else { return }
                let memory = UncheckedSendable((lanes, gradient))
                workers.run(parts: (count + blockSize - 1) / blockSize) { _, block in
                    let (lanes, gradient) = memory.value
                    let start = block * blockSize
                    LaneSum.write(
                        lanes + start, laneCount: laneCount, stride: count, into: gradient + start,
                        count: min(blockSize, count - start))
                }
            }
        }
    }

    private func withTerms(_ body: (SampleTerms) -> Void) {
        crossEntropies.withUnsafeMutableBufferPointer { crossEntropies in
            penalties.withUnsafeMutableBufferPointer { penalties in
                isCorrect.withUnsafeMutableBufferPointer { isCorrect in
                    body(
                        SampleTerms(
                            crossEntropies: crossEntropies, penalties: penalties, isCorrect: isCorrect))
                }
            }
        }
    }
}

/// Where the workers write each sample's part of the loss.
///
/// `@unchecked Sendable`: every sample of a batch belongs to one group, so no two workers write one element.
struct SampleTerms: @unchecked Sendable {
    let crossEntropies: UnsafeMutableBufferPointer<Double>
    let penalties: UnsafeMutableBufferPointer<Double>
    let isCorrect: UnsafeMutableBufferPointer<Bool>
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

extension LabelledBatch {
    /// Calls `body` with the images and, where there are any, the masks.
    func withUnsafePointers(_ body: (UnsafePointer<Float>, UnsafePointer<UInt8>?) -> Void) {
        images.withUnsafeBufferPointer { images in
            guard let images = images.baseAddress else { return }
            guard let masks else { return body(images, nil) }
            masks.withUnsafeBufferPointer { body(images, $0.baseAddress) }
        }
    }
}
