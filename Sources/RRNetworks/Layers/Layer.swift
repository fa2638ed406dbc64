import RRTensor

/// One layer of a network as the four passes of the explanation loss see it.
///
/// Every feature map of a group of samples is stored with the samples innermost, as (C, H, W, samples): every
/// vector instruction then works on as many samples at once, whatever the layer.
///
/// With x the input and z the output of the layer, ẋ and ż their tangents, δ a cotangent of the first
/// reverse pass and ε one of the second (the design's names), the passes are:
/// 1. `forward`: x → z
/// 2. `reverse`: δz → δx, for the input gradient
/// 3. `tangent`: ẋ → ż
/// 4. `gradient`: εz (with δz and ẋ) → εx and the sums for the parameters
protocol Layer<Scalar>: Sendable {
    associatedtype Scalar: NetworkScalar

    var inputShape: ImageShape { get }
    var outputShape: ImageShape { get }

    /// Whether the output is features without a place though the input is maps.
    var flattens: Bool { get }

    /// The parameters in the order in which they lie in memory, named as PyTorch names them.
    var parameters: [ParameterSpecification] { get }

    /// The number of parameters of each part that may be trained without the others: one, but for two layers that are computed
    /// as one.
    var parameterParts: [Int] { get }

    /// Whether training leaves out elements at random.
    var dropsOut: Bool { get }

    /// What the passes after the first want of the input and the output.
    var needs: LayerNeeds { get }

    /// Whether the output is computed anew, of an input that is kept in any case, where the only layer that reads it wants it
    /// in the last pass.
    var isComputedAgain: Bool { get }

    /// Whether the output, and its tangent, may be written where the input's lie.
    var worksInPlace: Bool { get }

    /// The products of weights and elements of a sample that a forward pass adds up.
    var productCount: Int { get }

    /// Where the elements of the output look in the input.
    var receptiveAxes: (rows: ReceptiveAxis, columns: ReceptiveAxis) { get }

    /// The memory that a thread needs while it is in one of the passes, in elements, for at most `capacity` samples.
    func workspaceCount(capacity: Int) -> Int

    /// The most shares that a pass can be cut into; 1 where one thread does all of it.
    var largestShareCount: Int { get }

    /// The stages of the forward pass and of the last, each of which begins when all shares of the one before are done.
    var forwardStageCount: Int { get }
    var gradientStageCount: Int { get }

    /// The memory that the passes over one group of at most `capacity` samples want.
    func scratchCounts(capacity: Int) -> ScratchCounts

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>)

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>)

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>)

    /// Adds the parameter gradient to `parameterGradient` where the layer is trained, and writes εx where a layer before
    /// wants it.
    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?)
}

extension Layer {
    var flattens: Bool { false }
    var dropsOut: Bool { false }
    var parameterParts: [Int] { [parameterCount] }
    var needs: LayerNeeds { .all }
    var isComputedAgain: Bool { false }
    var worksInPlace: Bool { false }
    var productCount: Int { 0 }
    var receptiveAxes: (rows: ReceptiveAxis, columns: ReceptiveAxis) { (ReceptiveAxis(), ReceptiveAxis()) }
    func workspaceCount(capacity: Int) -> Int { 0 }
    var largestShareCount: Int { 1 }
    var forwardStageCount: Int { 1 }
    var gradientStageCount: Int { 1 }
    var parameterCount: Int { parameters.reduce(0) { $0 + $1.elementCount } }
}

/// A layer whose parameter gradient is a sum over samples of products of two maps, whichever groups the samples were in.
protocol GatheringLayer<Scalar>: Layer {
    /// The pieces that the gradient is taken in, one after the other, as ranges of the layer's parameters.
    var gradientPieces: [Range<Int>] { get }

    /// Adds a share of a piece of the parameter gradient.
    ///
    /// - Parameters:
    ///   - inputs: (samples, elements of the input).
    ///   - outputs: what came back to the output, (samples, elements of the output).
    ///   - countsBias: whether that are adjoints, whose sum the bias has, and not cotangents, which it has no part in.
    ///   - workspace: memory of the thread, for one sample.
    ///   - gradient: begins with the piece.
    func addGradient(
        ofSamples count: Int, piece: Int, _ share: WorkShare, inputs: UnsafePointer<Scalar>,
        outputs: UnsafePointer<Scalar>, countsBias: Bool, _ workspace: UnsafeMutablePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>)
}

/// What the passes of one layer share within a group of samples.
struct LayerGroup<Scalar: BitwiseCopyable> {
    /// The columns of a feature map: a multiple of 8, of which the last may be idle, or fewer than 8, of which none is.
    let sampleCount: Int
    var parameters: UnsafePointer<Scalar>
    var scratch: LayerScratch<Scalar>
    /// Memory of the thread that makes the call.
    var workspace: UnsafeMutablePointer<Scalar>
    /// What the call is to do of the pass. A layer that is one share knows no other.
    var share = WorkShare.whole
    /// The stage of the pass, where it has several.
    var stage = 0
    /// What dropout draws each sample's masks from; nil outside training.
    var dropoutStates: UnsafePointer<UInt64>?
    /// Whether convolutions are the sums that define them.
    var isExact = false
    /// Which parts of the layer's parameters are trained.
    var trainedParts: [Bool]
}

/// The input and output of a layer's forward pass.
struct LayerPoint<Scalar> {
    let input: UnsafePointer<Scalar>
    let output: UnsafePointer<Scalar>
}

/// What the penalty adds to the last pass: δ at the layer's output and ẋ at its input.
struct SecondOrder<Scalar> {
    let outputCotangent: UnsafePointer<Scalar>
    let inputTangent: UnsafePointer<Scalar>
}
