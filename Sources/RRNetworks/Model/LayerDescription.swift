/// One layer of a `model.json`, with the options and defaults of the PyTorch layer of the same name.
public enum LayerDescription: Hashable, Sendable {
    case conv2d(Convolution)
    case linear(Linear)
    case relu
    case leakyrelu(negativeSlope: Double = 0.01)
    case gelu(Approximation = .none)
    case silu
    case softplus(beta: Double)
    case tanh
    case sigmoid
    case maxpool2d(Pooling)
    case avgpool2d(AveragePooling)
    case adaptiveavgpool2d(AdaptivePooling)
    case globalavgpool
    case flatten
    /// Leaves out elements in training, each with this probability.
    case dropout(probability: Double = 0.5)
    case groupnorm(GroupNormalization)
    case layernorm(epsilon: Double = 1e-5)
    /// With stored statistics, which training leaves as they are.
    case batchnorm2d(epsilon: Double = 1e-5)
    indirect case residual(Residual)

    /// The options of a two-dimensional convolution with a square kernel.
    public struct Convolution: Hashable, Sendable {
        /// The number of output channels.
        public var out: Int
        public var kernel: Int
        public var stride: Int
        /// Zeros added on every side.
        public var padding: Int
        public var dilation: Int
        public var groups: Int
        public var bias: Bool

        public init(
            out: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1,
            bias: Bool = true
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

    /// How the Gaussian error linear unit is computed.
    public enum Approximation: String, CaseIterable, Hashable, Sendable {
        /// Exactly, by the error function.
        case none
        /// By a hyperbolic tangent, as early transformers did.
        case tanh
    }

    /// The options of two-dimensional max pooling with a square kernel.
    public struct Pooling: Hashable, Sendable {
        public var kernel: Int
        /// The distance between windows; the kernel's extent where absent.
        public var stride: Int
        public var padding: Int
        /// Whether a last window may reach beyond the padding.
        public var ceilMode: Bool

        public init(kernel: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false) {
            self.kernel = kernel
            self.stride = stride ?? kernel
            self.padding = padding
            self.ceilMode = ceilMode
        }
    }

    /// The options of two-dimensional average pooling with a square kernel.
    public struct AveragePooling: Hashable, Sendable {
        public var kernel: Int
        /// The distance between windows; the kernel's extent where absent.
        public var stride: Int
        /// Zeros added on every side.
        public var padding: Int
        /// Whether a last window may reach beyond the padding.
        public var ceilMode: Bool
        /// Whether the zeros of the padding count in the mean.
        public var countIncludePad: Bool

        public init(
            kernel: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false,
            countIncludePad: Bool = true
        ) {
            self.kernel = kernel
            self.stride = stride ?? kernel
            self.padding = padding
            self.ceilMode = ceilMode
            self.countIncludePad = countIncludePad
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
        /// The layer beside the body; nil for the block's input itself.
        public var projection: LayerDescription?

        public init(body: [LayerDescription], projection: LayerDescription? = nil) {
            self.body = body
            self.projection = projection
        }
    }

    /// The names of all layers.
    package static let servedNames = [
        "conv2d", "linear", "relu", "leakyrelu", "gelu", "silu", "softplus", "tanh", "sigmoid", "maxpool2d",
        "avgpool2d", "adaptiveavgpool2d", "globalavgpool", "flatten", "dropout", "groupnorm", "layernorm",
        "batchnorm2d", "residual",
    ]

    /// The layer's name in `model.json`.
    public var name: String {
        switch self {
        case .conv2d: "conv2d"
        case .linear: "linear"
        case .relu: "relu"
        case .leakyrelu: "leakyrelu"
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
        case .dropout: "dropout"
        case .groupnorm: "groupnorm"
        case .layernorm: "layernorm"
        case .batchnorm2d: "batchnorm2d"
        case .residual: "residual"
        }
    }
}
