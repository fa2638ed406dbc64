internal import RRTensor

/// What a training holds in memory at its largest, and what it does to hold less: fewer groups on their way at once, with
/// more threads at each, and then recomputation.
package struct TrainingMemory: Sendable {
    /// The number of samples in a batch.
    package var sampleCount: Int
    package var threadCount: Int
    /// Whether samples take the passes of a penalty.
    package var hasPenalty: Bool
    /// The feature map that the penalty is about; nil for the input.
    package var features: FeatureMap?
    /// The values that the optimiser keeps for each parameter.
    package var momentCount: Int
    /// Whether the gradient is wanted whole, and not a piece at a time.
    package var keepsGradient: Bool
    /// Whether an epoch ends with a measurement, beside the memory of the training.
    package var isMeasured: Bool
    /// The bytes of all that is no network: the stream's and the program's.
    package var otherBytes: Int

    package init(
        sampleCount: Int, threadCount: Int?, hasPenalty: Bool, features: FeatureMap? = nil, momentCount: Int,
        keepsGradient: Bool, isMeasured: Bool, otherBytes: Int
    ) {
        self.sampleCount = sampleCount
        self.threadCount = Workers(count: threadCount).count
        self.hasPenalty = hasPenalty
        self.features = features
        self.momentCount = momentCount
        self.keepsGradient = keepsGradient
        self.isMeasured = isMeasured
        self.otherBytes = otherBytes
    }
}

extension Network {
    /// The bytes that a training takes with the limits and segments that the network has.
    package func byteCount(_ training: TrainingMemory) -> Int {
        let elementSize = MemoryLayout<Scalar>.stride
        let schedule = GroupSchedule(sampleCount: training.sampleCount, limits: groupLimits)
        let places = min(training.threadCount, schedule.laneCapacity, groupLimits.largestPlaceCount)
        let columns = groupLimits.columnCount(for: schedule.groupCapacity)
        // The sums of lanes on their way, and of those that wait for their neighbours.
        let sums = min(
            schedule.laneCapacity, places + Int.bitWidth - (schedule.laneCapacity - 1).leadingZeroBitCount)
        let gathered = gatheredLayers(
            demand: gradientDemand(trained: parameterLayout.trainedRanges()),
            sampleCount: training.sampleCount)
        let laneCount = gathered.laneRanges.reduce(0) { $0 + $1.count }
        let gradient =
            training.keepsGradient ? parameterLayout.count : laneCount + gathered.largestPieceCount
        let parameters =
            (parameterLayout.count * (1 + training.momentCount) + gradient + laneCount * (sums - 1)
                + gathered.elementCount * training.sampleCount
                * (training.hasPenalty ? 2 : 1))
            * elementSize
        let groups =
            places
            * (graph.byteCount(segments, columns: columns, hasPenalty: training.hasPenalty)
                + columns * elementSize * (training.hasPenalty ? model.input.elementCount : 0)
                + (training.features.map { FeatureMemory<Scalar>.byteCount($0, columns: columns) } ?? 0))
        let measured =
            training.isMeasured
            ? min(training.threadCount, groupLimits.largestPlaceCount)
                * graph.byteCount(
                    segments, columns: groupLimits.columnCount(for: groupLimits.largestGroup),
                    hasPenalty: false,
                    isMeasured: true) : 0
        let workspaces =
            training.threadCount * Workspaces<Scalar>.elementCount(self, capacity: schedule.groupCapacity)
            * elementSize
        return parameters + groups + measured + workspaces + training.otherBytes
    }

    /// Bounds what a training takes, at the least cost in time.
    ///
    /// - Returns: whether the limit can be kept; if it cannot, the training takes as little as it can.
    package mutating func bound(_ training: TrainingMemory, to limit: Int) -> Bool {
        let most = groupLimits.largestPlaceCount
        for places in (1...most).reversed() {
            groupLimits.largestPlaceCount = places
            if byteCount(training) <= limit { return true }
        }
        var smallest = (bytes: Int.max, segments: segments)
        for segments in segmentations {
            self.segments = segments
            let bytes = byteCount(training)
            if bytes <= limit { return true }
            if bytes < smallest.bytes { smallest = (bytes, segments) }
        }
        segments = smallest.segments
        return false
    }
}
