import RRTensor

/// The four passes over a group of samples, through neighbouring nodes one by one.
extension LayerGraph {
    /// What the passes of the graph share within a group of samples.
    struct Group {
        let memory: GraphMemory<Scalar>
        var sampleCount = 0
        /// What dropout draws each sample's masks from; nil outside training.
        var dropoutStates: UnsafePointer<UInt64>?
        /// What the last pass is to compute.
        var demand: GradientDemand
        /// The feature map that the explanation is about; nil for the input.
        let features: FeatureMemory<Scalar>?
        /// Memory of each thread that may take a share of a pass.
        let workspaces: Workspaces<Scalar>
        /// The shares that every pass is cut into; nil for what the threads at hand are worth.
        let fixedShareCount: Int?
        /// Whether convolutions are the sums that define them.
        let isExact: Bool
        /// Where threads without work of their own take shares; nil where one thread is alone.
        var place: WorkPlace?
        /// Where what some layers' parameter gradients are made of is kept, and the row of the group's first sample there.
        var gathering: (maps: GatheredMaps<Scalar>, firstRow: Int)?
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func forward(through range: Range<Int>, _ group: Group, at parameters: UnsafePointer<Scalar>) {
        let count = group.sampleCount
        func value(_ value: Int) -> UnsafeMutablePointer<Scalar> {
            group.memory.value(value, sampleCount: count)
        }
        for index in range {
            let node = nodes[index]
            let output = value(node.output)
            switch node.operation {
            case .layer(let layer): computeValue(layer, node, index, group, parameters)
            case .sum: addInputs(node, of: value, into: output, group)
            case .concatenation: joinInputs(node, of: value, into: output, group)
            case .product(let product):
                let (first, second) = (
                    UnsafePointer(value(node.inputs[0])), UnsafePointer(value(node.inputs[1]))
                )
                share(product, group) { factors in
                    product.multiply(first, by: second, into: output, factors, sampleCount: count)
                }
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func reverse(through range: Range<Int>, _ group: Group, at parameters: UnsafePointer<Scalar>) {
        let (memory, count) = (group.memory, group.sampleCount)
        for index in range.reversed() {
            let node = nodes[index]
            let output = UnsafePointer(memory.cotangent(node.output, sampleCount: count))
            for (slot, input) in node.inputs.enumerated() {
                giveBack(
                    returns.actions[index][slot], input,
                    own: memory.cotangent(input, sampleCount: count), group,
                    { UnsafePointer(memory.cotangent(at: $0, sampleCount: count)) }
                ) { target in
                    switch node.operation {
                    case .layer(let layer):
                        share(layer, index, group, parameters) { layerGroup in
                            layer.reverse(
                                layerGroup, at: point(group, node), outputCotangent: output,
                                inputCotangent: target)
                        }
                    case .product(let product):
                        let other = UnsafePointer(memory.value(node.inputs[1 - slot], sampleCount: count))
                        share(product, group) { factors in
                            if slot == 0 {
                                product.multiply(
                                    output, by: other, into: target, factors, sampleCount: count)
                            } else {
                                product.sumProducts(
                                    other, output, into: target, factors, sampleCount: count)
                            }
                        }
                    case .sum, .concatenation: break
                    }
                }
            }
        }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func tangent(through range: Range<Int>, _ group: Group, at parameters: UnsafePointer<Scalar>) {
        let (memory, count) = (group.memory, group.sampleCount)
        func tangent(_ value: Int) -> UnsafeMutablePointer<Scalar> {
            memory.tangent(value, sampleCount: count)
        }
        for index in range {
            let node = nodes[index]
            let output = tangent(node.output)
            switch node.operation {
            case .layer(let layer): computeTangent(layer, node, index, group, parameters)
            case .sum: addInputs(node, of: tangent, into: output, group)
            case .concatenation: joinInputs(node, of: tangent, into: output, group)
            case .product(let product):
                let (first, second) = (node.inputs[0], node.inputs[1])
                let values = [first, second].map { UnsafePointer(memory.value($0, sampleCount: count)) }
                let tangents = [first, second].map { UnsafePointer(tangent($0)) }
                share(product, group) { factors in
                    product.multiply(
                        tangents[0], by: values[1], into: output, factors, sampleCount: count)
                    product.multiply(
                        values[0], by: tangents[1], into: output, factors, sampleCount: count, adds: true)
                }
            }
        }
    }

    /// Adds the parameter gradient.
    ///
    /// - Parameter isSecondOrder: whether `reverse` and `tangent` have run for this group.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func gradient(
        through range: Range<Int>, _ group: Group, at parameters: UnsafePointer<Scalar>, isSecondOrder: Bool,
        addingTo parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let (memory, count) = (group.memory, group.sampleCount)
        for index in range.reversed() where group.demand.values[nodes[index].output] {
            let node = nodes[index]
            let output = UnsafePointer(memory.adjoint(node.output, sampleCount: count))
            computeAgain(node, index, group, parameters, isSecondOrder)
            for (slot, input) in node.inputs.enumerated() {
                guard group.demand.values[input] else {
                    // Nothing is trained before it: only the layer's own parameters want their part.
                    if case .layer(let layer) = node.operation {
                        addGradient(
                            of: layer, node, index, group, parameters, isSecondOrder, output, into: nil,
                            parameterGradient)
                    }
                    continue
                }
                giveBack(
                    returns.actions[index][slot], input, own: memory.adjoint(input, sampleCount: count),
                    group, { UnsafePointer(memory.adjoint(at: $0, sampleCount: count)) }
                ) { target in
                    switch node.operation {
                    case .layer(let layer):
                        addGradient(
                            of: layer, node, index, group, parameters, isSecondOrder, output,
                            into: target, parameterGradient)
                    case .product(let product):
                        writeAdjoint(of: product, node, slot, group, isSecondOrder, output, into: target)
                    case .sum, .concatenation: break
                    }
                }
            }
        }
    }
}

extension LayerGraph {
    /// Brings a node's part to the cotangent, or the adjoint, of a value that it reads.
    ///
    /// - Parameters:
    ///   - own: the value's.
    ///   - memory: what lies at a place.
    ///   - compute: writes the node's part.
    private func giveBack(
        _ action: GraphReturns.Action, _ value: Int, own: UnsafeMutablePointer<Scalar>, _ group: Group,
        _ memory: (GraphPlace) -> UnsafePointer<Scalar>, compute: (UnsafeMutablePointer<Scalar>) -> Void
    ) {
        let count = values[value].shape.elementCount &* group.sampleCount
        switch action {
        case .none: break
        case .write: compute(own)
        case .writeAndAdd(let place):
            compute(own)
            write(sumOf: UnsafePointer(own), memory(place), into: own, count: count, group)
        case .add:
            let spare = group.memory.spare
            compute(spare)
            write(sumOf: UnsafePointer(own), UnsafePointer(spare), into: own, count: count, group)
        case .writeSum(let first, let second):
            write(sumOf: memory(first), memory(second), into: own, count: count, group)
        case .addPlace(let place):
            write(sumOf: UnsafePointer(own), memory(place), into: own, count: count, group)
        }
    }

    private func computeValue(
        _ layer: any Layer<Scalar>, _ node: Node, _ index: Int, _ group: Group,
        _ parameters: UnsafePointer<Scalar>
    ) {
        let (memory, count) = (group.memory, group.sampleCount)
        let input = UnsafePointer(memory.value(node.inputs[0], sampleCount: count))
        let output = memory.value(node.output, sampleCount: count)
        share(layer, index, group, parameters, stageCount: layer.forwardStageCount) { layerGroup in
            layer.forward(layerGroup, input: input, output: output)
        }
    }

    private func computeTangent(
        _ layer: any Layer<Scalar>, _ node: Node, _ index: Int, _ group: Group,
        _ parameters: UnsafePointer<Scalar>
    ) {
        let (memory, count) = (group.memory, group.sampleCount)
        let input = UnsafePointer(memory.tangent(node.inputs[0], sampleCount: count))
        let output = memory.tangent(node.output, sampleCount: count)
        share(layer, index, group, parameters) { layerGroup in
            layer.tangent(layerGroup, at: point(group, node), inputTangent: input, outputTangent: output)
        }
    }

    /// Computes what a node reads and what was not kept for it.
    private func computeAgain(
        _ node: Node, _ index: Int, _ group: Group, _ parameters: UnsafePointer<Scalar>, _ isSecondOrder: Bool
    ) {
        guard group.demand.nodes[index], let writer = group.memory.plan.writers[node.inputs[0]],
            node.needs.contains(.input), case .layer(let layer) = nodes[writer].operation
        else { return }
        computeValue(layer, nodes[writer], writer, group, parameters)
        guard isSecondOrder else { return }
        if writer < firstExplained(group) {
            layTangent(group)
        } else {
            computeTangent(layer, nodes[writer], writer, group, parameters)
        }
    }

    private func addGradient(
        of layer: any Layer<Scalar>, _ node: Node, _ index: Int, _ group: Group,
        _ parameters: UnsafePointer<Scalar>, _ isSecondOrder: Bool, _ outputAdjoint: UnsafePointer<Scalar>,
        into inputAdjoint: UnsafeMutablePointer<Scalar>?, _ parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let (memory, count) = (group.memory, group.sampleCount)
        let secondOrder =
            isSecondOrder
            ? SecondOrder(
                outputCotangent: UnsafePointer(memory.cotangent(node.output, sampleCount: count)),
                inputTangent: UnsafePointer(memory.tangent(node.inputs[0], sampleCount: count))) : nil
        let isGathered =
            group.gathering.map { maps, firstRow in
                maps.keep(
                    index, firstRow: firstRow, sampleCount: count, input: point(group, node).input,
                    outputAdjoint: outputAdjoint, secondOrder: secondOrder)
            } ?? false
        if isGathered, inputAdjoint == nil { return }
        share(layer, index, group, parameters, stageCount: layer.gradientStageCount) { layerGroup in
            layer.gradient(
                layerGroup, at: point(group, node), secondOrder: secondOrder, outputAdjoint: outputAdjoint,
                inputAdjoint: inputAdjoint,
                parameterGradient: group.demand.nodes[index] && !isGathered
                    ? parameterGradient + node.parameterOffset : nil)
        }
    }

    private func writeAdjoint(
        of product: HadamardProduct, _ node: Node, _ slot: Int, _ group: Group, _ isSecondOrder: Bool,
        _ adjoint: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>
    ) {
        let (memory, count) = (group.memory, group.sampleCount)
        let other = node.inputs[1 - slot]
        let cotangent = UnsafePointer(memory.cotangent(node.output, sampleCount: count))
        let (value, tangent) = (
            UnsafePointer(memory.value(other, sampleCount: count)),
            UnsafePointer(memory.tangent(other, sampleCount: count))
        )
        share(product, group) { factors in
            if slot == 0 {
                product.multiply(adjoint, by: value, into: target, factors, sampleCount: count)
                guard isSecondOrder else { return }
                product.multiply(
                    cotangent, by: tangent, into: target, factors, sampleCount: count, adds: true)
            } else {
                product.sumProducts(value, adjoint, into: target, factors, sampleCount: count)
                guard isSecondOrder else { return }
                product.sumProducts(
                    tangent, cotangent, into: target, factors, sampleCount: count, adds: true)
            }
        }
    }

    private func addInputs(
        _ node: Node, of memory: (Int) -> UnsafeMutablePointer<Scalar>,
        into output: UnsafeMutablePointer<Scalar>, _ group: Group
    ) {
        write(
            sumOf: UnsafePointer(memory(node.inputs[0])), UnsafePointer(memory(node.inputs[1])), into: output,
            count: values[node.output].shape.elementCount * group.sampleCount, group)
    }

    private func joinInputs(
        _ node: Node, of memory: (Int) -> UnsafeMutablePointer<Scalar>,
        into output: UnsafeMutablePointer<Scalar>, _ group: Group
    ) {
        var target = output
        for input in node.inputs {
            let count = values[input].shape.elementCount * group.sampleCount
            let (source, start) = (memory(input), target)
            // One that lies there was written there.
            if source != start {
                share(elements: count, group) { elements in
                    (start + elements.lowerBound).update(
                        from: source + elements.lowerBound, count: elements.count)
                }
            }
            target += count
        }
    }

    private func point(_ group: Group, _ node: Node) -> LayerPoint<Scalar> {
        LayerPoint(
            input: UnsafePointer(group.memory.value(node.inputs[0], sampleCount: group.sampleCount)),
            output: UnsafePointer(group.memory.value(node.output, sampleCount: group.sampleCount)))
    }

    private func write(
        sumOf first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, count: Int, _ group: Group
    ) {
        share(elements: count, group) { elements in
            let start = elements.lowerBound
            Scalar.kernels.elements.add(first + start, second + start, result + start, elements.count)
        }
    }
}
