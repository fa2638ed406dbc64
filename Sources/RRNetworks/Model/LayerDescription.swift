/// One layer of a `model.json`, with the options and defaults of the PyTorch layer of the same name.
public enum LayerDescription: Hashable, Sendable {
    case conv2d(Convolution)
    case linear(Linear)
    /// A linear layer over the channels of each pixel.
    case linear2d(Linear)
    case relu
    case relu6
    case leakyrelu(negativeSlope: Double = 0.01)
    /// With a slope below 0 that is trained.
    case prelu(ParametricRectifier = ParametricRectifier())
    case elu(alpha: Double = 1)
    case gelu(Approximation = .none)
    case silu
    case softplus(beta: Double)
    case tanh
    case sigmoid
    case hardswish
    case hardsigmoid
    case maxpool2d(Pooling)
    case avgpool2d(AveragePooling)
    case adaptiveavgpool2d(AdaptivePooling)
    case globalavgpool
    case flatten
    /// Some of the channels, or of the features.
    case narrow(Narrowing)
    /// The channels of each group one after the other's: the first of all groups, then the second of all.
    case channelshuffle(groups: Int)
    /// Leaves out elements in training, each with this probability.
    case dropout(probability: Double = 0.5)
    /// Leaves out whole samples of a residual block's body in training, each with this probability.
    case stochasticdepth(probability: Double)
    case groupnorm(GroupNormalization)
    case layernorm(epsilon: Double = 1e-5)
    /// Over the channels of each pixel.
    case layernorm2d(epsilon: Double = 1e-5)
    /// With stored statistics, which training leaves as they are.
    case batchnorm2d(epsilon: Double = 1e-5)
    /// The same of features without a place.
    case batchnorm1d(epsilon: Double = 1e-5)
    indirect case residual(Residual)
    /// The channels of all branches, one branch's after the other's; a branch without layers gives its input.
    indirect case concat([[LayerDescription]])
    indirect case multiply(Gate)
    /// Any network without cycles: nodes that read values before them. The last one's value is the output.
    indirect case graph([Node])
    /// A layer whose parameters begin with this name, in the place of the layer's number.
    indirect case named(String, LayerDescription)

    /// The options of a two-dimensional convolution.
    public struct Convolution: Hashable, Sendable {
        /// The number of output channels.
        public var out: Int
        public var kernel: Extents
        public var stride: Extents
        /// Zeros added around the input.
        public var padding: Padding
        public var dilation: Extents
        public var groups: Int
        public var bias: Bool

        public init(
            out: Int, kernel: Extents, stride: Extents = 1, padding: Padding = 0, dilation: Extents = 1,
            groups: Int = 1, bias: Bool = true
        ) {
            self.out = out
            self.kernel = kernel
            self.stride = stride
            self.padding = padding
            self.dilation = dilation
            self.groups = groups
            self.bias = bias
        }
    }

    /// The options of a fully connected layer.
    public struct Linear: Hashable, Sendable {
        /// The number of output features.
        public var out: Int
        public var bias: Bool

        public init(out: Int, bias: Bool = true) {
            self.out = out
            self.bias = bias
        }
    }

    /// The options of a rectifier whose slope below 0 is trained.
    public struct ParametricRectifier: Hashable, Sendable {
        /// One slope for all channels, or as many as there are.
        public var parameterCount: Int
        /// What the slopes start from.
        public var initial: Double

        public init(parameterCount: Int = 1, initial: Double = 0.25) {
            self.parameterCount = parameterCount
            self.initial = initial
        }
    }

    /// Which channels are taken, as `torch.narrow` takes them.
    public struct Narrowing: Hashable, Sendable {
        /// The first of them, from 0 on.
        public var start: Int
        /// Their number.
        public var length: Int

        public init(start: Int, length: Int) {
            self.start = start
            self.length = length
        }
    }

    /// How the Gaussian error linear unit is computed.
    public enum Approximation: String, CaseIterable, Hashable, Sendable {
        /// Exactly, by the error function.
        case none
        /// By a hyperbolic tangent, as early transformers did.
        case tanh
    }

    /// The options of two-dimensional max pooling.
    public struct Pooling: Hashable, Sendable {
        public var kernel: Extents
        /// The distances between windows; the kernel's extents where absent.
        public var stride: Extents
        public var padding: Padding
        public var dilation: Extents
        /// Whether a last window may reach beyond the padding.
        public var ceilMode: Bool

        public init(
            kernel: Extents, stride: Extents? = nil, padding: Padding = 0, dilation: Extents = 1,
            ceilMode: Bool = false
        ) {
            self.kernel = kernel
            self.stride = stride ?? kernel
            self.padding = padding
            self.dilation = dilation
            self.ceilMode = ceilMode
        }
    }

    /// The options of two-dimensional average pooling.
    public struct AveragePooling: Hashable, Sendable {
        public var kernel: Extents
        /// The distances between windows; the kernel's extents where absent.
        public var stride: Extents
        /// Zeros added around the input.
        public var padding: Padding
        /// Whether a last window may reach beyond the padding.
        public var ceilMode: Bool
        /// Whether the zeros of the padding count in the mean.
        public var countIncludePad: Bool
        /// What every window's sum is divided by; nil for the number of its elements.
        public var divisorOverride: Int?

