internal import RRFormats

/// A node of the file's graph, with its attributes by name.
struct GraphNode {
    let name: String
    let inputs: [String]
    let outputs: [String]
    let kind: String
    let place: String
    private let path: String
    private let attributes: [String: AttributeProto]

    init(_ node: NodeProto, number: Int, path: String) throws(FormatError) {
        name = node.name
        inputs = node.input
        outputs = node.output
        kind = node.opType
        place = "\(node.name.isEmpty ? "node \(number)" : node.name) (\(node.opType))"
        self.path = path
        var attributes: [String: AttributeProto] = [:]
        for attribute in node.attribute { attributes[attribute.name] = attribute }
        self.attributes = attributes
        // A constant may be infinite, as a bound that there is not.
        if let attribute = node.attribute.first(where: { $0.hasF && !$0.f.isFinite }), kind != "Constant" {
            throw malformed("has \(attribute.f) as its \(attribute.name)")
        }
        guard ["", "ai.onnx"].contains(node.domain) else {
            throw unsupported("is an operator of \(node.domain), and not one of ONNX's own")
        }
    }

    func unsupported(_ message: String) -> FormatError {
        FormatError(.unsupported, path: "\(path):\(place)", message)
    }

    func malformed(_ message: String) -> FormatError {
        FormatError(.malformed, path: "\(path):\(place)", message)
    }

    /// The name of an input; nil where the node has none there.
    func input(_ position: Int) -> String? {
        position < inputs.count && !inputs[position].isEmpty ? inputs[position] : nil
    }

    func has(_ attribute: String) -> Bool { attributes[attribute] != nil }

    func integer(_ attribute: String, default standard: Int) -> Int {
        attributes[attribute].flatMap { $0.hasI ? Int($0.i) : nil } ?? standard
    }

    func integers(_ attribute: String) -> [Int]? { attributes[attribute]?.ints.map { Int($0) } }

    /// A number as it was before it was rounded to a float: 1e-5 is stored as 9.99999974737875e-06.
    func number(_ attribute: String, default standard: Double) -> Double {
        attributes[attribute].flatMap { $0.hasF ? Self.unrounded($0.f) : nil } ?? standard
    }

    func numbers(_ attribute: String) -> [Double]? { attributes[attribute]?.floats.map { Double($0) } }

    /// A text, of which no more than the names of modes have is kept.
    func text(_ attribute: String) -> String? {
        attributes[attribute].flatMap { $0.hasS ? String(decoding: $0.s.prefix(256), as: UTF8.self) : nil }
    }

    func tensor(_ attribute: String) -> TensorProto? {
        attributes[attribute].flatMap { $0.hasT ? $0.t : nil }
    }

    /// The shortest decimal number that is rounded to a float.
    static func unrounded(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}
