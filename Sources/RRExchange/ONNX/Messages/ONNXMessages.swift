internal import RRFormats

// The messages of ONNX as far as they are read, by the names and numbers of onnx/onnx.proto (github.com/onnx/onnx), where the
// meaning of each field is said. Fields that are not named are passed over.

struct ModelMessage {
    private(set) var graph: GraphMessage?
    private(set) var operatorSets: [OperatorSet] = []
    private(set) var producer = ""
    /// The names of the functions that the file defines.
    private(set) var functions: [String] = []

    struct OperatorSet {
        var domain = ""
        var version = 0

        init(_ reader: ProtobufReader) throws(FormatError) {
            var reader = reader
            while try reader.next() {
                switch reader.field {
                case 1: domain = try reader.text()
                case 2: version = try reader.integer()
                default: break
                }
            }
        }
    }

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 2: producer = try reader.text()
            case 7: graph = try GraphMessage(reader.message())
            case 8: operatorSets.append(try OperatorSet(reader.message()))
            case 25:
                var function = try reader.message()
                while try function.next() { if function.field == 1 { functions.append(try function.text()) } }
            default: break
            }
        }
    }
}

struct GraphMessage {
    private(set) var nodes: [NodeMessage] = []
    private(set) var initializers: [TensorMessage] = []
    private(set) var inputs: [ValueMessage] = []
    private(set) var outputs: [ValueMessage] = []

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: nodes.append(try NodeMessage(reader.message()))
            case 5: initializers.append(try TensorMessage(reader.message()))
            case 11: inputs.append(try ValueMessage(reader.message()))
            case 12: outputs.append(try ValueMessage(reader.message()))
            default: break
            }
        }
    }
}

struct NodeMessage {
    private(set) var inputs: [String] = []
    private(set) var outputs: [String] = []
    private(set) var name = ""
    private(set) var kind = ""
    private(set) var attributes: [AttributeMessage] = []
    private(set) var domain = ""
    /// What the exporter says of where the node comes from.
    private(set) var origin: [String: String] = [:]

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: inputs.append(try reader.text())
            case 2: outputs.append(try reader.text())
            case 3: name = try reader.text()
            case 4: kind = try reader.text()
            case 5: attributes.append(try AttributeMessage(reader.message()))
            case 7: domain = try reader.text()
            case 9:
                let entry = try EntryMessage(reader.message())
                origin[entry.key] = entry.value
            default: break
            }
        }
    }

    /// A node that stands for the end of the graph, in errors.
    init(name: String, kind: String) { (self.name, self.kind) = (name, kind) }
}

struct AttributeMessage {
    private(set) var name = ""
    private(set) var float: Float?
    private(set) var integer: Int?
    private(set) var text: String?
    private(set) var tensor: TensorMessage?
    private(set) var floats: [Float] = []
    private(set) var integers: [Int] = []

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: name = try reader.text()
            case 2: float = try reader.float()
            case 3: integer = try reader.integer()
            case 4: text = String(decoding: try reader.slice().prefix(256), as: UTF8.self)
            case 5: tensor = try TensorMessage(reader.message())
            case 7: try reader.append(to: &floats)
            case 8: try reader.append(to: &integers)
            default: break
            }
        }
    }
}

/// A key and its value, both texts.
struct EntryMessage {
    private(set) var key = ""
    private(set) var value = ""

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: key = try reader.text()
            case 2: value = try reader.text()
            default: break
            }
        }
    }
}

struct TensorMessage {
    private(set) var dimensions: [Int] = []
    private(set) var type = 0
    private(set) var name = ""
    /// The elements as bytes, where they are not in one of the lists after it.
    private(set) var bytes: ArraySlice<UInt8> = []
    private(set) var floats: [Float] = []
    private(set) var integers: [Int] = []
    private(set) var doubles: [Double] = []
    /// Where the elements are in another file, what says so.
    private(set) var external: [String: String] = [:]
    private(set) var isExternal = false

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: try reader.append(to: &dimensions)
            case 2: type = try reader.integer()
            case 4: try reader.append(to: &floats)
            case 5, 7: try reader.append(to: &integers)
            case 8: name = try reader.text()
            case 9: bytes = try reader.slice()
            case 10: try reader.append(to: &doubles)
            case 13:
                let entry = try EntryMessage(reader.message())
                external[entry.key] = entry.value
            case 14: isExternal = try reader.integer() == 1
            default: break
            }
        }
    }
}

/// An input or an output of the graph.
struct ValueMessage {
    private(set) var name = ""
    /// ONNX's number for the type of elements; nil for what is no tensor.
    private(set) var type: Int?
    /// The extents, nil for those that the file leaves open; nil where it says none.
    private(set) var dimensions: [Int?]?

    init(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        while try reader.next() {
            switch reader.field {
            case 1: name = try reader.text()
            case 2:
                var kinds = try reader.message()
                while try kinds.next() { if kinds.field == 1 { try readTensor(kinds.message()) } }
            default: break
            }
        }
    }

    private mutating func readTensor(_ reader: ProtobufReader) throws(FormatError) {
        var reader = reader
        type = 0
        while try reader.next() {
            switch reader.field {
            case 1: type = try reader.integer()
            case 2:
                var shape = try reader.message()
                var dimensions: [Int?] = []
                while try shape.next() {
                    guard shape.field == 1 else { continue }
                    var dimension = try shape.message()
                    var extent: Int?
                    while try dimension.next() {
                        if dimension.field == 1 { extent = try dimension.integer() }
                    }
                    dimensions.append(extent.flatMap { $0 > 0 ? $0 : nil })
                }
                self.dimensions = dimensions
            default: break
            }
        }
    }
}
