internal import RRExplanation
internal import RRNetworks
internal import RRTensor

/// Selects the masks of a batch from its gradients, in memory that is used again for the next batch.
final class MaskBatch<Scalar: NetworkScalar> {
    /// Takes the number of the thread, the sample's position in the batch and its gradient; several threads call it at
    /// once.
    typealias Selection = @Sendable (Int, Int, UnsafeBufferPointer<Scalar>) -> Void

    /// The elements of a mask, all of which are ranked.
    let maskSize: Int
    /// The masks of the batch, (samples, elements of a mask), 0 or 1.
    private(set) var masks: [UInt8] = []
    private(set) var outcomes: [MaskOutcome] = []
    private var selectors: [MaskSelector<Scalar>]

    /// - Parameter workerCount: the number of threads that hand over gradients.
    /// - Throws: `ExplanationError` where the selection is impossible.
    init(_ selection: MaskSelection, maskSize: Int, workerCount: Int) throws(ExplanationError) {
        try selection.check(elementCount: maskSize)
        self.maskSize = maskSize
        selectors = (0..<workerCount).map { _ in MaskSelector(selection, elementCount: maskSize) }
    }

    /// Makes the masks of a batch.
    ///
    /// - Parameters:
    ///   - count: the number of samples.
    ///   - body: hands over the gradient of each sample, which has as many elements as a mask or a multiple, whole
    ///     channels.
    func select<Failure: Error, Result>(
        count: Int, _ body: (@escaping Selection) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if outcomes.count != count {
            masks = Array(repeating: 0, count: count * maskSize)
            outcomes = Array(repeating: .zeroGradient, count: count)
        }
        let size = maskSize
        return try masks.withUnsafeMutableBufferPointer { masks throws(Failure) in
            try outcomes.withUnsafeMutableBufferPointer { outcomes throws(Failure) in
                try selectors.withUnsafeMutableBufferPointer { selectors throws(Failure) in
                    let memory = UncheckedSendable((masks, outcomes, selectors))
                    return try body { worker, position, gradient in
                        let (masks, outcomes, selectors) = memory.value
                        let mask = masks[position * size..<(position + 1) * size]
                        outcomes[position] = selectors[worker].select(
                            gradient, into: UnsafeMutableBufferPointer(rebasing: mask))
                    }
                }
            }
        }
    }
}
