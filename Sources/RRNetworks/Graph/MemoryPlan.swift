/// Where the maps of a graph lie in one piece of memory: maps that are not wanted at the same time share it.
///
/// What the last pass reads is kept from where it is written on, so that a caller may run the other passes over a group
/// several times; all else only to its last reader. Inputs of a concatenation lie where their channels lie in its output,
/// where that can be, and are not copied. The maps inside a segment share memory with those inside the others.
struct MemoryPlan: Sendable {
    /// A map's place, in elements.
    struct Place: Hashable, Sendable {
        /// Where its memory begins, for one sample; that of a group begins at as many times the group's capacity.
        let start: Int
        /// Where it begins in that memory, for each sample of the group at hand.
        let offset: Int
    }

    enum Pass: Int, CaseIterable, Sendable {
        case value, tangent, cotangent, adjoint
    }

    let segments: GraphSegments
    let values: [Place]
    let tangents: [Place]
    let cotangents: [Place]
    let adjoints: [Place]
    /// By value: the node that computes it anew where the last pass reads it.
    let writers: [Int?]
    /// The elements of all, for each sample that a group can have.
    let elementCount: Int
    /// By pass: the memory that it writes.
    private let extents: [[Range<Int>]]

    /// What a node does, as far as memory is concerned.
    struct Node {
        let inputs: [Int]
        let output: Int
        /// Where each input lies in the output of a node that only passes on; nil for one that computes.
        let offsets: [Int]?
        let needs: LayerNeeds
        let isConcatenation: Bool
        /// Whether the output may lie where an input lies.
        let worksInPlace: Bool
        /// Whether the last pass computes the output, and its tangent, anew.
        let isComputedAgain: Bool
    }

    /// - Parameters:
    ///   - output: the graph's output: what lies there is the caller's, as at the graph's input.
    ///   - elementCounts: those of each value.
    init(
        nodes: [Node], segments: GraphSegments, returns: GraphReturns, output: Int, elementCounts: [Int]
    ) {
        let owners = Self.owners(nodes, segments, output: output, valueCount: elementCounts.count)
        let joined = Self.joinedPlaces(nodes, owners: owners)
        var writers: [Int?] = elementCounts.map { _ in nil }
        for (index, node) in nodes.enumerated() where node.isComputedAgain && owners[node.output] != nil {
            writers[node.output] = index
        }
        self.writers = writers
        let lives = Self.lives(
            nodes, returns, joined, writers, output: output, valueCount: elementCounts.count)
        // What comes back to a value between segments may lie inside what comes back to another.
        var returned = owners
        for (value, place) in returns.places.enumerated() where owners[value] == nil {
            returned[place.value] = nil
        }

        var maps: [PackedMap] = []
        for pass in Pass.allCases {
            for (value, count) in elementCounts.enumerated() {
                let owner = pass == .value || pass == .tangent ? owners[value] : returned[value]
                var life = lives[pass.rawValue][value]
                // It is wanted while other segments are computed, some of them again.
                if owner == nil, pass != .adjoint, life.isWanted { life = .always }
                maps.append(PackedMap(count: count, owner: owner, life: life))
            }
        }
        let packing = MemoryPacking(maps, segmentCount: segments.count)
        elementCount = packing.elementCount
        func places(_ pass: Pass, _ roots: [GraphPlace]) -> [Place] {
            roots.map {
                Place(
                    start: packing.starts[pass.rawValue * elementCounts.count + $0.value], offset: $0.offset)
            }
        }
        self.segments = segments
        values = places(.value, joined)
        tangents = places(.tangent, joined)
        cotangents = places(.cotangent, returns.places)
        adjoints = places(.adjoint, returns.places)
        extents = Pass.allCases.map { pass in
            elementCounts.indices.compactMap { value in
                let map = pass.rawValue * elementCounts.count + value
                guard maps[map].life.isWanted else { return nil }
                return packing.starts[map]..<packing.starts[map] + maps[map].count
            }
        }
    }

    /// The elements of the memory that some passes write, which the others cost nothing beside.
    func elementCount(of passes: [Pass]) -> Int {
        var (count, end) = (0, 0)
        for extent in passes.flatMap({ extents[$0.rawValue] }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            count += max(extent.upperBound - max(extent.lowerBound, end), 0)
            end = max(end, extent.upperBound)
        }
        return count
    }
}

extension MemoryPlan {
    /// By value: the segment that it lies inside; nil for one between segments, and for what is the caller's.
    private static func owners(
        _ nodes: [Node], _ segments: GraphSegments, output: Int, valueCount: Int
    ) -> [Int?] {
        var owners: [Int?] = Array(repeating: nil, count: valueCount)
        for (segment, range) in segments.nodes.enumerated() {
            let isLast = segment == segments.count - 1
            for node in nodes[isLast ? range : range.dropLast()] where node.output != output {
                owners[node.output] = segment
            }
        }
        return owners
    }

