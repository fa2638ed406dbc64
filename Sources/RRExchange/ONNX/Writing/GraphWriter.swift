/// The nodes and the tensors of an ONNX graph, in the order in which they are added.
struct GraphWriter {
    /// An attribute of a node.
    enum Attribute {
        case integer(Int)
        case integers([Int])
        case float(Double)
    }

    private var nodes = ProtobufWriter()
    private var tensors = ProtobufWriter()
    private var names: Set<String> = []

    /// Adds a node of one output.
    ///
    /// - Returns: the name of what it gives.
    mutating func node(
        _ kind: String, _ inputs: [String], name: String, _ attributes: [(String, Attribute)] = []
    ) -> String {
        let output = unused(name)
        nodes.message(1) { node in
            for input in inputs { node.text(1, input) }
            node.text(2, output)
            node.text(3, output)
            node.text(4, kind)
            for (name, value) in attributes {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    switch value {
                    case .float(let number):
                        attribute.float(2, Float(number))
                        attribute.integer(20, 1)
                    case .integer(let number):
                        attribute.integer(3, number)
                        attribute.integer(20, 2)
                    case .integers(let numbers):
                        for number in numbers { attribute.integer(8, number) }
                        attribute.integer(20, 7)
                    }
                }
            }
        }
        return output
    }

    /// Adds a tensor of floating-point numbers.
    mutating func tensor(_ name: String, _ shape: [Int], _ values: some Collection<Float>) -> String {
        let name = unused(name)
        tensors.message(5) { tensor in
            for extent in shape { tensor.integer(1, extent) }
            tensor.integer(2, 1)
            tensor.text(8, name)
            tensor.floats(9, values)
        }
        return name
    }

    /// Adds one number.
    mutating func number(_ name: String, _ value: Double) -> String { tensor(name, [], [Float(value)]) }

    /// Adds a list of whole numbers, as shapes and axes are given.
    mutating func integers(_ name: String, _ values: [Int]) -> String {
        let name = unused(name)
        tensors.message(5) { tensor in
            tensor.integer(1, values.count)
            tensor.integer(2, 7)
            for value in values { tensor.integer(7, value) }
            tensor.text(8, name)
        }
        return name
    }

    /// A name that nothing has yet.
    private mutating func unused(_ name: String) -> String {
        var candidate = name
        var number = 2
        while !names.insert(candidate).inserted {
            candidate = "\(name)_\(number)"
            number += 1
        }
        return candidate
    }

    /// The graph in a model.
    ///
    /// - Parameters:
    ///   - input: the shape of an image.
    ///   - creator: what writes the file, and its version: `rrdata 1.0`.
    func model(
        input: (name: String, shape: [Int]), output: (name: String, shape: [Int]), operatorSet: Int,
        creator: String
    ) -> [UInt8] {
        func value(_ writer: inout ProtobufWriter, _ value: (name: String, shape: [Int])) {
            writer.text(1, value.name)
            writer.message(2) { type in
                type.message(1) { tensor in
                    tensor.integer(1, 1)
                    tensor.message(2) { shape in
                        shape.message(1) { $0.text(2, "N") }
                        for extent in value.shape { shape.message(1) { $0.integer(1, extent) } }
                    }
                }
            }
        }
        var model = ProtobufWriter()
        model.integer(1, 8)
        let words = creator.split(separator: " ").map(String.init)
        model.text(2, words.first ?? creator)
        model.text(3, words.last ?? "")
        model.message(7) { graph in
            graph = nodes
            graph.text(2, words.first ?? creator)
            graph.append(tensors)
            graph.message(11) { value(&$0, input) }
            graph.message(12) { value(&$0, output) }
        }
        model.message(8) { set in
            set.text(1, "")
            set.integer(2, operatorSet)
        }
        return model.bytes
    }
}
