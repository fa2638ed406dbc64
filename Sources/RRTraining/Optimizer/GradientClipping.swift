internal import RRNetworks
internal import RRTensor

/// The bound on a gradient's Euclidean norm, as PyTorch's `torch.nn.utils.clip_grad_norm_`.
enum GradientClipping {
    private static let blockSize = 1 << 14

    /// Multiplies the gradient by bound / (norm + 1e-6) where that is below 1.
    ///
    /// The norm is over the ranges alone. It is added up in the order of their blocks, so the number of threads
    /// has no effect on it.
    ///
    /// - Returns: the norm before clipping.
    @discardableResult
    static func clip<Scalar: NetworkScalar>(
        _ gradient: UnsafeMutableBufferPointer<Scalar>, over ranges: [Range<Int>], to bound: Double,
        workers: Workers
    ) -> Double {
        let blocks = ranges.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: blockSize).map {
                $0..<min($0 + blockSize, range.upperBound)
            }
        }
        var squares = Array(repeating: 0.0, count: blocks.count)
        squares.withUnsafeMutableBufferPointer { squares in
            let memory = UncheckedSendable((gradient, squares))
            workers.run(parts: blocks.count) { _, block in
                let (gradient, squares) = memory.value
                squares[block] = sumOfSquares(UnsafeBufferPointer(gradient), blocks[block])
            }
        }
        let norm = squares.reduce(0, +).squareRoot()
        let factor = bound / (norm + 1e-6)
        // Not a number where the gradient has one: the loss of the next step then tells.
        guard factor < 1 else { return norm }
        let memory = UncheckedSendable(gradient)
        workers.run(parts: blocks.count) { _, block in
            scale(memory.value, blocks[block], by: Scalar(factor))
        }
        return norm
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private static func sumOfSquares<Scalar: NetworkScalar>(
        _ values: UnsafeBufferPointer<Scalar>, _ range: Range<Int>
    ) -> Double {
        var sum = 0.0
        for index in range { sum += Double(values[index]) * Double(values[index]) }
        return sum
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private static func scale<Scalar: NetworkScalar>(
        _ values: UnsafeMutableBufferPointer<Scalar>, _ range: Range<Int>, by factor: Scalar
    ) {
        for index in range { values[index] *= factor }
    }
}
