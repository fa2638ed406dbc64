import RRTensor

/// How a graph is cut into segments, of which only what leads from one to the next is kept: the maps inside are computed
/// again when a pass comes back to them (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
///
/// A cut is where one value alone leads on, as after each block of a residual network. Every pass then meets at a segment's
/// ends what it would have met without cuts, so the result is the same to the byte.
package struct GraphSegments: Equatable, Sendable {
    /// The nodes of each segment, one after the other.
    let nodes: [Range<Int>]

    init(_ nodes: [Range<Int>]) { self.nodes = nodes }

    /// One segment: every map is kept.
    static func whole(nodeCount: Int) -> GraphSegments { GraphSegments([0..<nodeCount]) }

    package var count: Int { nodes.count }
}

extension LayerGraph {
    /// The nodes before which the graph can be cut.
    var cuts: [Int] {
        var lastReaders = values.map { _ in -1 }
        for (index, node) in nodes.enumerated() { for input in node.inputs { lastReaders[input] = index } }
        lastReaders[output] = nodes.count
        // The values that lead across each place.
        var crossings = Array(repeating: 0, count: nodes.count + 1)
        var births = values.map { _ in 0 }
        for (index, node) in nodes.enumerated() { births[node.output] = index + 1 }
        for value in values.indices where lastReaders[value] >= births[value] {
            for place in births[value]...min(lastReaders[value], nodes.count) { crossings[place] += 1 }
        }
        return nodes.indices.dropFirst().filter { crossings[$0] == 1 && output != nodes[$0 - 1].output }
    }

    /// The fewest segments whose inner maps have at most `limit` elements a sample, where cuts allow that.
    ///
    /// - Parameter sums: the elements that all nodes before each one write.
    private func segments(holding limit: Int, cuts: [Int], sums: [Int]) -> GraphSegments {
        var segments: [Range<Int>] = []
        var start = 0
        var last = 0
        for cut in cuts + [nodes.count] {
            // What a segment ends in is kept, and not counted.
            if last > start, sums[cut - 1] - sums[start] > limit {
                segments.append(start..<last)
                start = last
            }
            last = cut
        }
        return GraphSegments(segments + [start..<nodes.count])
    }

    /// Ways to cut the graph, from none to all cuts: each holds fewer elements inside segments than the one before, and keeps
    /// more between them.
    var segmentations: [GraphSegments] {
        let cuts = cuts
        let sums = nodes.reduce(into: [0]) { sums, node in
            sums.append((sums.last ?? 0) + values[node.output].shape.elementCount)
        }
        var all = [GraphSegments.whole(nodeCount: nodes.count)]
        for count in 2...max(cuts.count + 1, 2) {
            // The smallest limit that as many segments can keep.
            var (low, high) = (0, featureCount)
            while low < high {
                let middle = (low + high) / 2
                if segments(holding: middle, cuts: cuts, sums: sums).count <= count {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            let segments = segments(holding: low, cuts: cuts, sums: sums)
            if segments.count > (all.last?.count ?? 0) { all.append(segments) }
        }
        return all
    }
}
