/// A layer's own memory between the passes over a group.
final class LayerScratch<Scalar: BitwiseCopyable> {
    /// The weights of a convolution in the order in which it reads them.
    let packed: Buffer<Scalar>
    /// The sums of a convolution's weight gradient, lane by lane.
    let weightSums: Buffer<Scalar>
    /// The columns that a convolution under a stride folds.
    let columns: Buffer<Scalar>
    /// The position that each window of a max pooling took its value from.
    let sources: Buffer<Int32>
    /// What a dropout multiplies each element by.
    let factors: Buffer<Scalar>
    /// What a normalisation knows of each sample.
    let statistics: Buffer<Scalar>
    /// The scratch of the layers inside this one.
    let nested: [LayerScratch<Scalar>]
    /// What lies between the layers inside this one.
    let features: [FeatureBuffers<Scalar>]
    /// What a layer with layers inside it forgets between two of them.
    let spares: [Buffer<Scalar>]

    init(
        packedCount: Int = 0, weightSumCount: Int = 0, columnCount: Int = 0, sourceCount: Int = 0,
        factorCount: Int = 0, statisticCount: Int = 0, nested: [LayerScratch<Scalar>] = [],
        featureCounts: [Int] = [],
        spareCounts: [Int] = []
    ) {
        packed = Buffer(count: packedCount)
        weightSums = Buffer(count: weightSumCount)
        columns = Buffer(count: columnCount)
        sources = Buffer(count: sourceCount)
        factors = Buffer(count: factorCount)
        statistics = Buffer(count: statisticCount)
        self.nested = nested
        features = featureCounts.map(FeatureBuffers.init(count:))
        spares = spareCounts.map(Buffer.init(count:))
    }
}

/// A feature map of a group of samples, and what the passes carry at its place.
struct FeatureBuffers<Scalar: BitwiseCopyable> {
    /// z.
    let value: Buffer<Scalar>
    /// δ.
    let cotangent: Buffer<Scalar>
    /// ẋ of the layer after.
    let tangent: Buffer<Scalar>

    init(count: Int) {
        value = Buffer(count: count)
        cotangent = Buffer(count: count)
        tangent = Buffer(count: count)
    }
}
