import RRTensor

/// A classifier: the layers of a model, checked against each other, in one number type.
///
/// A network holds no parameters; it is the function that `Parameters` complete.
public struct Network<Scalar: NetworkScalar>: Sendable {
    public let model: ModelDescription
    public let parameterLayout: ParameterLayout
    /// How batches are cut into groups; a test may ask for what only large maps have.
    package var groupLimits: GroupLimits

    /// The segments of the graph that are kept in memory one at a time; without effect on any result.
    package var segments: GraphSegments

    /// Whether each sum of a convolution is taken as it is defined. In single precision and of few large images, fewer
    /// products stand for those of kernels of three by three otherwise (Winograd's transform), which takes less time and
    /// costs two or three bits; double precision is always exact.
    public var isExact = false

    let graph: LayerGraph<Scalar>

    /// Builds the layers of a model one on the other.
    ///
    /// - Throws: `NetworkError` with the code `shapeMismatch`, naming the layer, where a layer cannot take the
    ///   output of the one before it or the last does not give one logit a class.
    public init(_ model: ModelDescription) throws(NetworkError) {
        guard model.input.elementCount <= Self.largestFeatureCount else {
            throw NetworkError(
                .shapeMismatch, "input", "\(model.input) has more than \(Self.largestFeatureCount) elements")
        }
        let graph = try GraphBuilder<Scalar>.graph(model.layers, input: model.input)
        let output = graph.outputShape
        guard !graph.nodes.isEmpty, graph.isFlat, output.elementCount == model.classCount else {
            throw NetworkError(
                .shapeMismatch, "layers",
                "the last layer gives \(graph.isFlat ? "\(output.elementCount) features" : "maps of \(output)"), but a "
                    + "model of \(model.classCount) classes must end in \(model.classCount) flat logits")
        }
        guard graph.featureCount <= Self.largestTotalFeatureCount else {
            throw NetworkError(
                .shapeMismatch, "layers",
                "give maps of \(graph.featureCount) elements for each sample; at most "
                    + "\(Self.largestTotalFeatureCount) are served")
        }
        // Before there are threads, since it reaches into the environment.
        LinearAlgebra.preparation
        self.model = model
        self.graph = graph
        segments = .whole(nodeCount: graph.nodes.count)
        parameterLayout = ParameterLayout(graph.parameters, headStart: graph.headStart)
        groupLimits = GroupLimits(
            featureCount: model.input.elementCount + graph.featureCount,
            parameterCount: parameterLayout.count, elementSize: MemoryLayout<Scalar>.stride)
    }

    /// Draws initial parameters as PyTorch's layers do by default, and those of torchvision's networks as torchvision does. The
    /// same seed gives the same values.
    public func initialParameters(seed: UInt64) -> Parameters<Scalar> {
        parameters(seed: seed, as: model.torchvisionModel)
    }

    /// Draws parameters as PyTorch's layers do by default, whatever the network: a new head on weights that were trained is
    /// a new layer and no more.
    package func layerParameters(seed: UInt64) -> Parameters<Scalar> { parameters(seed: seed, as: nil) }

    private func parameters(seed: UInt64, as model: BuiltInModel?) -> Parameters<Scalar> {
        var generator = SplitMix64(seed: seed)
        var values: [Scalar] = []
        values.reserveCapacity(parameterLayout.count)
        for entry in parameterLayout.entries {
            let initial = initialDistribution(of: entry, in: model)
            for _ in entry.range { values.append(Scalar(initial.draw(from: &generator))) }
        }
        return Parameters(layout: parameterLayout, values: values)
    }

    /// 1 GB of float for one sample's feature map.
    static var largestFeatureCount: Int { 1 << 28 }
    /// 4 GB of float for all feature maps of one sample; those of ResNet-50 take 0.1 GB at 224×224 pixels.
    static var largestTotalFeatureCount: Int { 1 << 30 }
    /// 2 GB of float.
    static var largestParameterCount: Int { 1 << 29 }
}

/// The number type that a network computes in: `Float` or `Double`.
public protocol NetworkScalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable, Sendable {
    /// The loops over many numbers that are written for this type.
    static var kernels: NetworkKernels<Self> { get }
}

extension Float: NetworkScalar {
    public static var kernels: NetworkKernels<Float> { .single }
}

extension Double: NetworkScalar {
    public static var kernels: NetworkKernels<Double> { .double }
}

/// The products, the convolutions and what is done element by element of one number type.
///
/// A class, since what is asked for in every pass is not to be copied each time.
public final class NetworkKernels<Scalar>: Sendable {
    let product: MatrixKernels<Scalar>.Product
    let linear: LinearKernels<Scalar>
    let convolution: ConvolutionKernels<Scalar>
    let elements: ElementKernels<Scalar>

    init(
        product: @escaping MatrixKernels<Scalar>.Product, linear: LinearKernels<Scalar>,
        convolution: ConvolutionKernels<Scalar>, elements: ElementKernels<Scalar>
    ) {
        self.product = product
        self.linear = linear
        self.convolution = convolution
        self.elements = elements
    }
}

extension NetworkKernels<Float> {
    static let single = NetworkKernels(
        product: MatrixKernels.single.product, linear: .single, convolution: .single, elements: .single)
}

extension NetworkKernels<Double> {
    static let double = NetworkKernels(
        product: MatrixKernels.double.product, linear: .double, convolution: .double, elements: .double)
}
