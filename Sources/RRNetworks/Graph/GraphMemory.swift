import RRTensor

/// What the passes of a graph over one group of samples leave to each other.
final class GraphMemory<Scalar: NetworkScalar> {
    /// The graph's segments, and which of them the maps that lie in shared memory belong to.
    let segments: GraphSegments
    var held = HeldMaps()
    /// Each value.
    private let values: Maps<Scalar>
    /// Each value's tangent.
    private let tangents: Maps<Scalar>
    /// Each value's cotangent, where it has memory of its own.
    private let cotangents: Maps<Scalar>
    private let adjoints: [Buffer<Scalar>]
    private let places: [GraphPlace]
    private let slots: [Int?]
    /// Each node's own.
    let scratch: [LayerScratch<Scalar>]
    /// What a node computes to be added.
    let spare: UnsafeMutablePointer<Scalar>
    private let spareMemory: Buffer<Scalar>

    /// - Parameters:
    ///   - segments: those of the graph.
    ///   - capacity: the largest number of samples in a group.
    init(_ graph: LayerGraph<Scalar>, _ segments: GraphSegments, capacity: Int) {
        self.segments = segments
        let placements = graph.placements(segments)
        values = Maps(placements.values, capacity: capacity)
        tangents = Maps(placements.values, capacity: capacity)
        places = graph.returns.places
        cotangents = Maps(placements.cotangents, capacity: capacity)
        adjoints = graph.adjoints.elementCounts.map { Buffer(count: $0 * capacity) }
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
    func value(_ value: Int) -> UnsafeMutablePointer<Scalar> { values.starts[value] }

    @inline(__always)
    func tangent(_ value: Int) -> UnsafeMutablePointer<Scalar> { tangents.starts[value] }

    @inline(__always)
    func cotangent(_ value: Int, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        cotangent(at: places[value], sampleCount: sampleCount)
    }

    @inline(__always)
    func cotangent(at place: GraphPlace, sampleCount: Int) -> UnsafeMutablePointer<Scalar> {
        cotangents.starts[place.value] + place.offset &* sampleCount
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

/// Memory for maps of one kind.
private struct Maps<Scalar: NetworkScalar> {
    /// Where each map begins.
    let starts: [UnsafeMutablePointer<Scalar>]
    private let buffers: [Buffer<Scalar>]

    init(_ placement: MapPlacement, capacity: Int) {
        let shared = Buffer<Scalar>(count: placement.sharedCount * capacity)
        var buffers = [shared]
        starts = placement.counts.indices.map { map in
            guard placement.isKept[map] else { return shared.start + placement.offsets[map] * capacity }
            buffers.append(Buffer(count: placement.counts[map] * capacity))
            return buffers[buffers.count - 1].start
        }
        self.buffers = buffers
    }
}

extension LayerGraph {
    /// The bytes that a group takes, for each of its columns.
    ///
    /// - Parameters:
    ///   - hasPenalty: whether all four passes run, or the first and the last alone.
    ///   - isMeasured: whether logits alone are wanted.
    func bytesPerColumn(_ segments: GraphSegments, hasPenalty: Bool, isMeasured: Bool = false) -> Int {
        let placements = placements(segments)
        var elements = placements.values.elementCount
        if hasPenalty { elements += placements.values.elementCount }
        if hasPenalty { elements += placements.cotangents.elementCount }
        if !isMeasured { elements += adjoints.elementCounts.reduce(0, +) }
        let scratch = nodes.reduce(0) { sum, node in
            if case .layer(let layer) = node.operation {
                sum + layer.makeScratch(capacity: 1).byteCount
            } else {
                sum
            }
        }
        return (elements + returns.spareCount) * MemoryLayout<Scalar>.stride + scratch
    }
}
