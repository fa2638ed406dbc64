internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

extension ExportSource {
    /// What every export says of its source, beside its kind and its arrays.
    ///
    /// - Throws: `FormatError` where the dataset cannot be read any more.
    func markMembers() throws -> [String: JSONValue] {
        let known = try dataset.checksums()
        let checksums = indices.map { known[$0] }
        let fingerprint = DatasetFingerprint.compute(
            id: { ids[$0] }, labels: labels, imageShape: dataset.imageShape, checksums: checksums)
        var members: [String: JSONValue] = try [
            "creator": .string(Dataset.creator), "fingerprint": .string(dataset.fingerprint),
            "samples": .integer(count), "color": .string(dataset.color),
            "image_shape": .array(dataset.imageShape.dimensions.map { .integer($0) }),
            "element_type": .string(dataset.elementType.rawValue),
            "compress": .string(dataset.compression().rawValue),
            "content": .string(
                ExportMark.content(
                    of: SampleTable(
                        classNames: labels == nil ? nil : dataset.classNames, splits: splits,
                        splitNames: splitNames, groups: groups), fingerprint: fingerprint)),
        ]
        members["provenance"] = try dataset.provenanceText().map(ExportMark.kept)
        if let sizes = dataset.sourceSizes {
            members["source_sizes"] = ExportMark.json(of: indices.map { sizes[$0] })
        }
        if labels != nil {
            members["class_names"] = dataset.classNames.map { .array($0.map { .string($0) }) }
        }
        members["group_names"] = groups?.names.map { .array($0.map { .string($0) }) }
        if !splitNames.isEmpty { members["split_names"] = .array(splitNames.map { .string($0) }) }
        if let masks = try exportedMasks() {
            var mask: [String: JSONValue] = [
                "rows": .integer(masks.bits.rowCount - 1),
                "shape": .array(masks.maskShape.dimensions.map { .integer($0) }),
                "content": .string(ExportMark.content(of: masks)),
            ]
            mask["provenance"] = masks.provenance.map(ExportMark.kept)
            members["masks"] = .object(mask)
        }
        return members
    }

    /// The masks of the exported samples, without rows of A that none of them uses; nil without masks.
    func exportedMasks() throws -> MaskSet? {
        guard let masks else { return nil }
        let last = masks.bits.rowCount - 1
        let used = Set(indices.map { masks.rows[$0] }).subtracting([last]).sorted()
        if used.count == last, indices.count == masks.sampleCount { return masks }
        let numbers = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
        var bits = try MaskBits(rowCount: 0, elementsPerRow: masks.maskShape.elementCount)
        for row in used { bits.append(rows: row..<row + 1, of: masks.bits) }
        bits.appendRow()
        return try MaskSet(
            bits: bits, rows: indices.map { numbers[masks.rows[$0]] ?? used.count },
            maskShape: masks.maskShape, datasetFingerprint: masks.datasetFingerprint, path: "masks",
            provenance: masks.provenance)
    }
}

extension ExportMark {
    var layout: ArrayLayout? { layoutName.flatMap(ArrayLayout.init(rawValue:)) }
}
