internal import RRTensor

extension MaskSet {
    /// Joins two mask sets for one dataset: a 1 in either is a 1.
    ///
    /// - Throws: `DatasetError` with the code `otherDataset`, or `wrongMaskSize` where the shapes of masks differ.
    public func union(_ other: MaskSet) throws -> MaskSet {
        try check(matches: other)
        let annotated = (0..<sampleCount).filter { isAnnotated($0) || other.isAnnotated($0) }
        var bits = try MaskBits(rowCount: annotated.count + 1, elementsPerRow: maskShape.elementCount)
        var rows = Array(repeating: annotated.count, count: sampleCount)
        for (row, index) in annotated.enumerated() {
            rows[index] = row
            bits.formUnion(row: row, with: self.bits, row: self.rows[index])
            bits.formUnion(row: row, with: other.bits, row: other.rows[index])
        }
        return try MaskSet(
            bits: bits, rows: rows, maskShape: maskShape, datasetFingerprint: datasetFingerprint)
    }

    /// The number of ones in the masks of all samples.
    public var oneCount: Int { rows.reduce(0) { $0 + bits.count(row: $1) } }

    /// The number of ones that the masks of all samples have in common with those of another set.
    ///
    /// - Throws: as `union(_:)`.
    package func commonOneCount(with other: MaskSet) throws -> Int {
        // |a ∩ b| = |a| + |b| − |a ∪ b|
        try oneCount + other.oneCount - union(other).oneCount
    }

    private func check(matches other: MaskSet) throws(DatasetError) {
        guard other.datasetFingerprint == datasetFingerprint, other.sampleCount == sampleCount else {
            throw DatasetError(.otherDataset, path: "masks", "the masks to join are for different datasets")
        }
        guard other.maskShape == maskShape else {
            throw DatasetError(
                .wrongMaskSize, path: "masks",
                "masks of \(maskShape) and of \(other.maskShape) cannot be joined")
        }
    }
}
