/// A layer's own memory between the passes over a group; each kind of layer has what it names, and the rest is empty.
final class LayerScratch<Scalar: BitwiseCopyable> {
    /// The position that each window of a max pooling took its value from.
    let maximumPositions: Buffer<Int32>
    /// What a dropout multiplies each element by.
    let dropoutFactors: Buffer<Scalar>
    /// What a normalisation knows of each sample.
    let sampleStatistics: Buffer<Scalar>

    var byteCount: Int { maximumPositions.byteCount + dropoutFactors.byteCount + sampleStatistics.byteCount }

    init(
        maximumPositionCount: Int = 0, dropoutFactorCount: Int = 0, sampleStatisticCount: Int = 0
    ) {
        maximumPositions = Buffer(count: maximumPositionCount)
        dropoutFactors = Buffer(count: dropoutFactorCount)
        sampleStatistics = Buffer(count: sampleStatisticCount)
    }
}

/// Memory for a fixed number of elements, aligned for vector instructions; its contents start undefined.
///
/// Pages that are never written cost no memory, so a buffer that a pass does not use is free.
final class Buffer<Element: BitwiseCopyable> {
    let start: UnsafeMutablePointer<Element>
    let byteCount: Int

    init(count: Int) {
        byteCount = count * MemoryLayout<Element>.stride
        start = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
            .bindMemory(to: Element.self, capacity: max(count, 1))
    }

    deinit { UnsafeMutableRawPointer(start).deallocate() }
}
