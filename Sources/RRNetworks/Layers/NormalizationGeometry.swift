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
