extension LayerDescription {
    /// The number of layers that this is: one, and those inside a residual block.
    var layerCount: Int {
        guard case .residual(let residual) = self else { return 1 }
        return residual.body.reduce(residual.projection == nil ? 1 : 2) { $0 + $1.layerCount }
    }
}

/// A layer is its name, or an object with its name as the only key and its options as the value.
extension LayerDescription: Codable {
    public init(from decoder: any Decoder) throws {
        let options = try LayerOptions(from: decoder)
        switch options.name {
        case "conv2d":
            try options.allow("out", "kernel", "stride", "padding", "dilation", "groups", "bias")
            self = .conv2d(
                Convolution(
                    out: try options.integer("out", from: 1),
                    kernel: try options.integer("kernel", from: 1),
                    stride: try options.integer("stride", from: 1, default: 1),
                    padding: try options.integer("padding", from: 0, default: 0),
                    dilation: try options.integer("dilation", from: 1, default: 1),
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
            try options.allow("kernel", "stride", "padding", "ceil_mode")
            let kernel = try options.integer("kernel", from: 1)
            self = .maxpool2d(
                Pooling(
                    kernel: kernel,
                    stride: try options.integer("stride", from: 1, default: kernel),
                    padding: try options.integer("padding", from: 0, default: 0),
                    ceilMode: try options.flag("ceil_mode", default: false)))
        case "avgpool2d":
            try options.allow("kernel", "stride", "padding", "ceil_mode", "count_include_pad")
            let kernel = try options.integer("kernel", from: 1)
            self = .avgpool2d(
                AveragePooling(
                    kernel: kernel,
                    stride: try options.integer("stride", from: 1, default: kernel),
                    padding: try options.integer("padding", from: 0, default: 0),
                    ceilMode: try options.flag("ceil_mode", default: false),
                    countIncludePad: try options.flag("count_include_pad", default: true)))
        case "adaptiveavgpool2d":
            try options.allow("size")
            let (height, width) = try options.extents("size")
            self = .adaptiveavgpool2d(AdaptivePooling(height: height, width: width))
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
        case "residual":
            try options.allow("body", "projection")
            self = .residual(
                Residual(body: try options.layers("body"), projection: try options.layer("projection")))
        default:
            throw options.unservedLayer
        }
    }

    public func encode(to encoder: any Encoder) throws {
        let options = options
        guard !options.isEmpty else {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        var layer = encoder.container(keyedBy: OptionKey.self)
        var container = layer.nestedContainer(keyedBy: OptionKey.self, forKey: OptionKey(name))
        for (key, value) in options { try container.encode(value, forKey: key) }
    }

    /// The options by their names in the file; none for a layer that is its name.
    private var options: KeyValuePairs<OptionKey, any Encodable> {
        switch self {
        case .relu, .silu, .tanh, .sigmoid, .globalavgpool, .flatten: [:]
        case .conv2d(let convolution):
            [
                "out": convolution.out, "kernel": convolution.kernel, "stride": convolution.stride,
                "padding": convolution.padding, "dilation": convolution.dilation,
                "groups": convolution.groups, "bias": convolution.bias,
            ]
        case .linear(let linear): ["out": linear.out, "bias": linear.bias]
        case .leakyrelu(let negativeSlope): ["negative_slope": negativeSlope]
        case .gelu(let approximation): ["approximate": approximation.rawValue]
        case .softplus(let beta): ["beta": beta]
        case .maxpool2d(let pooling):
            [
                "kernel": pooling.kernel, "stride": pooling.stride, "padding": pooling.padding,
                "ceil_mode": pooling.ceilMode,
            ]
        case .avgpool2d(let pooling):
            [
                "kernel": pooling.kernel, "stride": pooling.stride, "padding": pooling.padding,
                "ceil_mode": pooling.ceilMode, "count_include_pad": pooling.countIncludePad,
            ]
        case .adaptiveavgpool2d(let pooling): ["size": [pooling.height, pooling.width]]
        case .dropout(let probability): ["p": probability]
        case .groupnorm(let normalization):
            ["groups": normalization.groups, "eps": normalization.epsilon]
        case .layernorm(let epsilon), .batchnorm2d(let epsilon): ["eps": epsilon]
        case .residual(let residual):
            if let projection = residual.projection {
                ["body": residual.body, "projection": projection]
            } else {
                ["body": residual.body]
            }
        }
    }
}
