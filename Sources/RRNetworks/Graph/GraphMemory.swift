import RRTensor

/// What the passes of a graph over one group of samples leave to each other.
final class GraphMemory<Scalar: NetworkScalar> {
    /// Each value.
    private let values: [Buffer<Scalar>]
    /// Each value's tangent.
    private let tangents: [Buffer<Scalar>]
    /// Each value's cotangent, where it has memory of its own.
    private let cotangents: [Buffer<Scalar>]
    private let adjoints: [Buffer<Scalar>]
    private let places: [GraphPlace]
    private let slots: [Int?]
    /// Each node's own.
    let scratch: [LayerScratch<Scalar>]
    /// What a node computes to be added.
    let spare: UnsafeMutablePointer<Scalar>
    private let spareMemory: Buffer<Scalar>

    /// - Parameter capacity: the largest number of samples in a group.
    init(_ graph: LayerGraph<Scalar>, capacity: Int) {
        func buffers(_ counts: [Int]) -> [Buffer<Scalar>] { counts.map { Buffer(count: $0 * capacity) } }
        let counts = graph.values.map(\.shape.elementCount)
        values = buffers(counts)
        tangents = buffers(counts)
        places = graph.returns.places
        cotangents = buffers(places.enumerated().map { $1.value == $0 ? counts[$0] : 0 })
        adjoints = buffers(graph.adjoints.elementCounts)
        slots = graph.adjoints.slots
        scratch = graph.nodes.map { node in
            if case .layer(let layer) = node.operation {
                layer.makeScratch(capacity: capacity)
            } else {
                LayerScratch()
            }
        }
        spareMemory = Buffer(count: graph.returns.spareCount * capacity)
        spare = spareMemory.start
    }

    @inline(__always)
    func value(_ value: Int) -> UnsafeMutablePointer<Scalar> { values[value].start }

    @inline(__always)
    func tangent(_ value: Int) -> UnsafeMutablePointer<Scalar> { tangents[value].start }

    @inline(__always)
    func cotangent(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        cotangent(at: places[value], sampleCount: sampleCount)
    }

    @inline(__always)
    func cotangent(at place: GraphPlace, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        cotangents[place.value].start + place.offset &* sampleCount
    }

    @inline(__always)
    func adjoint(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        adjoint(at: places[value], sampleCount: sampleCount)
    }

    @inline(__always)
    func adjoint(at place: GraphPlace, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        adjoints[slots[place.value] ?? 0].start + place.offset &* sampleCount
    }
}
