import RRTensor

/// Lays the nodes of a model's layers, those inside blocks too, one after the other.
struct GraphBuilder<Scalar: NetworkScalar> {
    typealias Graph = LayerGraph<Scalar>

    var nodes: [Graph.Node] = []
    var values: [Graph.Value]
    var stages: [Graph.Stage] = []
    private var parameters: [ParameterSpecification] = []
    private var parameterCount = 0

    private init(input: ImageShape) { values = [Graph.Value(shape: input, isFlat: false)] }

    /// Builds the graph of a list of layers.
    ///
    /// - Throws: `NetworkError` with the code `shapeMismatch`, naming the layer that cannot take what comes before it, or
    ///   `malformedModel` where two parameters have one name.
    static func graph(_ layers: [LayerDescription], input: ImageShape) throws(NetworkError) -> Graph {
        var builder = GraphBuilder(input: input)
        let start = LayerContext(
            shape: input, isFlat: false, value: 0, location: "layers", scope: "", list: "")
        let end = try builder.append(layers, to: start)
        var names: Set<String> = []
        for parameter in builder.parameters where !names.insert(parameter.name).inserted {
            throw NetworkError(
                .malformedModel, "layers",
                "give two parameters the name \(parameter.name); each needs its own")
        }
        let summaries = builder.nodes.map { $0.summary(of: builder.values[$0.output]) }
        let featureCount = builder.nodes.reduce(0) { $0 + builder.values[$1.output].shape.elementCount }
        let headStart = builder.nodes.last { $0.parameterCount > 0 }?.parameterOffset ?? 0
        let output = builder.joinNormalizations(output: end.value)
        let flow = builder.nodes.map { node in
            (inputs: node.inputs, output: node.output, offsets: builder.offsets(of: node))
        }
        let counts = builder.values.map(\.shape.elementCount)
        let returns = GraphReturns(nodes: flow, elementCounts: counts)
        let computedAgain = builder.computedAgain(output: output)
        let memoryNodes = builder.nodes.indices.map { index in
            let node = builder.nodes[index]
            return MemoryPlan.Node(
                inputs: node.inputs, output: node.output, offsets: flow[index].offsets, needs: node.needs,
                isConcatenation: node.isConcatenation, worksInPlace: node.worksInPlace,
                isComputedAgain: computedAgain[index])
        }
        let wholePlan = MemoryPlan(
            nodes: memoryNodes, segments: .whole(nodeCount: builder.nodes.count), returns: returns,
            output: output, elementCounts: counts)
        return Graph(
            nodes: builder.nodes, values: builder.values, output: output, isFlat: end.isFlat,
            inputShape: input, outputShape: end.shape, parameters: builder.parameters, headStart: headStart,
            summaries: summaries, featureCount: featureCount, returns: returns, memoryNodes: memoryNodes,
            wholePlan: wholePlan, stages: builder.stages)
    }

    /// By node: whether the last pass computes its output anew, which one layer reads, and in that pass alone.
    private func computedAgain(output: Int) -> [Bool] {
        var readers: [[Int]] = values.map { _ in [] }
        for (index, node) in nodes.enumerated() { for input in node.inputs { readers[input].append(index) } }
        return nodes.map { node in
            guard case .layer(let layer) = node.operation, layer.isComputedAgain, node.output != output,
                readers[node.output].count == 1, let reader = readers[node.output].first,
                case .layer(let next) = nodes[reader].operation
            else { return false }
            return !next.needs.contains(.inputBetween)
        }
    }

    /// Where each input of a node that only passes on lies in its output; nil for one that computes.
    private func offsets(of node: Graph.Node) -> [Int]? {
        switch node.operation {
        case .layer, .product: return nil
        case .sum: return [0, 0]
        case .concatenation:
            var offset = 0
            return node.inputs.map { input in
                defer { offset += values[input].shape.elementCount }
                return offset
            }
        }
    }

    // MARK: Lists and blocks

    private mutating func append(
        _ layers: [LayerDescription], to context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        var inner = context
        for (index, layer) in layers.enumerated() {
            inner.location = "\(context.location)[\(index)]"
            let path = context.path(of: layer, index: "\(index)")
            inner = try append(layer, path: path, to: inner)
            if context.location == "layers" {
                stages.append(
                    Graph.Stage(
                        location: inner.location, name: path, innerNames: [], value: inner.value,
                        isMap: !inner.isFlat && inner.shape.pixelCount > 1, continues: layer.continuesLayer,
                        holdsConvolution: layer.holdsConvolution, rows: inner.rows, columns: inner.columns))
            }
        }
        return inner
    }

