internal import RRDatasets
internal import RRTensor

/// Masks that were read from a source, ready for a mask set.
struct ImportedMasks {
    /// A row for each annotated sample, and a last one of zeros.
    let bits: MaskBits
    /// The row of `bits` for each sample.
    let rows: [Int]
    /// The shape `(C, H, W)` of a mask.
    let shape: ImageShape
    /// The number of samples for which the source has a mask.
    let suppliedCount: Int
    /// The number of supplied masks without a 1, or without one once they are inverted.
    let emptyCount: Int
    /// The mean share of an annotated sample's elements that are 1; 0 where none is annotated.
    let meanShare: Double
    let tally: MaskTally

    var annotatedCount: Int { bits.rowCount - 1 }
}

extension ImportedMasks {
    /// Reads the masks of a source on several threads and keeps them in the order of the samples.
    ///
    /// - Throws: what the source throws.
    init(
        _ source: any MaskSource, sampleCount: Int, options: MaskImport.Options, progress: (Int, Int) -> Void
    ) throws {
        let total = source.samples.count
        let builder = try MaskSetBuilder(
            maskShape: source.maskShape, sampleCount: sampleCount, capacity: total, marks: options.marks,
            empty: options.emptyMasks)
        let block = MaskBlock(maskSize: source.maskShape.elementCount, threadCount: options.threadCount)
        var first = 0
        while first < total {
            let positions = first..<min(first + block.capacity, total)
            try block.read(positions, of: source)
            for position in positions {
                try builder.add(block[position - first], for: source.samples[position])
            }
            first = positions.upperBound
            progress(first, total)
        }
        (emptyCount, meanShare) = (builder.emptyCount, builder.meanShare)
        (bits, rows) = try builder.finish()
        shape = source.maskShape
        suppliedCount = total
        tally = source.tally
    }
}
