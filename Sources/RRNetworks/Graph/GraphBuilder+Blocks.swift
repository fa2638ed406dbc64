import RRTensor

/// What joins the values of several nodes, in blocks and in graphs.
extension GraphBuilder {
    /// - Parameter remedy: how the error ends where the shapes differ.
    mutating func sum(
        _ body: LayerContext, _ shortcut: LayerContext, _ description: LayerDescription, _ remedy: String,
        _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        guard body.shape == shortcut.shape, body.isFlat == shortcut.isFlat else {
            throw context.misfit(
                description,
                "adds a body that gives \(body.text) to a shortcut that gives \(shortcut.text)" + remedy)
        }
        return add(.sum, description, of: [body, shortcut], shape: body.shape, to: context)
    }

    mutating func product(
        of other: LayerContext, _ body: LayerContext, _ description: LayerDescription, _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        let (factors, features) = (body.shape, other.shape)
        let isForEachChannel = factors.pixelCount == 1 && factors.channels == features.channels
        // In a graph, flat factors of maps are what squeezes with linear layers.
        let mayBeFlat = if case .graph = description.unnamed { body.isFlat } else { false }
        guard factors == features || isForEachChannel,
            !isForEachChannel || body.isFlat == other.isFlat || mayBeFlat
        else {
            throw context.misfit(
                description,
                "multiplies \(other.text) by a body that gives \(body.text), and not a factor for each element or "
                    + "for each channel")
        }
        let span = factors == features ? 1 : features.pixelCount
        return add(
            .product(HadamardProduct(span: span, factorCount: factors.elementCount)), description,
            of: [other, body], shape: features, to: context)
    }

    mutating func concatenation(
        _ ends: [LayerContext], _ description: LayerDescription, _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        let first = ends[0]
        for end in ends
        where end.isFlat != first.isFlat || end.shape.height != first.shape.height
            || end.shape.width != first.shape.width
        {
            throw context.misfit(
                description, "joins a branch that gives \(first.text) with one that gives \(end.text)")
        }
        let shape = try context.located(description) {
            try ImageShape(
                channels: ends.reduce(0) { $0 + $1.shape.channels }, height: first.shape.height,
                width: first.shape.width)
        }
        guard shape.elementCount <= Network<Scalar>.largestFeatureCount else {
            throw context.misfit(description, Self.largeMaps(shape))
        }
        return add(.concatenation, description, of: ends, shape: shape, to: context)
    }

    /// Appends the nodes of a graph.
    ///
    /// - Parameters:
    ///   - scope: what the names of layers that have one begin with.
    ///   - path: what those of the others begin with, before their numbers.
    mutating func graph(
        _ description: LayerDescription, _ nodes: [LayerDescription.Node], scope: String, _ path: String,
        _ context: LayerContext
    ) throws(NetworkError) -> LayerContext {
        var results = [context]
        for (index, node) in nodes.enumerated() {
            var place = context.branch("nodes", path: path)
            place.location += "[\(index)]"
            place.scope = scope
            try node.check(number: index, at: place.location)
            let inputs = node.inputs.map { number in
                var input = place
                (input.shape, input.isFlat, input.value) = (
                    results[number].shape, results[number].isFlat, results[number].value
                )
                (input.rows, input.columns) = (results[number].rows, results[number].columns)
                return input
            }
            switch node.operation {
            case .layer(let layer):
                let path = place.path(of: layer, index: "\(index)")
                results.append(try append(layer, path: path, to: inputs[0]))
            case .add:
                var total = inputs[0]
                for next in inputs.dropFirst() { total = try sum(total, next, description, "", place) }
                results.append(total)
            case .multiply: results.append(try product(of: inputs[0], inputs[1], description, place))
            case .concat: results.append(try concatenation(inputs, description, place))
            }
        }
        var after = context
        guard let last = results.last else { return after }
        (after.shape, after.isFlat, after.value) = (last.shape, last.isFlat, last.value)
        (after.rows, after.columns) = (last.rows, last.columns)
        // Within blocks, what is beside the block depends on more.
        if !context.location.contains(".") { addStages(of: nodes, scope: scope, path, results, context) }
        return after
    }

    /// Makes an entry of each node of a graph behind which all that follows depends on its output alone. The last is the graph
    /// itself.
    ///
    /// - Parameter results: the input, and what each node gives.
    private mutating func addStages(
        of nodes: [LayerDescription.Node], scope: String, _ path: String, _ results: [LayerContext],
        _ context: LayerContext
    ) {
        var place = context.branch("nodes", path: path)
        place.scope = scope
        // By node, the first result that those after it read.
        var firstRead = nodes.count
        var isPassed = nodes.map { _ in false }
        for index in nodes.indices.reversed() {
            isPassed[index] = firstRead > index
            firstRead = min(firstRead, nodes[index].inputs.min() ?? 0)
        }
        var names: [String] = []
        var holdsConvolution = false
        for (index, node) in nodes.enumerated().dropLast() {
            let location = "\(place.location)[\(index)]"
            var name = location
            if let layer = node.layer {
                if case .named = layer {
                    name = place.path(of: layer, index: "\(index)")
                    names.append(name)
                }
                holdsConvolution = holdsConvolution || layer.holdsConvolution
            }
            guard isPassed[index] else { continue }
            let result = results[index + 1]
            stages.append(
                Graph.Stage(
                    location: location, name: name, innerNames: names, value: result.value,
                    isMap: !result.isFlat && result.shape.pixelCount > 1,
                    continues: node.layer?.continuesLayer ?? false, holdsConvolution: holdsConvolution,
                    rows: result.rows, columns: result.columns))
            (names, holdsConvolution) = ([], false)
        }
    }
}
