internal import RRFormats
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

extension MaskSet {
    /// Opens mask sets for a dataset, or for the files that it joins, each for the one whose fingerprint it has.
    ///
    /// - Throws: as `init(path:for:)`; `DatasetError` with the code `duplicateMask` where two are for the same file, or
    ///   `wrongMaskSize` where some have a channel for each of the image's and others one for all.
    public static func joining(_ paths: [String], for dataset: Dataset) throws -> MaskSet? {
        guard let first = paths.first else { return nil }
        if paths.count == 1, let whole = try? MaskSet(path: first, for: dataset) { return whole }
        guard !dataset.parts.isEmpty else {
            guard paths.count == 1 else {
                throw DatasetError(
                    .duplicateMask, path: paths[1], "the dataset has one file, and masks in \(first)")
            }
            return try MaskSet(path: first, for: dataset)
        }
        var sets: [Int: MaskSet] = [:]
        for path in paths {
            let part = dataset.parts.indices.first {
                (try? MaskSet(path: path, for: dataset.parts[$0])) != nil
            }
            // Of no part, or damaged: the first part says what is wrong.
            let number = part ?? 0
            let set = try MaskSet(path: path, for: dataset.parts[number])
            guard sets.updateValue(set, forKey: number) == nil else {
                throw DatasetError(
                    .duplicateMask, path: path,
                    "\(dataset.parts[number].path) has masks in another file already")
            }
        }
        guard let shape = sets.values.first?.maskShape, sets.values.allSatisfy({ $0.maskShape == shape })
        else {
            throw DatasetError(.wrongMaskSize, path: first, "some masks have one channel and others several")
        }
        let rowCount = sets.values.reduce(1) { $0 + $1.bits.rowCount - 1 }
        var bits = try MaskBits(rowCount: 0, elementsPerRow: shape.elementCount)
        bits.reserve(rowCount: rowCount)
        var rows: [Int] = []
        for (number, part) in dataset.parts.enumerated() {
            guard let set = sets[number] else {
                rows += Array(repeating: rowCount - 1, count: part.sampleCount)
                continue
            }
            let (first, last) = (bits.rowCount, set.bits.rowCount - 1)
            bits.append(rows: 0..<last, of: set.bits)
            rows += set.rows.map { $0 == last ? rowCount - 1 : first + $0 }
        }
        bits.appendRow()
        return try MaskSet(
            bits: bits, rows: rows, maskShape: shape, datasetFingerprint: try dataset.fingerprint)
    }
}
