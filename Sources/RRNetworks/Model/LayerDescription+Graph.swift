/// A node of a graph in `model.json`: a layer or `"add"`, `"multiply"` or `"concat"`, and the numbers of the values that it
/// reads; the value before it where there are none.
struct NumberedNode: Codable {
    private enum CodingKeys: String, CodingKey {
        case layer
        case inputs = "of"
    }

    private let operation: LayerDescription.Node.Operation
    private let inputs: [Int]?

    /// The nodes as the file has them, without the numbers that say no more than the order does.
    static func list(_ nodes: [LayerDescription.Node]) -> [NumberedNode] {
        nodes.enumerated().map { index, node in
            NumberedNode(operation: node.operation, inputs: node.inputs == [index] ? nil : node.inputs)
        }
    }

    private init(operation: LayerDescription.Node.Operation, inputs: [Int]?) {
        self.operation = operation
        self.inputs = inputs
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try? container.decode(String.self, forKey: .layer) {
        case "add"?: operation = .add
        case "multiply"?: operation = .multiply
        case "concat"?: operation = .concat
        default: operation = .layer(try container.decode(LayerDescription.self, forKey: .layer))
        }
        inputs = try container.decodeIfPresent([Int].self, forKey: .inputs)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch operation {
        case .layer(let layer): try container.encode(layer, forKey: .layer)
        case .add: try container.encode("add", forKey: .layer)
        case .multiply: try container.encode("multiply", forKey: .layer)
        case .concat: try container.encode("concat", forKey: .layer)
        }
        try container.encodeIfPresent(inputs, forKey: .inputs)
    }

    /// - Throws: `NetworkError` where the node reads other than values before it.
    func node(at place: String, _ number: Int) throws(NetworkError) -> LayerDescription.Node {
        let node = LayerDescription.Node(operation, of: inputs ?? [number])
        try node.check(number: number, at: place)
        return node
    }
}

extension LayerDescription.Node {
    /// The node's layer; nil where it joins values.
    public var layer: LayerDescription? { if case .layer(let layer) = operation { layer } else { nil } }

    /// Checks that the node reads as many values as it takes, all of nodes before it.
    ///
    /// - Parameter number: the nodes before it.
    func check(number: Int, at place: String) throws(NetworkError) {
        let (count, words) =
            switch operation {
            case .layer: (1...1, "one value")
            case .multiply: (2...2, "two values")
            case .add, .concat: (2...ModelDescription.largestLayerCount, "at least two values")
            }
        guard count.contains(inputs.count), inputs.allSatisfy({ 0...number ~= $0 }) else {
            throw NetworkError(
                .malformedModel, place,
                "\"of\" must be \(words) by their numbers, 0 for the graph's input and n for what the nth node gives, "
                    + "none above \(number)")
        }
    }
}
