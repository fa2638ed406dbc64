package import RRFormats
package import RRNetworks
internal import RRTensor

/// Writes a network with its weights as an ONNX file of single precision, for every operator that our layers are.
///
/// The operator set is 17, which ONNX Runtime has taken since version 1.12. Tensors keep the names of the parameters. What
/// leaves out elements in training is left out, and normalisations keep their stored statistics.
package struct ONNXExport<Scalar: NetworkScalar> {
    private static var operatorSet: Int { 17 }
    /// A protobuf message cannot be larger.
    private static var largestSize: Int { 1 << 31 - 1 << 20 }

    private let network: Network<Scalar>
    private let parameters: Parameters<Scalar>
    var graph = GraphWriter()
    /// What holds each value of the network: 0 is the image.
    private var values: [Held]
    private let entries: [String: ParameterLayout.Entry]

    /// A tensor of the ONNX graph.
    struct Held {
        var name: String
        var shape: ImageShape
        /// Whether it is (N, features), and not (N, C, H, W).
        var isFlat: Bool
    }

    private init(_ network: Network<Scalar>, _ parameters: Parameters<Scalar>) {
        self.network = network
        self.parameters = parameters
        entries = Dictionary(network.parameterLayout.entries.map { ($0.name, $0) }) { first, _ in first }
        values = [Held(name: "images", shape: network.model.input, isFlat: false)]
    }

    /// Gives the bytes of the file.
    ///
    /// - Parameters:
    ///   - network: the network.
    ///   - parameters: its parameters, which are rounded to single precision.
    ///   - normalization: what is subtracted from the channels of images and what they are divided by first, as the graph then
    ///     does itself; nil for nothing.
    ///   - path: what errors name.
    /// - Throws: `FormatError` with the code `unsupported` where the file would be larger than ONNX allows.
    package static func bytes(
        _ network: Network<Scalar>, _ parameters: Parameters<Scalar>,
        normalization: (means: [Float], deviations: [Float])?, path: String
    ) throws(FormatError) -> [UInt8] {
        guard network.parameterLayout.count < largestSize / 4 else {
            throw tooLarge(network, path)
        }
        var export = ONNXExport(network, parameters)
        if let normalization { export.normalize(normalization.means, normalization.deviations) }
        for (index, node) in network.nodes.enumerated() {
            export.values.append(export.held(node, name: "\(node.layer)_\(index + 1)"))
        }
        let logits = export.flat(export.values.count - 1)
        _ = export.graph.node("Identity", [logits.name], name: "logits")
        do {
            return try export.graph.model(
                input: ("images", network.model.input.dimensions),
                output: ("logits", [network.model.classCount]), operatorSet: operatorSet,
                creator: Release.name)
        } catch {
            throw tooLarge(network, path)
        }
    }

    private static func tooLarge(_ network: Network<Scalar>, _ path: String) -> FormatError {
        FormatError(
            .unsupported, path: path,
            "\(network.parameterLayout.count) parameters are more than the 2 GB that an ONNX file may have")
    }

    private mutating func normalize(_ means: [Float], _ deviations: [Float]) {
        let shape = [means.count, 1, 1]
        let mean = graph.tensor("normalization.mean", shape, means)
        let deviation = graph.tensor("normalization.deviation", shape, deviations)
        let centered = graph.node("Sub", [values[0].name, mean], name: "centered")
        values[0].name = graph.node("Div", [centered, deviation], name: "normalized")
    }

    // MARK: Values and parameters

    /// A value as (N, features).
    mutating func flat(_ value: Int) -> Held {
        guard !values[value].isFlat else { return values[value] }
        var held = values[value]
        held.name = graph.node("Flatten", [held.name], name: "\(held.name)_flat", [("axis", .integer(1))])
        held.isFlat = true
        return held
    }

    /// A parameter's tensor, under its name.
    ///
    /// - Parameter shape: its shape in the file; nil for its own.
    mutating func parameter(_ node: NodeSummary, _ role: String, shape: [Int]? = nil) -> String? {
        let name = node.path.isEmpty ? role : "\(node.path).\(role)"
        guard let entry = entries[name] else { return nil }
        return graph.tensor(name, shape ?? entry.shape, parameters.values(of: entry).map { Float($0) })
    }

    // MARK: Nodes

    private mutating func held(_ node: NodeSummary, name: String) -> Held {
        let inputs = node.inputs.map { node.readsFlat ? flat($0) : values[$0] }
        var result = Held(name: "", shape: node.output, isFlat: inputs[0].isFlat)
        switch node.operation {
        case .sum:
            result.name = graph.node("Add", inputs.map(\.name), name: name)
        case .concatenation:
            result.name = graph.node("Concat", inputs.map(\.name), name: name, [("axis", .integer(1))])
        case .layerScale:
            let shape = [node.output.channels] + (inputs[0].isFlat ? [] : [1, 1])
            let scale = parameter(node, "layer_scale", shape: shape) ?? ""
            result.name = graph.node("Mul", [inputs[0].name, scale], name: name)
        case .product:
            var factors = node.readsFlat ? inputs[1] : values[node.inputs[1]]
            if factors.isFlat, !inputs[0].isFlat {
                let isForEachChannel = factors.shape.elementCount == inputs[0].shape.channels
                let shape = isForEachChannel ? [inputs[0].shape.channels, 1, 1] : inputs[0].shape.dimensions
                let wanted = graph.integers("\(name)_shape", [-1] + shape)
                factors.name = graph.node("Reshape", [factors.name, wanted], name: "\(name)_factors")
            }
            result.name = graph.node("Mul", [inputs[0].name, factors.name], name: name)
        case .layer(let layer):
            result.name = write(layer, node, of: inputs[0], name: name)
        }
        return result
    }
}
