package import RRTensor

/// The layers whose parameter gradients are taken of all samples of a batch at once, and not lane by lane.
///
/// A lane's part of a gradient takes as much memory as the parameters, and is cleared, summed into and added up. A layer with
/// many parameters for its maps, as classifiers and the last stages of networks for photographs have, is better served by what
/// the sums are made of: the maps of all samples are kept until the last group is through, and one sum over them, in the
/// order of the batch, is the gradient.
package struct GatheredLayers: Equatable, Sendable {
    /// The nodes, in their order.
    let nodes: [Int]
    /// The parameters, as ranges of the flat list, whose gradients lanes have parts of.
    package let laneRanges: [Range<Int>]
    /// The elements of the maps of a sample, an input and an output a node.
    let elementCount: Int
    /// The parameters of the largest piece.
    package let largestPieceCount: Int

    package var isEmpty: Bool { nodes.isEmpty }

    init<Scalar>(in graph: LayerGraph<Scalar>, demand: GradientDemand, sampleCount: Int) {
        var nodes: [Int] = []
        var laneRanges: [Range<Int>] = []
        var elementCount = 0
        var largestPieceCount = 0
        var start = 0
        for (index, node) in graph.nodes.enumerated() where demand.nodes[index] {
            guard case .layer(let layer as any GatheringLayer<Scalar>) = node.operation else { continue }
            let elements = layer.inputShape.elementCount + layer.outputShape.elementCount
            // A few copies are saved, and two or four maps of each sample are kept for it.
            guard sampleCount * elements <= 2 * layer.parameterCount else { continue }
            nodes.append(index)
            elementCount += elements
            largestPieceCount = max(largestPieceCount, layer.gradientPieces.map(\.count).max() ?? 0)
            if node.parameterOffset > start { laneRanges.append(start..<node.parameterOffset) }
            start = node.parameterOffset + layer.parameterCount
        }
        let end = graph.parameters.reduce(0) { $0 + $1.elementCount }
        if end > start { laneRanges.append(start..<end) }
        self.nodes = nodes
        self.laneRanges = laneRanges
        self.elementCount = elementCount
        self.largestPieceCount = largestPieceCount
    }

    private init(parameterCount: Int) {
        nodes = []
        laneRanges = [0..<parameterCount]
        elementCount = 0
        largestPieceCount = 0
    }

    /// No layers: lanes have parts of all.
    static func none(parameterCount: Int) -> GatheredLayers { GatheredLayers(parameterCount: parameterCount) }
}

extension Network {
    /// The layers whose gradients are taken of a batch of so many samples at once: none on small maps, where a group has
    /// samples enough.
    package func gatheredLayers(demand: GradientDemand, sampleCount: Int) -> GatheredLayers {
        guard groupLimits.smallestGroup == 1 else { return .none(parameterCount: parameterLayout.count) }
        return GatheredLayers(in: graph, demand: demand, sampleCount: sampleCount)
    }
}

