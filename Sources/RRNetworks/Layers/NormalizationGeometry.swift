/// How the elements of a sample are shared out among the groups and the weights of a normalisation.
///
/// A row is one element of all samples. Groups follow each other, and so do the weights in a group.
struct NormalizationGeometry: Hashable, Sendable {
    let groupCount: Int
    let weightsPerGroup: Int
    /// The number of elements that one weight multiplies.
    let rowsPerWeight: Int

    var rowsPerGroup: Int { weightsPerGroup * rowsPerWeight }
    var weightCount: Int { groupCount * weightsPerGroup }
}

/// The statistics of a group of samples that a normalisation's passes leave to the later ones.
struct NormalizationMemory<Scalar: BitwiseCopyable> {
    /// A pass by what it carries; its two means over a normalised group are kept.
    enum Pass: Int {
        /// M = γ δ: ⟨M⟩ and a = ⟨M x̂⟩.
        case cotangent = 2
        /// ẋ: ⟨ẋ⟩ and b = ⟨ẋ x̂⟩.
        case tangent = 4
        /// γ ε, whose means no other pass wants.
        case adjoint = 6
    }

    static var blockCount: Int { 8 }
    static var sumCount: Int { 2 }

    let sampleCount: Int
    /// Two sums for each sample, in double: a group may have many thousands of elements.
    let sums: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>)
    private let statistics: UnsafeMutablePointer<Scalar>
    private let blockSize: Int

    init(_ scratch: LayerScratch<Scalar>, _ geometry: NormalizationGeometry, sampleCount: Int) {
        self.sampleCount = sampleCount
        sums = (scratch.sums.start, scratch.sums.start + sampleCount)
        statistics = scratch.statistics.start
        blockSize = geometry.groupCount * sampleCount
    }

    /// μ and r of each sample in a normalised group.
    func moments(_ group: Int) -> (mean: UnsafeMutablePointer<Scalar>, inverse: UnsafeMutablePointer<Scalar>)
    {
        let start = statistics + group &* sampleCount
        return (start, start + blockSize)
    }

    /// ⟨v⟩ and ⟨v x̂⟩ of what a pass carries, for each sample in a normalised group.
    func means(
        _ pass: Pass, _ group: Int
    ) -> (plain: UnsafeMutablePointer<Scalar>, scaled: UnsafeMutablePointer<Scalar>) {
        let start = statistics + (pass.rawValue &* blockSize &+ group &* sampleCount)
        return (start, start + blockSize)
    }

    func clearSums() {
        sums.0.update(repeating: 0, count: sampleCount)
        sums.1.update(repeating: 0, count: sampleCount)
    }
}
