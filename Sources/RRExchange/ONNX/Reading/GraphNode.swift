internal import RRFormats

/// A node of the file's graph, with its attributes by name.
struct GraphNode {
    let name: String
    let inputs: [String]
    let outputs: [String]
    let kind: String
    let place: String
    private let path: String
    private let attributes: [String: AttributeMessage]

    init(_ node: NodeMessage, number: Int, path: String) throws(FormatError) {
        name = node.name
        inputs = node.inputs
        outputs = node.outputs
        kind = node.kind
        place = "\(node.name.isEmpty ? "node \(number)" : node.name) (\(node.kind))"
        self.path = path
        var attributes: [String: AttributeMessage] = [:]
        for attribute in node.attributes { attributes[attribute.name] = attribute }
        self.attributes = attributes
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
        attributes[attribute]?.integer ?? standard
    }

    func integers(_ attribute: String) -> [Int]? { attributes[attribute]?.integers }

    /// A number as it was before it was rounded to a float: 1e-5 is stored as 9.99999974737875e-06.
    func number(_ attribute: String, default standard: Double) -> Double {
        attributes[attribute]?.float.map(Self.unrounded) ?? standard
    }

    func numbers(_ attribute: String) -> [Double]? { attributes[attribute]?.floats.map { Double($0) } }

    func text(_ attribute: String) -> String? { attributes[attribute]?.text }

    func tensor(_ attribute: String) -> TensorMessage? { attributes[attribute]?.tensor }

    /// The shortest decimal number that is rounded to a float.
    static func unrounded(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
}
