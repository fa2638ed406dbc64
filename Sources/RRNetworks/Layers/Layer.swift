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

    /// The parameters in the order in which they lie in memory, named as PyTorch names them.
    var parameters: [ParameterSpecification] { get }

    /// The memory that the passes over one group share, for at most `capacity` samples.
    func makeScratch(capacity: Int) -> LayerScratch<Scalar>

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>)

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>)

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>)

    /// Adds the parameter gradient to `parameterGradient`, and writes εx where the layer before wants it.
    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>)
}

/// What the passes of one layer share within a group of samples.
struct LayerGroup<Scalar: BitwiseCopyable> {
    /// The columns of a feature map, a multiple of 16; the last of them may be idle.
    let sampleCount: Int
    let parameters: UnsafePointer<Scalar>
    let scratch: LayerScratch<Scalar>
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

/// A layer's own memory between the passes over a group.
final class LayerScratch<Scalar: BitwiseCopyable> {
    /// The weights of a convolution in the order in which it reads them.
    let packed: Buffer<Scalar>
    /// The sums of a convolution's weight gradient, lane by lane.
    let sums: Buffer<Scalar>
    /// The columns that a convolution under a stride folds.
    let columns: Buffer<Scalar>
    /// The position that each window of a max pooling took its value from.
    let sources: Buffer<Int32>

    init(packedCount: Int = 0, sumCount: Int = 0, columnCount: Int = 0, sourceCount: Int = 0) {
        packed = Buffer(count: packedCount)
        sums = Buffer(count: sumCount)
        columns = Buffer(count: columnCount)
        sources = Buffer(count: sourceCount)
    }
}

/// Memory for a fixed number of elements, aligned for vector instructions; its contents start undefined.
///
/// Pages that are never written cost no memory, so a buffer that a pass does not use is free.
final class Buffer<Element: BitwiseCopyable> {
    let start: UnsafeMutablePointer<Element>

    init(count: Int) {
        let bytes = max(count, 1) * MemoryLayout<Element>.stride
        start = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: Element.self, capacity: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(start).deallocate() }
}
