internal import RRTensor

/// A pass through a node in shares, for the threads that have no group of their own.
extension LayerGraph {
    /// - Parameter stageCount: the stages of the pass, each of which begins when the one before is done.
    func share(
        _ layer: any Layer<Scalar>, _ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>,
        stageCount: Int = 1, _ body: (LayerGroup<Scalar>) -> Void
    ) {
        let worth = layer.worthwhileShareCount(sampleCount: group.sampleCount)
        for stage in 0..<stageCount {
            group.share(worth: worth, atMost: layer.largestShareCount) { worker, share in
                body(
                    LayerGroup(
                        sampleCount: group.sampleCount,
                        parameters: parameters + nodes[index].parameterOffset,
                        scratch: group.memory.scratch[index], workspace: group.workspaces[worker],
                        share: share, stage: stage, dropoutStates: group.dropoutStates,
                        isExact: group.isExact,
                        trainedParts: group.demand.parts[index]))
            }
        }
    }

    func share(_ product: HadamardProduct, _ group: Group, _ body: (Range<Int>) -> Void) {
        let elements = product.factorCount * product.span * group.sampleCount
        group.share(
            worth: WorkShare.count(products: 0, elements: elements), atMost: product.factorCount
        ) { _, share in body(share.range(of: product.factorCount)) }
    }

    func share(elements: Int, _ group: Group, _ body: (Range<Int>) -> Void) {
        group.share(worth: WorkShare.count(products: 0, elements: elements), atMost: elements) { _, share in
            body(share.range(of: elements))
        }
    }
}

extension LayerGraph.Group {
    /// Runs shares of a pass, as many as keep the threads at hand busy.
    ///
    /// - Parameters:
    ///   - worth: the shares that the work is worth.
    ///   - limit: the most that it can be cut into.
    ///   - body: takes the number of the thread, and the share.
    func share(
        worth: Int, atMost limit: Int, _ body: (_ worker: Int, _ share: WorkShare) -> Void
    ) {
        guard let place else { return body(0, .whole) }
        let count = fixedShareCount.map { min($0, limit) } ?? place.pieceCount(upTo: min(worth, limit))
        place.share(count) { worker, piece in body(worker, WorkShare(index: piece, count: count)) }
    }
}

extension Network {
    /// The most shares that a pass of any layer over as many samples is worth.
    package func shareCount(sampleCount: Int) -> Int {
        if let fixed = groupLimits.fixedShareCount { return fixed }
        return graph.nodes.reduce(1) { most, node in
            guard case .layer(let layer) = node.operation else { return most }
            return max(
                most, min(layer.worthwhileShareCount(sampleCount: sampleCount), layer.largestShareCount))
        }
    }
}

extension Layer {
    /// The shares that a pass is worth, however it can be cut.
    func worthwhileShareCount(sampleCount: Int) -> Int {
        WorkShare.count(
            products: productCount * sampleCount, elements: inputShape.elementCount * sampleCount)
    }
}

/// Memory that a thread needs while it is in one pass of one layer.
package final class Workspaces<Scalar: NetworkScalar> {
    private let buffers: [Buffer<Scalar>]

    /// - Parameters:
    ///   - capacity: the largest number of samples in a group.
    ///   - count: the number of threads.
    package init(_ network: Network<Scalar>, capacity: Int, count: Int) {
        let elementCount = Self.elementCount(network, capacity: capacity)
        buffers = (0..<count).map { _ in Buffer(count: elementCount) }
    }

    /// What a thread needs.
    static func elementCount(_ network: Network<Scalar>, capacity: Int) -> Int {
        let capacity = network.groupLimits.columnCount(for: capacity)
        let sizes = network.graph.nodes.map { node in
            if case .layer(let layer) = node.operation { layer.workspaceCount(capacity: capacity) } else { 0 }
        }
        return sizes.max() ?? 0
    }

    @inline(__always)
    subscript(worker: Int) -> UnsafeMutablePointer<Scalar> { buffers[worker].start }
}
