/// Where a feature map lies: in the memory of a value, from an element of each sample on.
struct GraphPlace: Hashable, Sendable {
    let value: Int
    let offset: Int
}

/// The plan by which cotangents, and the adjoints likewise, go back from nodes to the values that they read.
///
/// A sum or a concatenation has nothing to compute there: what comes back to its input is what came to its output, or a
/// part of it. Where its input has no other reader, the two share memory.
struct GraphReturns: Sendable {
    /// What a node does for one of its inputs, the nodes being visited from the last to the first.
    enum Action: Hashable, Sendable {
        /// Nothing: the input's cotangent is this node's own, or will be added to what another reader writes.
        case none
        /// Writes the node's part where the value's own memory is.
        case write
        /// Writes it there, and adds what lies at a place.
        case writeAndAdd(GraphPlace)
        /// Adds the node's part to what is there.
        case add
        /// Writes the sum of two places.
        case writeSum(GraphPlace, GraphPlace)
        /// Adds what lies at a place.
        case addPlace(GraphPlace)
    }

    /// By node and input.
    let actions: [[Action]]
    /// Where each value's cotangent lies.
    let places: [GraphPlace]
    /// The largest number of elements that a node adds.
    let spareCount: Int

    /// Plans the way back through nodes.
    ///
    /// The graph's input has its own memory: all branches of a block begin at one value, so none is its only reader that
    /// merely passes on.
    ///
    /// - Parameters:
    ///   - nodes: each node's inputs and output, and, where it only passes on, the first element of each input in its output.
    ///   - elementCounts: the number of elements of each value.
    init(nodes: [(inputs: [Int], output: Int, offsets: [Int]?)], elementCounts: [Int]) {
        var readers = elementCounts.map { _ in 0 }
        for node in nodes { for input in node.inputs { readers[input] += 1 } }
        var places = elementCounts.indices.map { GraphPlace(value: $0, offset: 0) }
        var isWritten = elementCounts.map { _ in false }
        var waiting: [GraphPlace?] = elementCounts.map { _ in nil }
        var actions = nodes.map { $0.inputs.map { _ in Action.none } }
        var spareCount = 0
        for (index, node) in nodes.enumerated().reversed() {
            for (slot, input) in node.inputs.enumerated() {
                guard let offsets = node.offsets else {
                    if let place = waiting[input] {
                        actions[index][slot] = .writeAndAdd(place)
                        waiting[input] = nil
                    } else if isWritten[input] {
                        actions[index][slot] = .add
                        spareCount = max(spareCount, elementCounts[input])
                    } else {
                        actions[index][slot] = .write
                    }
                    isWritten[input] = true
                    continue
                }
                let output = places[node.output]
                let place = GraphPlace(value: output.value, offset: output.offset + offsets[slot])
                if isWritten[input] {
                    actions[index][slot] = .addPlace(place)
                } else if let other = waiting[input] {
                    actions[index][slot] = .writeSum(other, place)
                    waiting[input] = nil
                    isWritten[input] = true
                } else if readers[input] == 1 {
                    places[input] = place
                } else {
                    waiting[input] = place
                }
            }
        }
        self.actions = actions
        self.places = places
        self.spareCount = spareCount
    }
}

extension GraphReturns.Action {
    /// What is read to do it, beside the node's own part.
    var sources: [GraphPlace] {
        switch self {
        case .none, .write, .add: []
        case .writeAndAdd(let place), .addPlace(let place): [place]
        case .writeSum(let first, let second): [first, second]
        }
    }
}
