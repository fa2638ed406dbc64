package import RRFormats
package import RRNetworks
package import RRTensor

/// A network and its weights from a file that another program wrote.
package struct ImportedNetwork: Sendable {
    /// The network as the file has it.
    package let model: ModelDescription
    /// The weights by the names of the model's parameters, as F32 or F64 as they stand in the file.
    package let tensors: [SafeTensor]
    /// The file, and then those beside it that have weights, in the order of their names.
    private let paths: [String]
    /// What was read otherwise than it stands in the file, and what the weights are called.
    package let notes: [String]
    /// The model's last layer with weights, by its number among the nodes.
    private let head: Int?
    private let nodes: [LayerDescription.Node]

    /// Tells whether a path is that of an ONNX file, by its name.
    package static func isONNX(_ path: String) -> Bool { path.lowercased().hasSuffix(".onnx") }

    /// Reads an ONNX file.
    ///
    /// - Parameters:
    ///   - path: the file. What it keeps in other files is read from its folder alone.
    ///   - images: the shape of the images, for extents that the file leaves open; nil where nothing says it.
    /// - Throws: `FormatError` where the file cannot be read, is damaged, or has an operator that no layer here is; the node
    ///   is named.
    package init(onnx path: String, images: ImageShape? = nil) throws(FormatError) {
        let file = try ONNXFile(path: path)
        let reader = try Self.reader(file, images)
        let input = reader.input
        let graph = try ImportedGraph(consume reader)
        (nodes, head, tensors) = (graph.nodes, graph.head, graph.tensors)
        notes = graph.notes
        paths = [path] + file.externalPaths
        model = ModelDescription(
            input: input, classCount: graph.classCount, layers: ImportedGraph.layers(graph.nodes))
        do throws(NetworkError) {
            let network = try Network<Float>(model)
            try network.parameterLayout.check(
                Dictionary(tensors.map { ($0.name, $0.shape) }) { first, _ in first })
        } catch {
            throw FormatError(.unsupported, path: "\(path):\(error.location)", error.message)
        }
    }

    /// Keras lays images out as (N, H, W, C); what the nodes do with them shows which of the two it is, and where neither will do,
    /// the layout with which more of them are read.
    private static func reader(
        _ file: ONNXFile, _ images: ImageShape?
    ) throws(FormatError) -> GraphReader {
        var counts = (0, 0)
        do throws(FormatError) {
            return try GraphReader(
                file, order: [.channel, .height, .width], images: images, nodeCount: &counts.0)
        } catch {
            guard error.code == .unsupported || error.code == .malformed else { throw error }
            do throws(FormatError) {
                return try GraphReader(
                    file, order: [.height, .width, .channel], images: images, nodeCount: &counts.1)
            } catch let other {
                throw counts.1 > counts.0 ? other : error
            }
        }
    }

    /// The SHA-256 of the bytes of the file and of those beside it that have weights, in the order of their names, as
    /// `cat my.onnx my.onnx.data | sha256sum` gives it.
    ///
    /// - Throws: `FormatError` where one can no longer be read.
    package func hash() throws(FormatError) -> String {
        var hasher = SHA256Hasher()
        for path in paths {
            let file = try InputFile(reading: path)
            for offset in stride(from: 0, to: file.size, by: 1 << 20) {
                try file.bytes(at: offset, count: 1 << 20).withUnsafeBytes { hasher.update($0) }
            }
        }
        return hasher.finalize()
    }

    /// The network with another number of logits.
    ///
    /// - Returns: nil where its last layer with weights is none that gives logits.
    package func model(classCount: Int) -> ModelDescription? {
        guard classCount != model.classCount else { return model }
        guard let head, case .layer(let layer) = nodes[head].operation else { return nil }
        var changed: LayerDescription
        switch layer.unnamed {
        case .linear(var options):
            options.out = classCount
            changed = .linear(options)
        case .conv2d(var options) where options.groups == 1:
            options.out = classCount
            changed = .conv2d(options)
        default: return nil
        }
        if case .named(let name, _) = layer { changed = .named(name, changed) }
        var nodes = nodes
        nodes[head].operation = .layer(changed)
        let description = ModelDescription(
            input: model.input, classCount: classCount, layers: ImportedGraph.layers(nodes))
        return (try? Network<Float>(description)) == nil ? nil : description
    }
}

/// The steps of a graph that its output depends on, as nodes with names for their weights.
struct ImportedGraph {
    private(set) var nodes: [LayerDescription.Node] = []
    private(set) var tensors: [SafeTensor] = []
    private(set) var notes: [String] = []
    private(set) var head: Int?
    let classCount: Int

