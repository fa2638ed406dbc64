internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// Turns the graph of an ONNX file into layers: node after node it computes what is known, and collects as steps what depends
/// on the image.
struct GraphReader {
    enum Value {
        case constant(Constant)
        case feature(Feature)
        case places(PlaceSums)
    }

    let file: ONNXFile
    private(set) var values: [String: Value] = [:]
    private(set) var steps: [Step] = []
    /// By the name of a value, how many nodes read it.
    private let readers: [String: Int]
    /// The samples of a batch: as many as the file says, or a number that no other extent has, which arithmetic with shapes
    /// carries along.
    let batch: Int
    let input: ImageShape
    /// The values that are flattened already, by the value before.
    private var flattened: [Int: Int] = [:]
    /// Whether a batch normalisation was exported as it is in training.
    var isTrainingMode = false
    /// The elements of all constants that were computed.
    var constantCount = 0
    /// The names of weights that several layers read.
    var sharedWeights: [String: String] = [:]

    /// The places that all gathered parts of maps have together.
    private var placeCount = 0

    private static let unknownBatch = 1_000_003

    /// - Parameters:
    ///   - order: how the file lays images out.
    ///   - images: their shape, for extents that the file leaves open; nil where nothing says it.
    ///   - nodeCount: is set to how many nodes were read, before an error too.
    /// - Throws: `FormatError` where the graph has no network of ours, naming the node.
    init(
        _ file: ONNXFile, order: [Axis], images: ImageShape?, nodeCount: inout Int
    ) throws(FormatError) {
        self.file = file
        var readers: [String: Int] = [:]
        for node in file.graph.node { for name in node.input { readers[name, default: 0] += 1 } }
        for output in file.graph.output { readers[output.name, default: 0] += 1 }
        self.readers = readers
        let stored = Set(file.graph.initializer.map(\.name))
        // Keras' exporter leaves inputs that nothing reads.
        let inputs = file.graph.input.filter { !stored.contains($0.name) && readers[$0.name] != nil }
        guard let input = inputs.first, inputs.count == 1 else {
            throw FormatError(
                .unsupported, path: file.path,
                "the network takes \(inputs.count) inputs; one, the images, is served")
        }
        let image = try ImageInput(input, order: order, images: images, path: file.path)
        batch = image.batch ?? Self.unknownBatch
        self.input = image.shape
        values[input.name] = .feature(
            Feature(value: 0, shape: image.shape, order: order, dimensions: image.dimensions))
        // Tensors are read where a node wants them: a file may have others.
        let tensors = Dictionary(file.graph.initializer.map { ($0.name, $0) }) { first, _ in first }
        for (number, node) in file.graph.node.enumerated() {
            nodeCount = number
            let node = try GraphNode(node, number: number, path: file.path)
            for name in node.inputs where !name.isEmpty && values[name] == nil {
                guard let tensor = tensors[name] else {
                    throw node.malformed("reads “\(name)”, which nothing before it gives")
                }
                values[name] = .constant(try file.constant(tensor, at: name))
            }
            try read(node)
        }
    }

    /// Reads one node, of whose inputs all are there.
    private mutating func read(_ node: GraphNode) throws(FormatError) {
        guard let output = node.outputs.first else { throw node.malformed("gives nothing") }
        if let name = node.outputs.first(where: { !$0.isEmpty && values[$0] != nil }) {
            throw node.malformed("gives “\(name)”, which is there already")
        }
        let isKnown = node.inputs.allSatisfy { name in
            if name.isEmpty { return true }
            if case .constant = values[name] { return true }
            return false
        }
        if node.kind == "Split", !isKnown {
            try completePlaces(node)
            for (name, part) in zip(node.outputs, try splitFeature(node)) { values[name] = .feature(part) }
            return
        }
        let result: Value
        if node.kind == "Shape" { try completePlaces(node) }
        if isKnown || node.kind == "Shape" || node.kind == "Size" || castsConstant(node) {
            result = .constant(try constant(node))
        } else if let places = try placeSums(node) {
            placeCount += places.termCount
            guard placeCount <= PlaceSums.largestCount else {
                throw node.unsupported("gathers more places of maps than are served")
            }
            result = .places(places)
        } else {
            try completePlaces(node)
            result = .feature(try computedFeature(node))
        }
        values[output] = result
    }

    /// Whether a node gives a constant the type of what depends on the image.
    private func castsConstant(_ node: GraphNode) -> Bool {
        guard node.kind == "CastLike", let name = node.input(0), case .constant? = values[name] else {
            return false
        }
        return true
    }

    /// Whether no more than one node reads a value.
    func isReadOnce(_ name: String) -> Bool { readers[name] ?? 0 <= 1 }

    mutating func replace(_ name: String, by feature: Feature) { values[name] = .feature(feature) }

    // MARK: What nodes give

    /// Whether a feature's value is features without a place, as the layers have it.
    func isFlat(_ feature: Feature) -> Bool { feature.value > 0 && steps[feature.value - 1].isFlat }

    func step(of feature: Feature) -> Step? { feature.value > 0 ? steps[feature.value - 1] : nil }

