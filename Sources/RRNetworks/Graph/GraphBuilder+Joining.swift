import RRTensor

extension GraphBuilder {
    /// Makes one node of each convolution and the frozen normalisation that alone reads it, where that costs less, and of
    /// each other frozen normalisation and the rectifier that alone reads it.
    ///
    /// - Parameter output: the graph's output.
    /// - Returns: the output, as it is numbered afterwards.
    mutating func joinNormalizations(output: Int) -> Int {
        var readers = values.map { _ in 0 }
        for node in nodes { for input in node.inputs { readers[input] += 1 } }
        var writers: [Int: Int] = [:]
        var joined: [Graph.Node] = []
        var isLeftOut = values.map { _ in false }
        for node in nodes {
            let input = node.inputs[0]
            if readers[input] == 1, input != output, let writer = writers[input],
                let layer = Self.joined(joined[writer], node)
            {
                joined[writer].operation = .layer(layer)
                joined[writer].output = node.output
                isLeftOut[input] = true
                writers[node.output] = writer
            } else {
                writers[node.output] = joined.count
                joined.append(node)
            }
        }
        // Numbers without gaps again.
        var numbers: [Int] = []
        for isAbsent in isLeftOut { numbers.append((numbers.last ?? -1) + (isAbsent ? 0 : 1)) }
        for index in joined.indices {
            joined[index].inputs = joined[index].inputs.map { numbers[$0] }
            joined[index].output = numbers[joined[index].output]
        }
        nodes = joined
        values = values.indices.filter { !isLeftOut[$0] }.map { values[$0] }
        // One whose value is left out continues in the next.
        for index in stages.indices { stages[index].value = numbers[stages[index].value] }
        return numbers[output]
    }

    /// The layer that computes two, the parameters of the second following those of the first; nil where there is none.
    private static func joined(_ first: Graph.Node, _ second: Graph.Node) -> (any Layer<Scalar>)? {
        guard case .layer(let layer) = first.operation, case .layer(let next) = second.operation,
            second.parameterOffset == first.parameterOffset + first.parameterCount
        else { return nil }
        if let convolution = layer as? ConvolutionLayer<Scalar>,
            let normalization = next as? FrozenNormalizationLayer<Scalar>
        {
            return NormalizedConvolutionLayer(convolution, normalization)
        }
        if let normalization = layer as? FrozenNormalizationLayer<Scalar>,
            next is RectifierLayer<Scalar>
        {
            return RectifiedNormalizationLayer(normalization: normalization)
        }
        return nil
    }
}
