internal import RRNetworks
internal import RRTensor

/// What each layer is in operators of ONNX.
extension ONNXExport {
    /// Writes a layer.
    ///
    /// - Returns: the name of what it gives.
    mutating func write(
        _ layer: LayerDescription, _ node: NodeSummary, of input: Held, name: String
    ) -> String {
        switch layer {
        case .named(_, let inner): return write(inner, node, of: input, name: name)
        case .conv2d(let options):
            let attributes: [(String, GraphWriter.Attribute)] = [
                ("kernel_shape", .integers(options.kernel.list)), ("strides", .integers(options.stride.list)),
                ("pads", .integers(options.padding.list)), ("dilations", .integers(options.dilation.list)),
                ("group", .integer(options.groups)),
            ]
            return graph.node("Conv", [input.name] + weights(node), name: name, attributes)
        case .linear2d(let options):
            var inputs = [input.name]
            inputs += [parameter(node, "weight", shape: [options.out, input.shape.channels, 1, 1])]
                .compactMap(\.self)
            inputs += [options.bias ? parameter(node, "bias") : nil].compactMap(\.self)
            return graph.node("Conv", inputs, name: name, [("kernel_shape", .integers([1, 1]))])
        case .linear:
            return graph.node("Gemm", [input.name] + weights(node), name: name, [("transB", .integer(1))])
        case .maxpool2d, .avgpool2d, .adaptiveavgpool2d, .globalavgpool:
            return writePooling(layer, node, of: input, name: name)
        case .groupnorm, .layernorm, .layernorm2d, .batchnorm2d, .batchnorm1d:
            return writeNormalization(layer, node, of: input, name: name)
        case .prelu(let options):
            let shape = [options.parameterCount] + (input.isFlat ? [] : [1, 1])
            let slopes = parameter(node, "weight", shape: shape) ?? ""
            return graph.node("PRelu", [input.name, slopes], name: name)
        case .narrow, .channelshuffle: return writeSelection(layer, of: input, name: name)
        case .flatten, .dropout, .stochasticdepth, .residual, .concat, .multiply, .graph: return input.name
        default: return writeActivation(layer, of: input.name, name: name)
        }
    }

    private mutating func weights(_ node: NodeSummary) -> [String] {
        [parameter(node, "weight"), parameter(node, "bias")].compactMap(\.self)
    }

    private mutating func writeActivation(_ layer: LayerDescription, of input: String, name: String) -> String
    {
        switch layer {
        case .relu: return graph.node("Relu", [input], name: name)
        case .relu6:
            let bounds = [graph.number("\(name)_low", 0), graph.number("\(name)_high", 6)]
            return graph.node("Clip", [input] + bounds, name: name)
        case .leakyrelu(let slope):
            return graph.node("LeakyRelu", [input], name: name, [("alpha", .float(slope))])
        case .elu(let alpha): return graph.node("Elu", [input], name: name, [("alpha", .float(alpha))])
        case .gelu(let approximation):
            let gate: String
            if approximation == .none {
                let root = graph.number("\(name)_root", 2.0.squareRoot())
                let scaled = graph.node("Div", [input, root], name: "\(name)_scaled")
                gate = graph.node("Erf", [scaled], name: "\(name)_erf")
            } else {
                let three = graph.number("\(name)_three", 3)
                let cube = graph.node("Pow", [input, three], name: "\(name)_cube")
                let factor = graph.number("\(name)_factor", 0.044715)
                let part = graph.node("Mul", [cube, factor], name: "\(name)_part")
                let sum = graph.node("Add", [input, part], name: "\(name)_sum")
                let slope = graph.number("\(name)_slope", (2 / Double.pi).squareRoot())
                let argument = graph.node("Mul", [sum, slope], name: "\(name)_argument")
                gate = graph.node("Tanh", [argument], name: "\(name)_tanh")
            }
            let one = graph.number("\(name)_one", 1)
            let shifted = graph.node("Add", [gate, one], name: "\(name)_shifted")
            let gated = graph.node("Mul", [input, shifted], name: "\(name)_gated")
            let half = graph.number("\(name)_half", 0.5)
            return graph.node("Mul", [gated, half], name: name)
        case .silu:
            let gate = graph.node("Sigmoid", [input], name: "\(name)_gate")
            return graph.node("Mul", [input, gate], name: name)
        case .softplus(let beta) where beta != 1:
            let factor = graph.number("\(name)_beta", beta)
            let scaled = graph.node("Mul", [input, factor], name: "\(name)_scaled")
            let curved = graph.node("Softplus", [scaled], name: "\(name)_curved")
            return graph.node("Div", [curved, factor], name: name)
        case .softplus: return graph.node("Softplus", [input], name: name)
        case .tanh: return graph.node("Tanh", [input], name: name)
        case .hardswish: return graph.node("HardSwish", [input], name: name)
        case .hardsigmoid:
            return graph.node(
                "HardSigmoid", [input], name: name, [("alpha", .float(1.0 / 6)), ("beta", .float(0.5))])
        default: return graph.node("Sigmoid", [input], name: name)
        }
    }

