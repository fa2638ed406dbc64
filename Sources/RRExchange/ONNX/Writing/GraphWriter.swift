internal import FoundationEssentials
internal import SwiftProtobuf

/// The nodes and the tensors of an ONNX graph, in the order in which they are added.
struct GraphWriter {
    /// An attribute of a node.
    enum Attribute {
        case integer(Int)
        case integers([Int])
        case float(Double)
    }

    private var graph = GraphProto()
    private var names: Set<String> = []

    /// Adds a node of one output.
    ///
    /// - Returns: the name of what it gives.
    mutating func node(
        _ kind: String, _ inputs: [String], name: String, _ attributes: [(String, Attribute)] = []
    ) -> String {
        let output = unused(name)
        var node = NodeProto(name: output, kind: kind)
        node.input = inputs
        node.output = [output]
        node.attribute = attributes.map { name, value in
            var attribute = AttributeProto()
            attribute.name = name
            switch value {
            case .float(let number): (attribute.f, attribute.type) = (Float(number), 1)
            case .integer(let number): (attribute.i, attribute.type) = (Int64(number), 2)
            case .integers(let numbers): (attribute.ints, attribute.type) = (numbers.map { Int64($0) }, 7)
            }
            return attribute
        }
        graph.node.append(node)
        return output
    }

    /// Adds a tensor of floating-point numbers.
    mutating func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> String {
        var tensor = TensorProto()
        tensor.name = unused(name)
        tensor.dims = shape.map { Int64($0) }
        tensor.dataType = 1
        tensor.rawData = values.withUnsafeBufferPointer { Data(buffer: $0) }
        graph.initializer.append(tensor)
        return tensor.name
    }

    /// Adds one number.
    mutating func number(_ name: String, _ value: Double) -> String { tensor(name, [], [Float(value)]) }

    /// Adds a list of whole numbers, as shapes and axes are given.
    mutating func integers(_ name: String, _ values: [Int]) -> String {
        var tensor = TensorProto()
        tensor.name = unused(name)
        tensor.dims = [Int64(values.count)]
        tensor.dataType = 7
        tensor.int64Data = values.map { Int64($0) }
        graph.initializer.append(tensor)
        return tensor.name
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
    /// - Throws: an error of the library where the model has more bytes than a message may have.
    consuming func model(
        input: (name: String, shape: [Int]), output: (name: String, shape: [Int]), operatorSet: Int,
        creator: String
    ) throws -> [UInt8] {
        let words = creator.split(separator: " ").map(String.init)
        var model = ModelProto()
        model.irVersion = 8
        model.producerName = words.first ?? creator
        model.producerVersion = words.last ?? ""
        var operators = OperatorSetIdProto()
        operators.version = Int64(operatorSet)
        model.opsetImport = [operators]
        graph.name = model.producerName
        graph.input = [Self.value(input.name, input.shape)]
        graph.output = [Self.value(output.name, output.shape)]
        model.graph = graph
        return try model.serializedBytes()
    }

    /// Floating-point numbers of any number of samples.
    private static func value(_ name: String, _ shape: [Int]) -> ValueInfoProto {
        var samples = TensorShapeProto.Dimension()
        samples.dimParam = "N"
        var value = ValueInfoProto()
        value.name = name
        value.type.tensorType.elemType = 1
        value.type.tensorType.shape.dim =
            [samples]
            + shape.map { extent in
                var dimension = TensorShapeProto.Dimension()
                dimension.dimValue = Int64(extent)
                return dimension
            }
        return value
    }
}