    /// Appends one layer.
    ///
    /// - Parameter path: what the names of its parameters begin with.
    /// - Returns: what comes after it.
    mutating func append(
        _ description: LayerDescription, path: String, to context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        switch description {
        case .named(_, .graph(let nodes)): return try graph(description, nodes, scope: path, path, context)
        case .named(_, let layer): return try append(layer, path: path, to: context)
        case .graph(let nodes): return try graph(description, nodes, scope: context.scope, path, context)
        case .flatten:
            // Flattening moves nothing: a feature map (C, H, W, samples) already is (C · H · W, samples).
            var after = context
            after.isFlat = true
            after.shape = try context.located(description) { try context.shape.flattened() }
            return after
        case .residual(let options): return try residual(description, options, path, context)
        case .multiply(let options): return try multiply(description, options, path, context)
        case .concat(let branches): return try concatenate(description, branches, path, context)
        default:
            let layer = try context.located(description) {
                let layer = try LayerFactory<Scalar>.layer(description, in: context)
                try checkSize(layer)
                return layer
            }
            return add(layer, description, path, to: context)
        }
    }

    private mutating func residual(
        _ description: LayerDescription, _ options: LayerDescription.Residual, _ path: String,
        _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        var body = try append(options.body, to: context.branch("body", path: path))
        if let initial = options.layerScale {
            let scale = LayerScaleLayer<Scalar>(inputShape: body.shape, initial: initial)
            body.location = context.location
            body = add(scale, description, path, to: body)
        }
        let shortcut = try projection(options.projection, path, context)
        let remedy =
            options.projection.isEmpty
            ? ": give it a \"projection\" to that shape, for example a conv2d with kernel 1" : ""
        return try sum(body, shortcut, description, remedy, context)
    }

    /// The layers beside a body: one has no number in the names of its parameters.
    private mutating func projection(
        _ layers: [LayerDescription], _ path: String, _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        var branch = context.branch("projection", path: path)
        guard layers.count == 1 else { return try append(layers, to: branch) }
        branch.list = path
        return try append(layers[0], path: branch.path(of: layers[0], index: "projection"), to: branch)
    }

    private mutating func multiply(
        _ description: LayerDescription, _ options: LayerDescription.Gate, _ path: String,
        _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        let body = try append(options.body, to: context.branch("body", path: path))
        let other = try projection(options.projection, path, context)
        return try product(of: other, body, description, context)
    }

    private mutating func concatenate(
        _ description: LayerDescription, _ branches: [[LayerDescription]], _ path: String,
        _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        var ends: [LayerContext] = []
        for (index, branch) in branches.enumerated() {
            ends.append(try append(branch, to: context.branch("branches[\(index)]", path: path)))
        }
        return try concatenation(ends, description, context)
    }

    // MARK: Nodes

    private mutating func add(
        _ layer: any Layer<Scalar>, _ description: LayerDescription, _ path: String, to context: LayerContext
    ) -> LayerContext {
        let isFlat = context.isFlat || layer.flattens
        var after = add(
            .layer(layer), description, path, of: [context], shape: layer.outputShape, to: context)
        after.isFlat = isFlat
        let axes = layer.receptiveAxes
        after.rows = context.rows.followed(by: axes.rows)
        after.columns = context.columns.followed(by: axes.columns)
        parameters += layer.parameters.map { $0.named(LayerContext.join(path, $0.name)) }
        parameterCount += layer.parameterCount
        return after
    }

    mutating func add(
        _ operation: Graph.Operation, _ description: LayerDescription, _ path: String = "",
        of inputs: [LayerContext], shape: ImageShape, to context: LayerContext
    ) -> LayerContext {
        var after = context
        after.value = values.count
        after.shape = shape
        after.isFlat = inputs[0].isFlat
        after.rows = inputs[0].rows
        after.columns = inputs[0].columns
        nodes.append(
            Graph.Node(
                operation: operation, inputs: inputs.map(\.value), output: after.value,
                parameterOffset: parameterCount, location: context.location,
                description: description.unnamed, path: path, readsFlat: inputs[0].isFlat))
        values.append(Graph.Value(shape: shape, isFlat: after.isFlat))
        return after
    }

    /// Refuses what no memory holds, before any is asked for.
    private func checkSize(_ layer: any Layer<Scalar>) throws(LayerMisfit) {
        guard layer.outputShape.elementCount <= Network<Scalar>.largestFeatureCount else {
            throw LayerMisfit(Self.largeMaps(layer.outputShape))
        }
        let largest = Network<Scalar>.largestParameterCount
        let sizes = layer.parameters.map { try? TensorShape($0.shape).elementCount }
        guard sizes.allSatisfy({ $0.map { $0 <= largest - parameterCount } ?? false }) else {
            throw LayerMisfit("brings the model above \(largest) parameters")
        }
    }

    static func largeMaps(_ shape: ImageShape) -> String {
        "gives maps of \(shape), which is more than \(Network<Scalar>.largestFeatureCount) elements"
    }
}

extension ImageShape {
    /// The same elements as features without a place.
    fileprivate func flattened() throws(TensorError) -> ImageShape {
        try ImageShape(channels: elementCount, height: 1, width: 1)
    }
}
