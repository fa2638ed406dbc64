extension LayerDescription {
    /// The number of layers that this is: one, and those inside it.
    var layerCount: Int {
        if case .graph(let nodes) = unnamed { return nodes.reduce(1) { $0 + ($1.layer?.layerCount ?? 1) } }
        return branches.joined().reduce(1) { $0 + $1.layerCount }
    }
}

/// A layer is its name, or an object with its name as the key and its options as the value; beside it may stand what its
/// parameters are called, as "name".
extension LayerDescription: Codable {
    public init(from decoder: any Decoder) throws {
        let options = try LayerOptions(from: decoder)
        let layer = try LayerDescription(options)
        self = if let name = options.givenName { .named(name, layer) } else { layer }
    }

    private init(_ options: LayerOptions) throws {
        switch options.name {
        case "conv2d":
            try options.allow("out", "kernel", "stride", "padding", "dilation", "groups", "bias")
            self = .conv2d(
                Convolution(
                    out: try options.integer("out", from: 1),
                    kernel: try options.extents("kernel"),
                    stride: try options.extents("stride", default: 1),
                    padding: try options.padding(),
                    dilation: try options.extents("dilation", default: 1),
                    groups: try options.integer("groups", from: 1, default: 1),
                    bias: try options.flag("bias", default: true)))
        case "linear":
            try options.allow("out", "bias")
            self = .linear(
                Linear(
                    out: try options.integer("out", from: 1), bias: try options.flag("bias", default: true)))
        case "relu":
            try options.allow()
            self = .relu
        case "leakyrelu":
            try options.allow("negative_slope")
            self = .leakyrelu(negativeSlope: try options.number("negative_slope", default: 0.01))
        case "prelu":
            try options.allow("num_parameters", "init")
            self = .prelu(
                ParametricRectifier(
                    parameterCount: try options.integer("num_parameters", from: 1, default: 1),
                    initial: try options.number("init", default: 0.25)))
        case "elu":
            try options.allow("alpha")
            self = .elu(alpha: try options.number("alpha", default: 1))
        case "narrow":
            try options.allow("start", "length")
            self = .narrow(
                Narrowing(
                    start: try options.integer("start", from: 0),
                    length: try options.integer("length", from: 1)))
        case "channelshuffle":
            try options.allow("groups")
            self = .channelshuffle(groups: try options.integer("groups", from: 1))
        case "gelu":
            try options.allow("approximate")
            self = .gelu(try options.choice("approximate", default: .none))
        case "silu":
            try options.allow()
            self = .silu
        case "softplus":
            try options.allow("beta")
            self = .softplus(
                beta: try options.number("beta", default: 1, mustBe: "a number above 0") { $0 > 0 })
        case "tanh":
            try options.allow()
            self = .tanh
        case "sigmoid":
            try options.allow()
            self = .sigmoid
        case "maxpool2d":
            try options.allow("kernel", "stride", "padding", "dilation", "ceil_mode")
            let kernel = try options.extents("kernel")
            self = .maxpool2d(
                Pooling(
                    kernel: kernel, stride: try options.extents("stride", default: kernel),
                    padding: try options.padding(),
                    dilation: try options.extents("dilation", default: 1),
                    ceilMode: try options.flag("ceil_mode", default: false)))
        case "avgpool2d":
            try options.allow(
                "kernel", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")
            let kernel = try options.extents("kernel")
            self = .avgpool2d(
                AveragePooling(
                    kernel: kernel, stride: try options.extents("stride", default: kernel),
                    padding: try options.padding(),
                    ceilMode: try options.flag("ceil_mode", default: false),
                    countIncludePad: try options.flag("count_include_pad", default: true),
                    divisorOverride: try options.optionalInteger("divisor_override", from: 1)))
        case "adaptiveavgpool2d":
            try options.allow("size")
            let size = try options.extents("size")
            self = .adaptiveavgpool2d(AdaptivePooling(height: size.height, width: size.width))
        case "globalavgpool":
            try options.allow()
            self = .globalavgpool
        case "flatten":
            try options.allow()
            self = .flatten
        case "dropout":
            try options.allow("p")
            self = .dropout(
                probability: try options.number("p", default: 0.5, mustBe: "a number from 0 to below 1") {
                    $0 >= 0 && $0 < 1
                })
        case "groupnorm":
            try options.allow("groups", "eps")
            self = .groupnorm(
                GroupNormalization(
                    groups: try options.integer("groups", from: 1), epsilon: try options.epsilon()))
        case "layernorm":
            try options.allow("eps")
            self = .layernorm(epsilon: try options.epsilon())
        case "batchnorm2d":
            try options.refuseBatchStatistics()
            try options.allow("eps", "frozen")
            self = .batchnorm2d(epsilon: try options.epsilon())
        case "batchnorm1d":
            try options.refuseBatchStatistics()
            try options.allow("eps", "frozen")
            self = .batchnorm1d(epsilon: try options.epsilon())
        case "graph":
            try options.allow("nodes")
            self = .graph(try options.nodes())
        case "residual":
            try options.allow("body", "projection", "layer_scale")
            self = .residual(
                Residual(
                    body: try options.layers("body"), projection: try options.projection(),
                    layerScale: try options.optionalNumber("layer_scale")))
        case "concat":
            try options.allow("branches")
            self = .concat(try options.branches())
        case "multiply":
            try options.allow("body", "projection")
            self = .multiply(
                Gate(body: try options.layers("body"), projection: try options.projection()))
        case "linear2d":
            try options.allow("out", "bias")
            self = .linear2d(
                Linear(
                    out: try options.integer("out", from: 1), bias: try options.flag("bias", default: true)))
        case "relu6":
            try options.allow()
            self = .relu6
        case "hardswish":
            try options.allow()
            self = .hardswish
        case "hardsigmoid":
            try options.allow()
            self = .hardsigmoid
        case "stochasticdepth":
            try options.allow("p")
            self = .stochasticdepth(
                probability: try options.number("p", default: 0, mustBe: "a number from 0 to below 1") {
                    $0 >= 0 && $0 < 1
                })
        case "layernorm2d":
            try options.allow("eps")
            self = .layernorm2d(epsilon: try options.epsilon())
        default:
            throw options.unservedLayer
        }
    }

    public func encode(to encoder: any Encoder) throws {
        let options = unnamed.options
        guard !options.isEmpty || unnamed != self else {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        var layer = encoder.container(keyedBy: OptionKey.self)
        if case .named(let givenName, _) = self { try layer.encode(givenName, forKey: .givenName) }
        var container = layer.nestedContainer(keyedBy: OptionKey.self, forKey: OptionKey(name))
        for (name, value) in options {
            if let value { try container.encode(value, forKey: OptionKey(name)) }
        }
    }

    private typealias Options = [String: (any Encodable)?]

    /// The options by their names in the file; none for a layer that is its name.
    private var options: Options {
        switch self {
        case .relu, .relu6, .silu, .tanh, .sigmoid, .hardswish, .hardsigmoid, .globalavgpool, .flatten: [:]
        case .conv2d(let convolution):
            [
                "out": convolution.out, "kernel": convolution.kernel, "stride": convolution.stride,
                "padding": convolution.padding, "dilation": convolution.dilation,
                "groups": convolution.groups, "bias": convolution.bias,
            ]
        case .linear(let linear), .linear2d(let linear): ["out": linear.out, "bias": linear.bias]
        case .leakyrelu(let negativeSlope): ["negative_slope": negativeSlope]
        case .prelu(let rectifier):
            ["num_parameters": rectifier.parameterCount, "init": rectifier.initial]
        case .elu(let alpha): ["alpha": alpha]
        case .narrow(let narrowing): ["start": narrowing.start, "length": narrowing.length]
        case .channelshuffle(let groups): ["groups": groups]
        case .gelu(let approximation): ["approximate": approximation.rawValue]
        case .softplus(let beta): ["beta": beta]
        case .maxpool2d(let pooling):
            [
                "kernel": pooling.kernel, "stride": pooling.stride, "padding": pooling.padding,
                "ceil_mode": pooling.ceilMode, "dilation": pooling.dilation == 1 ? nil : pooling.dilation,
            ]
        case .avgpool2d(let pooling):
            [
                "kernel": pooling.kernel, "stride": pooling.stride, "padding": pooling.padding,
                "ceil_mode": pooling.ceilMode, "count_include_pad": pooling.countIncludePad,
                "divisor_override": pooling.divisorOverride,
            ]
        case .adaptiveavgpool2d(let pooling): ["size": [pooling.height, pooling.width]]
        case .dropout(let probability), .stochasticdepth(let probability): ["p": probability]
        case .groupnorm(let normalization):
            ["groups": normalization.groups, "eps": normalization.epsilon]
        case .layernorm(let epsilon), .layernorm2d(let epsilon), .batchnorm2d(let epsilon),
            .batchnorm1d(let epsilon):
            ["eps": epsilon]
        case .residual(let residual):
            [
                "body": residual.body, "projection": Self.alone(residual.projection),
                "layer_scale": residual.layerScale,
            ]
        case .multiply(let gate): ["body": gate.body, "projection": Self.alone(gate.projection)]
        case .concat(let branches): ["branches": branches]
        case .graph(let nodes): ["nodes": NumberedNode.list(nodes)]
        case .named(_, let layer): layer.options
        }
    }

    /// A projection of one layer stands alone, and none is no option.
    private static func alone(_ projection: [LayerDescription]) -> (any Encodable)? {
        switch projection.count {
        case 0: nil
        case 1: projection[0]
        default: projection
        }
    }
}
