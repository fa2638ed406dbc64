/// The statistics of a group of samples that a normalisation's passes leave to the later ones.
struct NormalizationMemory<Scalar: NetworkScalar> {
    /// A pass by what it carries; two statistics of each sample and normalised group are kept of it.
    enum Pass: Int, CaseIterable {
        /// x: μ and r.
        case input
        /// M = γ δ: ⟨M⟩ and a = ⟨M x̂⟩.
        case cotangent
        /// ẋ: ⟨ẋ⟩ and b = ⟨ẋ x̂⟩.
        case tangent
        /// γ ε, whose means no other pass wants.
        case adjoint
    }

    private let sampleCount: Int
    private let groupCount: Int
    /// What is visited of the normalised groups and samples, or of the weights.
    private let share: WorkShare
    private let statistics: UnsafeMutablePointer<Scalar>

    init(
        _ scratch: LayerScratch<Scalar>, _ geometry: NormalizationGeometry, sampleCount: Int,
        _ share: WorkShare
    ) {
        self.sampleCount = sampleCount
        self.share = share
        groupCount = geometry.groupCount
        statistics = scratch.sampleStatistics.start
    }

    /// The number of statistics of so many samples.
    static func count(_ geometry: NormalizationGeometry, sampleCount: Int) -> Int {
        Pass.allCases.count * 2 * geometry.groupCount * sampleCount
    }

    /// The two statistics that a pass leaves of a normalised group of eight samples.
    @inline(__always)
    subscript(pass: Pass, group: Int, first: Int) -> (SIMD8<Scalar>, SIMD8<Scalar>) {
        get {
            let rows = rows(statistics, first)
            return (rows[row(pass, group)], rows[row(pass, group) &+ 1])
        }
        nonmutating set {
            let rows = rows(statistics, first)
            rows[row(pass, group)] = newValue.0
            rows[row(pass, group) &+ 1] = newValue.1
        }
    }

    @inline(__always)
    private func row(_ pass: Pass, _ group: Int) -> Int { 2 &* (pass.rawValue &* groupCount &+ group) }

    /// Visits every normalised group of every eight samples of the share; `first` is the first of these.
    @inline(__always)
    func forEachBlock(_ geometry: NormalizationGeometry, _ body: (_ group: Int, _ first: Int) -> Void) {
        let blockCount = (sampleCount &+ 7) / 8
        for block in share.range(of: geometry.groupCount &* blockCount) {
            body(block / blockCount, block % blockCount &* 8)
        }
    }

    /// Visits every normalised group of every eight samples with those of its weights that are the share's.
    @inline(__always)
    func forEachWeightBlock(
        _ geometry: NormalizationGeometry, _ body: (_ group: Int, _ first: Int, _ weights: Range<Int>) -> Void
    ) {
        let range = share.range(of: geometry.weightCount)
        for group in 0..<geometry.groupCount {
            let weights = geometry.weights(ofGroup: group).clamped(to: range)
            guard !weights.isEmpty else { continue }
            for first in stride(from: 0, to: sampleCount, by: 8) { body(group, first, weights) }
        }
    }

    @inline(__always)
    func rows(_ matrix: UnsafePointer<Scalar>, _ first: Int) -> SampleRows<Scalar> {
        SampleRows(matrix, sampleCount: sampleCount, first: first)
    }

    @inline(__always)
    func rows(_ matrix: UnsafeMutablePointer<Scalar>, _ first: Int) -> MutableSampleRows<Scalar> {
        MutableSampleRows(matrix, sampleCount: sampleCount, first: first)
    }
}

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

    @inline(__always)
    func rows(ofGroup group: Int) -> Range<Int> { group * rowsPerGroup..<(group + 1) * rowsPerGroup }

    @inline(__always)
    func weights(ofGroup group: Int) -> Range<Int> { group * weightsPerGroup..<(group + 1) * weightsPerGroup }

    @inline(__always)
    func rows(ofWeight index: Int) -> Range<Int> { index * rowsPerWeight..<(index + 1) * rowsPerWeight }
}