/// The maps that gradients of a batch's gathered layers are made of, a sample a row.
///
/// `@unchecked Sendable`: every row belongs to one group, so no two workers write one element; nobody reads before all are
/// done.
package final class GatheredMaps<Scalar: NetworkScalar>: @unchecked Sendable {
    package let layers: GatheredLayers
    /// The rows that can be kept.
    package let capacity: Int
    private let graph: LayerGraph<Scalar>
    /// By node; nil where a node is not gathered.
    private let rows: [NodeRows<Scalar>?]
    private let workspaces: Workspaces<Scalar>

    /// - Parameter workspaces: for at least one sample, one for each worker that takes pieces.
    package init(
        _ layers: GatheredLayers, in network: Network<Scalar>, capacity: Int, workspaces: Workspaces<Scalar>
    ) {
        self.layers = layers
        self.capacity = capacity
        graph = network.graph
        rows = network.graph.nodes.enumerated().map { index, node in
            guard layers.nodes.contains(index), case .layer(let layer) = node.operation else { return nil }
            return NodeRows(layer, capacity: capacity)
        }
        self.workspaces = workspaces
    }

    /// Keeps what a group gives to the parameter gradient of a node.
    ///
    /// - Parameters:
    ///   - firstRow: that of the group's first sample.
    ///   - sampleCount: the columns of the maps.
    /// - Returns: whether the node is gathered.
    func keep(
        _ node: Int, firstRow: Int, sampleCount: Int, input: UnsafePointer<Scalar>,
        outputAdjoint: UnsafePointer<Scalar>, secondOrder: SecondOrder<Scalar>?
    ) -> Bool {
        guard let rows = rows[node] else { return false }
        for column in 0..<sampleCount {
            func keep(_ map: UnsafePointer<Scalar>, in rows: MapRows<Scalar>) {
                Transposition.read(column: column, of: sampleCount, from: map, into: rows[firstRow + column])
            }
            keep(input, in: rows.inputs)
            keep(outputAdjoint, in: rows.adjoints)
            if let secondOrder {
                keep(secondOrder.inputTangent, in: rows.tangents)
                keep(secondOrder.outputCotangent, in: rows.cotangents)
            }
        }
        return true
    }

    /// Takes the gradients of all gathered layers, a piece after the other.
    ///
    /// - Parameters:
    ///   - count: the rows that were kept.
    ///   - penalizedCount: the first of them, which have the penalty's part too.
    ///   - features: the feature map that the penalty is about; nil for the input.
    ///   - memory: gives a range of the parameters the place that its gradient is written to.
    ///   - body: is called with each range when its gradient is there.
    package func forEachPiece(
        count: Int, penalizedCount: Int, features: FeatureMap?, workers: Workers,
        in memory: (Range<Int>) -> UnsafeMutablePointer<Scalar>,
        _ body: (Range<Int>, UnsafeMutablePointer<Scalar>) -> Void
    ) {
        let firstExplained = features.map(graph.firstNode(behind:)) ?? 0
        for node in layers.nodes {
            guard case .layer(let layer as any GatheringLayer<Scalar>) = graph.nodes[node].operation,
                let rows = rows[node]
            else { continue }
            let job = PieceJob(
                rows: rows, workspaces: workspaces, count: count,
                penalizedCount: node >= firstExplained ? penalizedCount : 0)
            let offset = graph.nodes[node].parameterOffset
            for (piece, range) in layer.gradientPieces.enumerated() {
                let range = offset + range.lowerBound..<offset + range.upperBound
                let gradient = memory(range)
                write(piece, of: layer, parameterCount: range.count, job, workers, to: gradient)
                body(range, gradient)
            }
        }
    }

    private func write(
        _ piece: Int, of layer: any GatheringLayer<Scalar>, parameterCount: Int, _ job: PieceJob<Scalar>,
        _ workers: Workers, to gradient: UnsafeMutablePointer<Scalar>
    ) {
        // A share of the sum stays near its core for all samples.
        let parts = max(parameterCount * MemoryLayout<Scalar>.stride >> 19, 2 * workers.count)
        let partCount = min(parts, layer.largestShareCount)
        let memory = UncheckedSendable((gradient, job))
        share(parameterCount, workers) { (memory.value.0 + $0.lowerBound).clear(count: $0.count) }
        workers.run(parts: partCount) { worker, part in
            let (gradient, job) = memory.value
            let share = WorkShare(index: part, count: partCount)
            layer.addGradient(
                ofSamples: job.count, piece: piece, share, inputs: job.rows.inputs.start,
                outputs: job.rows.adjoints.start, countsBias: true, job.workspaces[worker], to: gradient)
            guard job.penalizedCount > 0 else { return }
            layer.addGradient(
                ofSamples: job.penalizedCount, piece: piece, share, inputs: job.rows.tangents.start,
                outputs: job.rows.cotangents.start, countsBias: false, job.workspaces[worker], to: gradient)
        }
    }

    private func share(_ elementCount: Int, _ workers: Workers, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = min(WorkShare.count(products: 0, elements: elementCount), 2 * workers.count)
        workers.run(parts: parts) { _, part in
            body(WorkShare(index: part, count: parts).range(of: elementCount))
        }
    }
}

/// What the pieces of a node's gradient are made of.
private struct PieceJob<Scalar: NetworkScalar> {
    let rows: NodeRows<Scalar>
    let workspaces: Workspaces<Scalar>
    let count: Int
    let penalizedCount: Int
}

/// The maps of one node.
private struct NodeRows<Scalar: NetworkScalar> {
    let inputs: MapRows<Scalar>
    let adjoints: MapRows<Scalar>
    /// What the penalty adds.
    let tangents: MapRows<Scalar>
    let cotangents: MapRows<Scalar>

    init(_ layer: any Layer<Scalar>, capacity: Int) {
        inputs = MapRows(layer.inputShape, capacity: capacity)
        adjoints = MapRows(layer.outputShape, capacity: capacity)
        tangents = MapRows(layer.inputShape, capacity: capacity)
        cotangents = MapRows(layer.outputShape, capacity: capacity)
    }
}

/// A map of every sample.
private struct MapRows<Scalar: NetworkScalar> {
    private let elementCount: Int
    private let memory: Buffer<Scalar>

    init(_ shape: ImageShape, capacity: Int) {
        elementCount = shape.elementCount
        memory = Buffer(count: elementCount * capacity)
    }

    var start: UnsafePointer<Scalar> { UnsafePointer(memory.start) }

    subscript(row: Int) -> UnsafeMutableBufferPointer<Scalar> {
        UnsafeMutableBufferPointer(start: memory.start + row * elementCount, count: elementCount)
    }
}
