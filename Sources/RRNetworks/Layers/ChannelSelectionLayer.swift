import RRTensor

/// Channels of the input in some order, each once at most: a part of them, or all of them shuffled.
struct ChannelSelectionLayer<Scalar: NetworkScalar>: LinearMapLayer {
    let inputShape: ImageShape
    let outputShape: ImageShape
    /// By the channel of the output, that of the input.
    private let sources: [Int]
    /// By the channel of the input, that of the output; nil where none takes it.
    private let destinations: [Int?]

    /// - Throws: where the input has not all of the channels.
    init(input: ImageShape, _ options: LayerDescription.Narrowing) throws {
        guard options.start < input.channels, options.length <= input.channels - options.start else {
            throw LayerMisfit(
                "takes \(options.length) channels from the channel \(options.start) on, but its input has only "
                    + "\(input.channels)")
        }
        try self.init(input: input, sources: Array(options.start..<options.start + options.length))
    }

    /// - Throws: where the groups are not all of one size.
    init(input: ImageShape, shufflingGroups groups: Int) throws {
        guard groups > 0, input.channels % groups == 0 else {
            throw LayerMisfit("needs channels in \(groups) groups, but its input has \(input.channels)")
        }
        let count = input.channels / groups
        try self.init(
            input: input, sources: (0..<input.channels).map { $0 % groups * count + $0 / groups })
    }

    private init(input: ImageShape, sources: [Int]) throws {
        inputShape = input
        outputShape = try ImageShape(channels: sources.count, height: input.height, width: input.width)
        self.sources = sources
        var destinations = [Int?](repeating: nil, count: input.channels)
        for (channel, source) in sources.enumerated() { destinations[source] = channel }
        self.destinations = destinations
    }

    var parameters: [ParameterSpecification] { [] }
    var largestShareCount: Int { outputShape.channels }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) { multiply(group, input, into: output) }

    func multiply(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, into output: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.pixelCount * group.sampleCount
        for channel in group.share.range(of: outputShape.channels) {
            (output + channel * count).update(from: input + sources[channel] * count, count: count)
        }
    }

    func multiplyTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, into input: UnsafeMutablePointer<Scalar>
    ) {
        let count = inputShape.pixelCount * group.sampleCount
        for channel in group.share.range(of: inputShape.channels) {
            if let destination = destinations[channel] {
                (input + channel * count).update(from: output + destination * count, count: count)
            } else {
                (input + channel * count).clear(count: count)
            }
        }
    }
}