    // MARK: Channels

    private mutating func writeSelection(_ layer: LayerDescription, of input: Held, name: String) -> String {
        switch layer {
        case .narrow(let options):
            let bounds = [
                ("starts", options.start), ("ends", options.start + options.length), ("axes", 1),
            ].map { graph.integers("\(name)_\($0)", [$1]) }
            return graph.node("Slice", [input.name] + bounds, name: name)
        case .channelshuffle(let groups):
            let places = input.isFlat ? [] : [input.shape.height, input.shape.width]
            let count = (input.isFlat ? input.shape.elementCount : input.shape.channels) / groups
            let parts = graph.integers("\(name)_groups", [-1, groups, count] + places)
            let split = graph.node("Reshape", [input.name, parts], name: "\(name)_split")
            let order = [0, 2, 1] + places.indices.map { $0 + 3 }
            let moved = graph.node("Transpose", [split], name: "\(name)_moved", [("perm", .integers(order))])
            let whole = graph.integers("\(name)_shape", [-1, groups * count] + places)
            return graph.node("Reshape", [moved, whole], name: name)
        default: return input.name
        }
    }

    // MARK: Pooling

    private mutating func writePooling(
        _ layer: LayerDescription, _ node: NodeSummary, of input: Held, name: String
    ) -> String {
        switch layer {
        case .maxpool2d(let options):
            // A last window beyond the padding is one of more padding, whose elements are never the largest.
            let padding = options.padding.reaching(
                node.output, of: input.shape, options.kernel, options.stride, options.dilation)
            return graph.node(
                "MaxPool", [input.name], name: name,
                [
                    ("kernel_shape", .integers(options.kernel.list)),
                    ("strides", .integers(options.stride.list)),
                    ("pads", .integers(padding.list)), ("dilations", .integers(options.dilation.list)),
                ])
        case .avgpool2d(let options): return writeAverage(options, node, of: input, name: name)
        case .adaptiveavgpool2d(let options)
        where (options.height, options.width) == (input.shape.height, input.shape.width):
            return input.name
        case .adaptiveavgpool2d(let options)
        where input.shape.height % options.height == 0 && input.shape.width % options.width == 0:
            let windows = [input.shape.height / options.height, input.shape.width / options.width]
            return graph.node(
                "AveragePool", [input.name], name: name,
                [("kernel_shape", .integers(windows)), ("strides", .integers(windows))])
        case .adaptiveavgpool2d(let options):
            // The mean of each window along one axis and then along the other, as products with constant matrices.
            func matrix(_ extent: Int, _ count: Int) -> [[Float]] {
                (0..<count).map { window in
                    let start = window * extent / count
                    let end = ((window + 1) * extent + count - 1) / count
                    return (0..<extent).map { start..<end ~= $0 ? 1 / Float(end - start) : 0 }
                }
            }
            let (rows, columns) = (
                matrix(input.shape.height, options.height), matrix(input.shape.width, options.width)
            )
            let transposed = (0..<input.shape.width).flatMap { index in columns.map { $0[index] } }
            let right = graph.tensor("\(name)_columns", [input.shape.width, options.width], transposed)
            let left = graph.tensor(
                "\(name)_rows", [options.height, input.shape.height], rows.flatMap(\.self))
            let narrow = graph.node("MatMul", [input.name, right], name: "\(name)_narrow")
            return graph.node("MatMul", [left, narrow], name: name)
        default: return graph.node("GlobalAveragePool", [input.name], name: name)
        }
    }