    /// - Throws: `FormatError` where the output is no logits.
    init(_ reader: consuming GraphReader) throws(FormatError) {
        var reader = reader
        let file = reader.file
        let output = try Self.output(&reader, notes: &notes)
        classCount = output.shape.elementCount
        var isLive = reader.steps.map { _ in false }
        if output.value > 0 { isLive[output.value - 1] = true }
        for index in reader.steps.indices.reversed() where isLive[index] {
            let step = reader.steps[index]
            if step.partial != nil {
                throw FormatError(
                    .unsupported, path: "\(file.path):\(step.place)", "is a part of no layer that is served")
            }
            for input in step.inputs where input > 0 { isLive[input - 1] = true }
        }
        let isTrainingMode = reader.isTrainingMode
        // From here on, what was read of a tensor goes as soon as it stands among the network's own.
        var steps = reader.takeSteps()
        file.releaseTensors()
        let live = steps.indices.filter { isLive[$0] }
        guard let last = live.last, last == output.value - 1 else {
            throw FormatError(.unsupported, path: file.path, "the output does not depend on the image")
        }
        let names = LayerNaming(live.map { steps[$0] }, of: file)
        if let note = names.note { notes.append(note) }
        if isTrainingMode {
            notes.append(
                "its batch normalisations are exported as in training; they keep the statistics that are stored with them"
            )
        }
        let constants = live.filter { steps[$0].isOfConstants }
        if let first = constants.first {
            let place = steps[first].place + (constants.count > 1 ? " and \(constants.count - 1) more" : "")
            notes.append(
                "constants that are multiplied by or added are a factor and a term for each channel here, which are trained: "
                    + place)
        }
        var numbers = [0: 0]
        for (position, index) in live.enumerated() {
            let step = steps[index]
            steps[index].weights = []
            numbers[index + 1] = position + 1
            let inputs = step.inputs.map { numbers[$0] ?? 0 }
            switch step.operation {
            case .layer(let layer):
                guard !step.weights.isEmpty else {
                    nodes.append(.init(.layer(layer), of: inputs))
                    continue
                }
                guard step.weights.allSatisfy(\.elements.areFinite) else {
                    throw FormatError(
                        .malformed, path: "\(file.path):\(step.place)",
                        "has weights that are not finite: such a network gives no numbers either")
                }
                head = position
                let name = names.names[position]
                nodes.append(.init(.layer(.named(name, layer)), of: inputs))
                tensors += step.weights.map { Self.tensor($0, layer: name) }
            case .add: nodes.append(.init(.add, of: inputs))
            case .multiply: nodes.append(.init(.multiply, of: inputs))
            case .concat: nodes.append(.init(.concat, of: inputs))
            case .partial: break
            }
        }
    }

    /// The logits: the one output, without a softmax at its end.
    private static func output(
        _ reader: inout GraphReader, notes: inout [String]
    ) throws(FormatError) -> Feature {
        let file = reader.file
        guard let output = file.graph.output.first, file.graph.output.count == 1 else {
            throw FormatError(
                .unsupported, path: file.path,
                "the network has \(file.graph.output.count) outputs; one, the logits, is served")
        }
        guard case .feature(var feature)? = reader.values[output.name] else {
            throw FormatError(
                .malformed, path: "\(file.path):\(output.name)", "no node gives this output from the image")
        }
        let end = try GraphNode(NodeProto(name: output.name, kind: "output"), number: 0, path: file.path)
        if let step = reader.step(of: feature), step.partial == .softmax, feature.pending == nil {
            notes.append(
                "\(step.place), at the end, is left out: the layers give logits, and the loss has its own softmax"
            )
            feature.value = step.inputs[0]
        }
        feature = try reader.settled(feature, for: end)
        guard feature.dimensions.count == 1, feature.joining == .nothing, feature.padding == nil,
            feature.hasLayerOrder
        else {
            throw FormatError(
                .unsupported, path: "\(file.path):\(output.name)",
                "the output is \(reader.layout(of: feature)) of \(feature.shape); logits are (N, classes)")
        }
        return try reader.flat(feature, end)
    }

    private static func tensor(_ weight: Step.Weight, layer: String) -> SafeTensor {
        let name = "\(layer).\(weight.role)"
        return switch weight.elements {
        case .floats(let values): SafeTensor(name: name, shape: weight.shape, values: values)
        case .doubles(let values): SafeTensor(name: name, shape: weight.shape, values: values)
        case .integers(let values):
            SafeTensor(name: name, shape: weight.shape, values: values.map { Double($0) })
        }
    }

    /// The layers of a model: a list where each node reads the one before it, else one graph.
    static func layers(_ nodes: [LayerDescription.Node]) -> [LayerDescription] {
        let chain = nodes.enumerated().compactMap { index, node in
            node.inputs == [index] ? node.layer : nil
        }
        return chain.count == nodes.count ? chain : [.graph(nodes)]
    }
}
