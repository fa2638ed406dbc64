import RRTensor

/// What a group keeps of the feature map that its explanation is about, beside the memory of all maps, where others take its
/// place: each (elements, columns).
final class FeatureMemory<Scalar: NetworkScalar> {
    let map: FeatureMap
    /// The first node that reads the map: it and those after it are the network that is explained.
    let firstNode: Int
    let values: UnsafeMutablePointer<Scalar>
    /// What the caller has the tangent pass begin with.
    let tangent: UnsafeMutablePointer<Scalar>
    /// What the caller has join the adjoint of the map: the penalty's derivative by the map where it is no seed.
    let adjoint: UnsafeMutablePointer<Scalar>

    private let memory: Buffer<Scalar>

    /// - Parameter capacity: the largest number of columns.
    init(_ map: FeatureMap, in graph: LayerGraph<Scalar>, capacity: Int) {
        self.map = map
        firstNode = graph.firstNode(behind: map)
        let count = map.shape.elementCount * capacity
        memory = Buffer(count: 3 * count)
        values = memory.start
        tangent = values + count
        adjoint = tangent + count
        memory.start.clear(count: 3 * count)
    }

    static func byteCount(_ map: FeatureMap, columns: Int) -> Int {
        3 * map.shape.elementCount * columns * MemoryLayout<Scalar>.stride
    }

    func keepValues(of memory: GraphMemory<Scalar>, sampleCount: Int) {
        values.update(
            from: memory.value(map.value, sampleCount: sampleCount),
            count: map.shape.elementCount * sampleCount)
    }

    func layTangent(in memory: GraphMemory<Scalar>, sampleCount: Int) {
        memory.tangent(map.value, sampleCount: sampleCount).update(
            from: tangent, count: map.shape.elementCount * sampleCount)
    }

    func addAdjoint(to memory: GraphMemory<Scalar>, sampleCount: Int) {
        let target = memory.adjoint(map.value, sampleCount: sampleCount)
        for index in 0..<map.shape.elementCount * sampleCount { target[index] += adjoint[index] }
    }
}

extension LayerGraph {
    /// The first node that is computed after a feature map.
    func firstNode(behind map: FeatureMap) -> Int {
        1 + (nodes.firstIndex { $0.output == map.value } ?? -1)
    }
}
