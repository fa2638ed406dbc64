public import RRFormats
internal import RRSchemas

/// The course of a training, as `metrics.jsonl` of its run records it.
public struct RunMetrics: Equatable, Sendable {
    /// The steps, in order.
    public private(set) var steps: [Step] = []
    /// The epochs, in order.
    public private(set) var epochs: [Epoch] = []

    /// One step, before its parameters were moved.
    public struct Step: Equatable, Sendable {
        /// From 0.
        public let epoch: Int
        /// From 0, over all epochs.
        public let step: Int
        /// Without weight decay.
        public let loss: Double
        public let crossEntropy: Double
        /// Before λ1; nil where it was not computed.
        public let penalty: Double?
        public let lambda1: Double
        public let learningRate: Double
        /// The wall time, the wait for the batch included.
        public let seconds: Double
        /// Of that, the wait for the batch.
        public let secondsWaiting: Double
    }

    /// One epoch: means over its samples, and the validation after it. Where a run of another program leaves a figure
    /// out, it is nil.
    public struct Epoch: Equatable, Sendable {
        /// From 0.
        public let epoch: Int
        public let stepCount: Int?
        public let sampleCount: Int?
        public let loss: Double?
        public let crossEntropy: Double?
        /// Before λ1; nil where it was not computed.
        public let penalty: Double?
        /// The wall time, without the validation.
        public let seconds: Double?
        /// Of that, the wait for batches.
        public let secondsWaiting: Double?
        /// nil where the run had none.
        public let validation: Validation?
    }

    /// The figures of the validation after an epoch.
    public struct Validation: Equatable, Sendable {
        /// The split that was measured; nil where the run does not name it.
        public let split: String?
        public let sampleCount: Int
        /// The share of samples whose largest logit was the label's.
        public let accuracy: Double
        public let crossEntropy: Double
        /// The accuracy of the class that is recognised worst.
        public let worstClassAccuracy: Double?
        /// The accuracy of the group that is recognised worst; nil where there are no groups.
        public let worstGroupAccuracy: Double?
    }
}

extension Run {
    /// Reads the metrics of the run, O(steps).
    ///
    /// - Returns: nil where weights came without a run.
    /// - Throws: `FormatError` where the file cannot be read, or with the code `malformed` where a line is no step and
    ///   no epoch.
    public func metrics() throws(FormatError) -> RunMetrics? {
        guard let folder else { return nil }
        return try RunMetrics(path: folder + "/" + RunFile.metrics)
    }
}

extension RunMetrics {
    /// - Parameter lines: those of steps and epochs; others are left out.
    init(_ lines: [JSONValue]) {
        for line in lines { _ = add(line) }
    }

    init(path: String) throws(FormatError) {
        let lines = try FileBytes.read(path).split(separator: UInt8(ascii: "\n"))
        for (number, line) in lines.enumerated() {
            guard let line = try? JSONValue(parsing: Array(line)), add(line) else {
                throw FormatError(
                    .malformed, path: path, "line \(number + 1) is no step and no epoch of a training")
            }
        }
    }

    /// Whether a line is that of a step or an epoch.
    static func isLine(_ bytes: some Collection<UInt8>) -> Bool {
        var metrics = RunMetrics()
        return (try? JSONValue(parsing: Array(bytes))).map { metrics.add($0) } ?? false
    }

    /// - Returns: false where the line is neither.
    private mutating func add(_ line: JSONValue) -> Bool {
        if line["kind"] == "epoch" {
            guard let epoch = Epoch(line) else { return false }
            epochs.append(epoch)
        } else {
            guard let step = Step(line) else { return false }
            steps.append(step)
        }
        return true
    }
}

extension RunMetrics.Step {
    fileprivate init?(_ line: JSONValue) {
        guard let epoch = line["epoch"]?.integerValue, let step = line["step"]?.integerValue,
            let loss = line["loss"]?.doubleValue, let crossEntropy = line["cross_entropy"]?.doubleValue,
            let lambda1 = line["lambda1"]?.doubleValue,
            let learningRate = line["learning_rate"]?.doubleValue,
            let seconds = line["seconds"]?.doubleValue, let waiting = line["seconds_waiting"]?.doubleValue
        else { return nil }
        self.init(
            epoch: epoch, step: step, loss: loss, crossEntropy: crossEntropy,
            penalty: line["penalty"]?.doubleValue, lambda1: lambda1, learningRate: learningRate,
            seconds: seconds, secondsWaiting: waiting)
    }
}

extension RunMetrics.Epoch {
    fileprivate init?(_ line: JSONValue) {
        guard let epoch = line["epoch"]?.integerValue else { return nil }
        var validation: RunMetrics.Validation?
        if let figures = line["validation"] {
            validation = RunMetrics.Validation(figures)
            guard validation != nil else { return nil }
        }
        self.init(
            epoch: epoch, stepCount: line["steps"]?.integerValue, sampleCount: line["samples"]?.integerValue,
            loss: line["loss"]?.doubleValue, crossEntropy: line["cross_entropy"]?.doubleValue,
            penalty: line["penalty"]?.doubleValue, seconds: line["seconds"]?.doubleValue,
            secondsWaiting: line["seconds_waiting"]?.doubleValue, validation: validation)
    }
}

extension RunMetrics.Validation {
    fileprivate init?(_ figures: JSONValue) {
        guard let sampleCount = figures["samples"]?.integerValue,
            let accuracy = figures["accuracy"]?.doubleValue,
            let crossEntropy = figures["cross_entropy"]?.doubleValue
        else { return nil }
        self.init(
            split: figures["split"]?.stringValue, sampleCount: sampleCount, accuracy: accuracy,
            crossEntropy: crossEntropy, worstClassAccuracy: figures["worst_class"]?.doubleValue,
            worstGroupAccuracy: figures["worst_group"]?.doubleValue)
    }
}
