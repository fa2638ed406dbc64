/// A layer's own memory between the passes over a group, and what all layers share within one pass; each kind of layer has
/// what it asks for in its `ScratchCounts`, and the rest is empty.
final class LayerScratch<Scalar: BitwiseCopyable> {
    /// The gradient of folded weights and of what is added to their sums.
    let foldedGradient: Buffer<Scalar>
    /// The weights of a convolution times a normalisation's factors, and what is added to their sums.
    let foldedWeights: Buffer<Scalar>
    /// The position that each window of a max pooling took its value from.
    let maximumPositions: Buffer<Int32>
    /// What a dropout multiplies each element by.
    let dropoutFactors: Buffer<Scalar>
    /// What a normalisation knows of each sample.
    let sampleStatistics: Buffer<Scalar>

    private init(_ counts: ScratchCounts, foldedGradient: Buffer<Scalar>) {
        self.foldedGradient = foldedGradient
        foldedWeights = Buffer(count: counts.foldedWeights)
        maximumPositions = Buffer(count: counts.maximumPositions)
        dropoutFactors = Buffer(count: counts.dropoutFactors)
        sampleStatistics = Buffer(count: counts.sampleStatistics)
    }

    /// The memory of several layers, one of which runs at a time.
    static func memory(_ counts: [ScratchCounts]) -> [LayerScratch] {
        let foldedGradient = Buffer<Scalar>(count: counts.map(\.foldedGradient).max() ?? 0)
        return counts.map { LayerScratch($0, foldedGradient: foldedGradient) }
    }

    /// The bytes of the memory of several layers.
    static func byteCount(_ counts: [ScratchCounts]) -> Int {
        let scalars = counts.reduce(counts.map(\.foldedGradient).max() ?? 0) {
            $0 + $1.foldedWeights + $1.dropoutFactors + $1.sampleStatistics
        }
        let positions = counts.reduce(0) { $0 + $1.maximumPositions }
        return scalars * MemoryLayout<Scalar>.stride + positions * MemoryLayout<Int32>.stride
    }
}

/// The elements of each memory that a layer asks for; `LayerScratch` says what each one holds.
struct ScratchCounts {
    // Used within one pass.
    var foldedGradient = 0
    // Kept from pass to pass.
    var foldedWeights = 0
    var maximumPositions = 0
    var dropoutFactors = 0
    var sampleStatistics = 0
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