    /// Where each value lies: in its own memory, or in that of a node that reads it and joins it to others, or works in place.
    private static func joinedPlaces(_ nodes: [Node], owners: [Int?]) -> [GraphPlace] {
        var places = owners.indices.map { GraphPlace(value: $0, offset: 0) }
        var readerCounts = places.map { _ in 0 }
        var isKept = places.map { _ in false }
        for node in nodes {
            for input in node.inputs { readerCounts[input] += 1 }
            // What is joined may have other readers, or be kept itself.
            if node.needs.contains(.output) || node.isComputedAgain || node.isConcatenation {
                isKept[node.output] = true
            }
        }
        func isFree(_ input: Int) -> Bool {
            owners[input] != nil && places[input] == GraphPlace(value: input, offset: 0)
        }
        for node in nodes.reversed() {
            let target = places[node.output]
            if node.worksInPlace {
                let input = node.inputs.first { isFree($0) && readerCounts[$0] == 1 && !isKept[$0] }
                if let input { places[input] = target }
            }
            guard node.isConcatenation else { continue }
            for (input, offset) in zip(node.inputs, node.offsets ?? []) {
                guard isFree(input) else { continue }
                places[input] = GraphPlace(value: target.value, offset: target.offset + offset)
            }
        }
        return places
    }

    /// From when to when each map is wanted, by pass and value.
    private static func lives(
        _ nodes: [Node], _ returns: GraphReturns, _ joined: [GraphPlace], _ writers: [Int?], output: Int,
        valueCount: Int
    ) -> [[MapLife]] {
        let clock = PassClock(nodeCount: nodes.count)
        var lives = Pass.allCases.map { _ in Array(repeating: MapLife(), count: valueCount) }
        func live(_ pass: Pass, _ value: Int, at time: Int) { lives[pass.rawValue][value].include(time) }
        for (index, node) in nodes.enumerated() {
            for pass in [Pass.value, .tangent] {
                let time = clock.time(pass, index)
                let (needsInput, needsOutput) =
                    pass == .value
                    ? (!node.needs.isDisjoint(with: [.input, .inputBetween]), node.needs.contains(.output))
                    : (node.needs.contains(.inputTangent), false)
                live(pass, joined[node.output].value, at: time)
                if needsOutput { live(pass, joined[node.output].value, at: clock.end) }
                for input in node.inputs {
                    live(pass, joined[input].value, at: time)
                    guard needsInput else { continue }
                    if writers[input] != nil {
                        lives[pass.rawValue][input].again = clock.time(.adjoint, index)
                    } else {
                        live(pass, joined[input].value, at: clock.end)
                    }
                }
            }
            for pass in [Pass.cotangent, .adjoint] {
                let time = clock.time(pass, index)
                let root = returns.places[node.output].value
                live(pass, root, at: time)
                if pass == .cotangent, node.needs.contains(.outputCotangent) {
                    live(pass, root, at: clock.end)
                }
                for (action, input) in zip(returns.actions[index], node.inputs)
                where pass == .cotangent || input != 0 {
                    for place in action.sources { live(pass, place.value, at: time) }
                    if action != .none { live(pass, returns.places[input].value, at: time) }
                }
            }
        }
        // A caller may read and write there at any time; an adjoint of the input is never written.
        for pass in Pass.allCases {
            for value in pass == .adjoint ? [output] : [0, output] { lives[pass.rawValue][value] = .always }
        }
        return lives
    }

    /// When each node runs, over all passes of a group.
    private struct PassClock {
        let nodeCount: Int

        /// After everything.
        var end: Int { 4 * nodeCount }

        func time(_ pass: Pass, _ node: Int) -> Int {
            switch pass {
            case .value: node
            case .cotangent: 2 * nodeCount - 1 - node
            case .tangent: 2 * nodeCount + node
            case .adjoint: 4 * nodeCount - 1 - node
            }
        }
    }
}

/// What the passes after the first, and the last, want of a node's maps.
struct LayerNeeds: OptionSet, Sendable {
    let rawValue: Int

    /// x, in the last pass.
    static var input: LayerNeeds { LayerNeeds(rawValue: 1) }
    /// x, in the passes between the first and the last.
    static var inputBetween: LayerNeeds { LayerNeeds(rawValue: 2) }
    /// z, after the forward pass.
    static var output: LayerNeeds { LayerNeeds(rawValue: 4) }
    /// ẋ, in the last pass.
    static var inputTangent: LayerNeeds { LayerNeeds(rawValue: 8) }
    /// δ at z, in the last pass.
    static var outputCotangent: LayerNeeds { LayerNeeds(rawValue: 16) }

    /// What the gradient of a product of weights and x wants.
    static var product: LayerNeeds { [.input, .inputTangent, .outputCotangent] }
    static var all: LayerNeeds { [.product, .inputBetween, .output] }
}
