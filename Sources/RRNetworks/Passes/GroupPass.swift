internal import RRTensor

/// The four passes of a network over one group of samples, in memory that is used again for the next group.
///
/// Every matrix here is row-major with one column a sample: the input is (C · H · W, samples), the logits are
/// (classes, samples). A caller fills a seed and runs the pass that starts from it:
///
/// | seed | pass | result |
/// |---|---|---|
/// | `input` | `forward` | `logits` |
/// | `logitCotangent` | `reverse` | `inputCotangent`: the gradient with respect to the input |
/// | `inputTangent` | `tangent` | `logitTangent` |
/// | `logitAdjoint` | `gradient` | the parameter gradient, added |
package final class GroupPass<Scalar: NetworkScalar> {
    /// The columns of the matrices at hand: the samples of the group, and idle ones up to full vectors. Idle
    /// columns begin as zeros, and add nothing to a gradient.
    package private(set) var columnCount = 0

    private let network: Network<Scalar>
    private let scratch: [LayerScratch<Scalar>]
    /// x, and z of every layer.
    private let values: [Buffer<Scalar>]
    /// δ at the same places.
    private let cotangents: [Buffer<Scalar>]
    /// ẋ at the same places.
    private let tangents: [Buffer<Scalar>]
    /// ε, which only the layer at hand needs: its output's and its input's in turn.
    private let adjoints: (Buffer<Scalar>, Buffer<Scalar>)

    /// - Parameter capacity: the largest number of samples in a group.
    package init(network: Network<Scalar>, capacity: Int) {
        self.network = network
        let capacity = Self.columnCount(for: capacity)
        let counts =
            [network.model.input.elementCount * capacity]
            + network.layers.map { $0.outputShape.elementCount * capacity }
        scratch = network.layers.map { $0.makeScratch(capacity: capacity) }
        values = counts.map(Buffer.init(count:))
        cotangents = counts.map(Buffer.init(count:))
        tangents = counts.map(Buffer.init(count:))
        let largest = counts.max() ?? 0
        adjoints = (Buffer(count: largest), Buffer(count: largest))
    }

    package var input: UnsafeMutablePointer<Scalar> { values[0].start }
    package var logits: UnsafePointer<Scalar> { UnsafePointer(values[layerCount].start) }
    package var logitCotangent: UnsafeMutablePointer<Scalar> { cotangents[layerCount].start }
    package var inputCotangent: UnsafePointer<Scalar> { UnsafePointer(cotangents[0].start) }
    package var inputTangent: UnsafeMutablePointer<Scalar> { tangents[0].start }
    package var logitTangent: UnsafePointer<Scalar> { UnsafePointer(tangents[layerCount].start) }
    package var logitAdjoint: UnsafeMutablePointer<Scalar> { adjoints.0.start }

    private var layerCount: Int { network.layers.count }

    /// Begins a group: fills `input` with images of the batch, one a column.
    ///
    /// - Parameters:
    ///   - images: the batch, (N, C, H, W).
    ///   - samples: the rows of the batch that make up the group.
    package func load(_ images: UnsafePointer<Float>, samples: ArraySlice<Int>) {
        columnCount = Self.columnCount(for: samples.count)
        let elementCount = network.model.input.elementCount
        if columnCount > samples.count {
            input.clear(count: elementCount * columnCount)
            logitCotangent.clear(count: network.model.classCount * columnCount)
            logitAdjoint.clear(count: network.model.classCount * columnCount)
        }
        for (column, sample) in samples.enumerated() {
            Transposition.write(
                images + sample * elementCount, count: elementCount, toColumn: column, of: columnCount,
                into: input)
        }
    }

    package func forward(_ parameters: UnsafePointer<Scalar>) {
        for (index, layer) in network.layers.enumerated() {
            layer.forward(
                group(index, parameters), input: UnsafePointer(values[index].start),
                output: values[index + 1].start)
        }
    }

    package func reverse(_ parameters: UnsafePointer<Scalar>) {
        for (index, layer) in network.layers.enumerated().reversed() {
            layer.reverse(
                group(index, parameters), at: point(index),
                outputCotangent: UnsafePointer(cotangents[index + 1].start),
                inputCotangent: cotangents[index].start)
        }
    }

    package func tangent(_ parameters: UnsafePointer<Scalar>) {
        for (index, layer) in network.layers.enumerated() {
            layer.tangent(
                group(index, parameters), at: point(index),
                inputTangent: UnsafePointer(tangents[index].start), outputTangent: tangents[index + 1].start)
        }
    }

    /// - Parameter isSecondOrder: whether `reverse` and `tangent` have run for this group, so that the penalty
    ///   has its part in the gradient.
    package func gradient(
        _ parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        var (output, input) = adjoints
        for (index, layer) in network.layers.enumerated().reversed() {
            let secondOrder = SecondOrder(
                outputCotangent: UnsafePointer(cotangents[index + 1].start),
                inputTangent: UnsafePointer(tangents[index].start))
            layer.gradient(
                group(index, parameters), at: point(index), secondOrder: isSecondOrder ? secondOrder : nil,
                outputAdjoint: UnsafePointer(output.start), inputAdjoint: index == 0 ? nil : input.start,
                parameterGradient: parameterGradient + network.parameterOffsets[index])
            swap(&output, &input)
        }
    }

    private func group(_ index: Int, _ parameters: UnsafePointer<Scalar>) -> LayerGroup<Scalar> {
        LayerGroup(
            sampleCount: columnCount, parameters: parameters + network.parameterOffsets[index],
            scratch: scratch[index])
    }

    private func point(_ index: Int) -> LayerPoint<Scalar> {
        LayerPoint(
            input: UnsafePointer(values[index].start), output: UnsafePointer(values[index + 1].start))
    }
}

extension GroupPass {
    /// The lanes of the widest vector that any kernel uses.
    private static var lanes: Int { 16 }

    private static func columnCount(for sampleCount: Int) -> Int { (sampleCount + lanes - 1) / lanes * lanes }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Sets elements to zero, which is all bits zero.
    package func clear(count: Int) {
        UnsafeMutableRawPointer(self).initializeMemory(
            as: UInt8.self, repeating: 0, count: count * MemoryLayout<Pointee>.stride)
    }
}

extension Network {
    /// The number of samples in a group at most: as many as keep a group's feature maps near the core.
    package var largestGroup: Int {
        let elements = layers.reduce(model.input.elementCount) { $0 + $1.outputShape.elementCount }
        let bytes = elements * MemoryLayout<Scalar>.stride
        return min(64, max(16, Self.groupBytes / max(bytes, 1) / 16 * 16))
    }

    private static var groupBytes: Int { 1 << 21 }
}