    /// Adds a step.
    ///
    /// - Returns: what it gives, as the layers have it, for whoever sets how the file lays it out.
    mutating func append(
        _ operation: Step.Operation, of inputs: [Feature], shape: ImageShape, isFlat: Bool? = nil,
        weights: [Step.Weight] = [], node: GraphNode
    ) throws(FormatError) -> Feature {
        guard steps.count < ModelDescription.largestLayerCount else {
            throw node.unsupported(
                "is one layer too many: at most \(ModelDescription.largestLayerCount) are served")
        }
        steps.append(
            Step(
                operation: operation, inputs: inputs.map(\.value), shape: shape,
                isFlat: isFlat ?? self.isFlat(inputs[0]), place: node.place, weights: weights))
        var feature = inputs[0]
        feature.value = steps.count
        feature.shape = shape
        feature.isAlone = true
        feature.pending = nil
        feature.padding = nil
        return feature
    }

    /// Adds a step that changes each element by itself.
    mutating func elementwise(_ layer: LayerDescription, _ node: GraphNode) throws(FormatError) -> Feature {
        let input = try feature(node)
        return try append(.layer(layer), of: [input], shape: input.shape, node: node)
    }

    mutating func partial(
        _ partial: Step.Partial, of input: Feature, _ node: GraphNode
    ) throws(FormatError) -> Feature {
        try append(.partial(partial), of: [input], shape: input.shape, node: node)
    }

    mutating func setWeights(_ weights: [Step.Weight], of feature: Feature) {
        steps[feature.value - 1].weights = weights
        steps[feature.value - 1].isBareNormalization = false
    }

    mutating func setBareNormalization(_ feature: Feature) {
        steps[feature.value - 1].isBareNormalization = true
    }

    /// Makes a feature one without a place, in the layers' order.
    mutating func flat(_ feature: Feature, _ node: GraphNode) throws(FormatError) -> Feature {
        guard let shape = try? ImageShape(channels: feature.shape.elementCount, height: 1, width: 1) else {
            throw node.unsupported("flattens too much")
        }
        var result = feature
        if !isFlat(feature) {
            if let value = flattened[feature.value] {
                result.value = value
            } else {
                result = try append(.layer(.flatten), of: [feature], shape: shape, isFlat: true, node: node)
                flattened[feature.value] = result.value
            }
        }
        result.shape = shape
        result.order = [.channel, .height, .width]
        result.dimensions = [shape.channels]
        return result
    }

    /// Hands over the steps, and lets go of all values beside them.
    mutating func takeSteps() -> [Step] {
        defer { (values, steps) = ([:], []) }
        return steps
    }

    // MARK: What is still to be done

    /// Computes what a feature is still multiplied by and what is added to it.
    mutating func settled(_ feature: Feature, for node: GraphNode) throws(FormatError) -> Feature {
        if let step = step(of: feature), let partial = step.partial {
            return try completed(feature, partial, step, node)
        }
        guard let pending = feature.pending else { return feature }
        var result = feature
        result.pending = nil
        if pending.scale.allSatisfy({ $0 == 1 }), pending.shift.allSatisfy({ $0 == 0 }) { return result }
        if feature.isAlone, takesOver(pending, step: feature.value) { return result }
        let count = max(pending.scale.count, pending.shift.count)
        let channels = feature.shape.channels
        guard count == 1 || count == channels else {
            throw node.unsupported(
                "reads what has a factor for each element of maps; one a channel is served")
        }
        func whole(_ values: [Double]) -> [Double] {
            values.count == 1 ? Array(repeating: values[0], count: channels) : values
        }
        let weights = [
            Step.Weight("weight", whole(pending.scale), name: pending.names.scale),
            Step.Weight("bias", whole(pending.shift), name: pending.names.shift),
            Step.Weight("running_mean", whole([0])), Step.Weight("running_var", whole([1])),
        ]
        let padding = feature.padding
        result = try append(
            .layer(isFlat(feature) ? .batchnorm1d(epsilon: 0) : .batchnorm2d(epsilon: 0)), of: [feature],
            shape: feature.shape, weights: weights, node: node)
        steps[result.value - 1].isOfConstants = true
        result.padding = padding
        guard padding == nil || pending.shift == [0] else {
            throw node.unsupported("reads a map with zeros around it to which something was added before")
        }
        return result
    }

    /// Lets a layer have constants as its bias, or as the factors of a normalisation that has none.
    private mutating func takesOver(_ pending: Affine, step value: Int) -> Bool {
        guard value > 0 else { return false }
        var step = steps[value - 1]
        let count = step.isBareNormalization ? step.weights[0].elements.count : step.shape.channels
        func whole(_ values: [Double]) -> [Double]? {
            values.count == 1
                ? Array(repeating: values[0], count: count) : values.count == count ? values : nil
        }
        guard let scale = whole(pending.scale), let shift = whole(pending.shift) else { return false }
        if step.isBareNormalization {
            let shape = step.weights[0].shape
            step.weights = [
                Step.Weight("weight", scale, name: pending.names.scale, shape: shape),
                Step.Weight("bias", shift, name: pending.names.shift, shape: shape),
            ]
            step.isBareNormalization = false
        } else if pending.scale.allSatisfy({ $0 == 1 }), let layer = step.layer?.givenBias() {
            step.operation = .layer(layer)
            step.weights.append(Step.Weight("bias", shift, name: pending.names.shift))
        } else {
            return false
        }
        steps[value - 1] = step
        return true
    }
}

extension LayerDescription {
    /// The layer with a bias; nil where it has one, or has no place for any.
    func givenBias() -> LayerDescription? {
        switch self {
        case .conv2d(var options) where !options.bias:
            options.bias = true
            return .conv2d(options)
        case .linear(var options) where !options.bias:
            options.bias = true
            return .linear(options)
        case .linear2d(var options) where !options.bias:
            options.bias = true
            return .linear2d(options)
        default: return nil
        }
    }
}