    private mutating func writeAverage(
        _ options: LayerDescription.AveragePooling, _ node: NodeSummary, of input: Held, name: String
    ) -> String {
        let padding = options.padding.reaching(
            node.output, of: input.shape, options.kernel, options.stride, 1)
        var attributes: [(String, GraphWriter.Attribute)] = [
            ("kernel_shape", .integers(options.kernel.list)), ("strides", .integers(options.stride.list)),
        ]
        if let divisor = options.divisorOverride {
            attributes += [("pads", .integers(padding.list)), ("count_include_pad", .integer(1))]
            let mean = graph.node("AveragePool", [input.name], name: "\(name)_mean", attributes)
            let area = options.kernel.height * options.kernel.width
            let factor = graph.number("\(name)_factor", Double(area) / Double(divisor))
            return graph.node("Mul", [mean, factor], name: name)
        }
        guard options.countIncludePad, padding != options.padding, options.padding != 0 else {
            let counts = options.countIncludePad && padding == options.padding
            attributes += [
                ("pads", .integers(padding.list)), ("count_include_pad", .integer(counts ? 1 : 0)),
            ]
            return graph.node("AveragePool", [input.name], name: name, attributes)
        }
        // The zeros of the padding count, what a last window has beyond them does not.
        let sides = options.padding
        let pads = graph.integers(
            "\(name)_pads", [0, 0, sides.top, sides.left, 0, 0, sides.bottom, sides.right])
        let padded = graph.node("Pad", [input.name, pads], name: "\(name)_padded")
        let rest = Padding(
            top: 0, bottom: padding.bottom - sides.bottom, left: 0, right: padding.right - sides.right)
        attributes += [("pads", .integers(rest.list)), ("count_include_pad", .integer(0))]
        return graph.node("AveragePool", [padded], name: name, attributes)
    }

    // MARK: Normalisation

    private mutating func writeNormalization(
        _ layer: LayerDescription, _ node: NodeSummary, of input: Held, name: String
    ) -> String {
        switch layer {
        case .batchnorm2d(let epsilon), .batchnorm1d(let epsilon):
            let tensors = ["weight", "bias", "running_mean", "running_var"].compactMap { parameter(node, $0) }
            return graph.node(
                "BatchNormalization", [input.name] + tensors, name: name, [("epsilon", .float(epsilon))])
        case .layernorm(let epsilon):
            return graph.node(
                "LayerNormalization", [input.name] + weights(node), name: name,
                [("axis", .integer(1)), ("epsilon", .float(epsilon))])
        case .layernorm2d(let epsilon):
            let last = graph.node(
                "Transpose", [input.name], name: "\(name)_last", [("perm", .integers([0, 2, 3, 1]))])
            let normalized = graph.node(
                "LayerNormalization", [last] + weights(node), name: "\(name)_normalized",
                [("axis", .integer(-1)), ("epsilon", .float(epsilon))])
            return graph.node("Transpose", [normalized], name: name, [("perm", .integers([0, 3, 1, 2]))])
        case .groupnorm(let options):
            // ONNX's own GroupNormalization has factors for groups before operator set 21.
            let split = graph.integers("\(name)_groups", [0, options.groups, -1])
            let groups = graph.node("Reshape", [input.name, split], name: "\(name)_split")
            let ones = graph.tensor(
                "\(name)_ones", [options.groups], Array(repeating: Float(1), count: options.groups))
            let zeros = graph.tensor(
                "\(name)_zeros", [options.groups], Array(repeating: Float(0), count: options.groups))
            let normalized = graph.node(
                "InstanceNormalization", [groups, ones, zeros], name: "\(name)_normalized",
                [("epsilon", .float(options.epsilon))])
            let dimensions = input.isFlat ? [input.shape.elementCount] : input.shape.dimensions
            let whole = graph.integers("\(name)_shape", [-1] + dimensions)
            let joined = graph.node("Reshape", [normalized, whole], name: "\(name)_joined")
            let shape = [input.shape.channels] + (input.isFlat ? [] : [1, 1])
            let weight = parameter(node, "weight", shape: shape) ?? ""
            let scaled = graph.node("Mul", [joined, weight], name: "\(name)_scaled")
            return graph.node("Add", [scaled, parameter(node, "bias", shape: shape) ?? ""], name: name)
        default: return input.name
        }
    }
}

extension Extents {
    fileprivate var list: [Int] { [height, width] }
}

extension Padding {
    /// As ONNX has it: what is before each axis, and then what is behind.
    fileprivate var list: [Int] { [top, left, bottom, right] }

    /// As much padding behind as the windows of an output reach.
    fileprivate func reaching(
        _ output: ImageShape, of input: ImageShape, _ kernel: Extents, _ stride: Extents, _ dilation: Extents
    ) -> Padding {
        func behind(_ count: Int, _ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int)
            -> Int
        {
            (count - 1) * stride + dilation * (kernel - 1) + 1 - extent - before
        }
        var padding = self
        padding.bottom = max(
            bottom, behind(output.height, input.height, kernel.height, stride.height, dilation.height, top))
        padding.right = max(
            right, behind(output.width, input.width, kernel.width, stride.width, dilation.width, left))
        return padding
    }
}