        public init(
            kernel: Extents, stride: Extents? = nil, padding: Padding = 0, ceilMode: Bool = false,
            countIncludePad: Bool = true, divisorOverride: Int? = nil
        ) {
            self.kernel = kernel
            self.stride = stride ?? kernel
            self.padding = padding
            self.ceilMode = ceilMode
            self.countIncludePad = countIncludePad
            self.divisorOverride = divisorOverride
        }
    }

    /// The extent of the output of two-dimensional adaptive average pooling.
    public struct AdaptivePooling: Hashable, Sendable {
        public var height: Int
        public var width: Int

        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// The options of a normalisation over groups of channels.
    public struct GroupNormalization: Hashable, Sendable {
        /// The number of groups, which divides the number of channels.
        public var groups: Int
        /// Added to each variance.
        public var epsilon: Double

        public init(groups: Int, epsilon: Double = 1e-5) {
            self.groups = groups
            self.epsilon = epsilon
        }
    }

    /// The branches of a residual block, whose outputs are added.
    public struct Residual: Hashable, Sendable {
        public var body: [LayerDescription]
        /// The layers beside the body; none for the block's input itself.
        public var projection: [LayerDescription]
        /// What the factors start from that the body's channels are multiplied by, one a channel; nil for no factors.
        public var layerScale: Double?

        public init(
            body: [LayerDescription], projection: [LayerDescription] = [], layerScale: Double? = nil
        ) {
            self.body = body
            self.projection = projection
            self.layerScale = layerScale
        }
    }

    /// The branches of a gate, whose outputs are multiplied: squeeze and excitation, where the body gives a factor a channel.
    public struct Gate: Hashable, Sendable {
        /// What gives the factors, one for each element or one for each channel.
        public var body: [LayerDescription]
        /// What gives the features that are multiplied; none for the block's input itself.
        public var projection: [LayerDescription]

        public init(body: [LayerDescription], projection: [LayerDescription] = []) {
            self.body = body
            self.projection = projection
        }
    }

    /// One node of a graph.
    public struct Node: Hashable, Sendable {
        /// What a node does with the values that it reads.
        public enum Operation: Hashable, Sendable {
            case layer(LayerDescription)
            /// The sum of all.
            case add
            /// The first times the second, which has a factor for each element or for each channel.
            case multiply
            /// The channels of all, one value's after the other's.
            case concat
        }

        public var operation: Operation
        /// The values by their numbers: 0 is the graph's input, n what the nth node gives.
        public var inputs: [Int]

        public init(_ operation: Operation, of inputs: [Int]) {
            self.operation = operation
            self.inputs = inputs
        }
    }

    /// The layer without its name.
    public var unnamed: LayerDescription {
        if case .named(_, let layer) = self { layer.unnamed } else { self }
    }

    /// The lists of layers inside the layer; none for a single one.
    public var branches: [[LayerDescription]] {
        switch self {
        case .residual(let block): [block.body, block.projection]
        case .multiply(let block): [block.body, block.projection]
        case .concat(let branches): branches
        case .graph(let nodes): [nodes.compactMap(\.layer)]
        case .named(_, let layer): layer.branches
        default: []
        }
    }

    /// The names of all layers.
    package static let servedNames = [
        "conv2d", "linear", "relu", "leakyrelu", "gelu", "silu", "softplus", "tanh", "sigmoid", "maxpool2d",
        "avgpool2d", "adaptiveavgpool2d", "globalavgpool", "flatten", "dropout", "groupnorm", "layernorm",
        "batchnorm2d", "residual", "concat", "multiply", "linear2d", "relu6", "hardswish", "hardsigmoid",
        "stochasticdepth", "layernorm2d", "batchnorm1d", "graph", "elu", "prelu", "narrow", "channelshuffle",
    ]

    /// The layer's name in `model.json`.
    public var name: String {
        switch self {
        case .conv2d: "conv2d"
        case .linear: "linear"
        case .relu: "relu"
        case .leakyrelu: "leakyrelu"
        case .prelu: "prelu"
        case .elu: "elu"
        case .gelu: "gelu"
        case .silu: "silu"
        case .softplus: "softplus"
        case .tanh: "tanh"
        case .sigmoid: "sigmoid"
        case .maxpool2d: "maxpool2d"
        case .avgpool2d: "avgpool2d"
        case .adaptiveavgpool2d: "adaptiveavgpool2d"
        case .globalavgpool: "globalavgpool"
        case .flatten: "flatten"
        case .narrow: "narrow"
        case .channelshuffle: "channelshuffle"
        case .dropout: "dropout"
        case .groupnorm: "groupnorm"
        case .layernorm: "layernorm"
        case .batchnorm2d: "batchnorm2d"
        case .residual: "residual"
        case .concat: "concat"
        case .multiply: "multiply"
        case .linear2d: "linear2d"
        case .relu6: "relu6"
        case .hardswish: "hardswish"
        case .hardsigmoid: "hardsigmoid"
        case .stochasticdepth: "stochasticdepth"
        case .layernorm2d: "layernorm2d"
        case .batchnorm1d: "batchnorm1d"
        case .graph: "graph"
        case .named(_, let layer): layer.name
        }
    }
}
