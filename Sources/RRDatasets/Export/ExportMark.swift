internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// What an export says of itself, so that its import makes the same files again.
///
/// A folder has it in `export.json`, an HDF5 file in the root attribute `export`; `content` and `masks.content` are
/// digests by which an import tells whether what it has read is what was exported.
struct ExportMark: Sendable {
    static let format = "rrdata.export"

    private let members: JSONValue

    /// Takes what an export says; nil where it is no export.
    ///
    /// - Throws: `DatasetError` with the code `unsupportedVersion`.
    init?(_ members: JSONValue, path: String) throws(DatasetError) {
        guard members["format"]?.stringValue == Self.format else { return nil }
        let version = members["format_version"]?.stringValue ?? ""
        guard FileFormat.majorVersion(of: version) == 1 else {
            throw DatasetError(
                .unsupportedVersion, path: path,
                "the export has the format version “\(version)”; this release reads version 1")
        }
        self.members = members
    }

    /// What a folder says of itself; nil where it is no export of a kind.
    ///
    /// - Throws: as `init(_:path:)`.
    init?(of folder: String, kind: String) throws(DatasetError) {
        guard let members = ExportFolder.mark(of: folder), members["kind"]?.stringValue == kind else {
            return nil
        }
        try self.init(members, path: folder)
    }

    var sampleCount: Int? { members["samples"]?.integerValue }
    var layout: ArrayLayout? { (members["layout"]?.stringValue).flatMap(ArrayLayout.init(rawValue:)) }
    /// What the exported dataset calls its channels.
    var color: String? { members["color"]?.stringValue }
    /// The extents `(C, H, W)` of the exported images.
    var imageDimensions: [Int] { members["image_shape"]?.arrayValue?.compactMap(\.integerValue) ?? [] }
    var compression: Compression? {
        (members["compress"]?.stringValue).flatMap(Compression.init(rawValue:))
    }
    var classNames: [String]? { members["class_names"].flatMap(Self.names) }
    /// Nil where the groups are bare numbers, or there are none.
    var groupNames: [String]? { members["group_names"].flatMap(Self.names) }
    var splitNames: [String] { members["split_names"].flatMap(Self.names) ?? [] }
    /// The resizing that the exported dataset remembers.
    var resizing: Resizing? { Self.json(members["provenance"])?["resize"].flatMap { Resizing(json: $0) } }
    /// The number of rows that the samples' masks had in A, without the last; nil where no masks were exported.
    var maskCount: Int? { members["masks"]?["rows"]?.integerValue }
    /// The shape of each array by its name.
    var arrayShapes: [String: [Int]] {
        (members["arrays"]?.objectValue ?? [:]).mapValues { array in
            array["shape"]?.arrayValue?.compactMap(\.integerValue) ?? []
        }
    }

    private static func names(_ list: JSONValue) -> [String]? { list.arrayValue?.compactMap(\.stringValue) }

    /// The dataset's provenance as it was stored, where the content is what was exported; else nil.
    func provenance(of content: String) -> String? {
        guard members["content"]?.stringValue == content else { return nil }
        return Self.text(members["provenance"])
    }

    /// The mask set's provenance as it was stored, where the masks are what was exported; else nil.
    func maskProvenance(of masks: MaskSet) -> String? {
        guard let mark = members["masks"], mark["content"]?.stringValue == Self.content(of: masks) else {
            return nil
        }
        return Self.text(mark["provenance"])
    }

    /// Provenance is kept as JSON where it was serialised by us, else as the text that it was.
    static func kept(_ text: String) -> JSONValue {
        guard let value = try? JSONValue(parsing: text), value.objectValue != nil,
            value.serialized() == text
        else { return .string(text) }
        return value
    }

    private static func text(_ kept: JSONValue?) -> String? {
        guard let kept, kept != .null else { return nil }
        return kept.stringValue ?? kept.serialized()
    }

    private static func json(_ kept: JSONValue?) -> JSONValue? {
        text(kept).flatMap { try? JSONValue(parsing: $0) }
    }

    /// A digest of what a dataset holds: its fingerprint, and what that leaves out.
    static func content(
        fingerprint: String, classNames: [String]?, splits: [UInt8]?, splitNames: [String],
        groups: SampleGroups?
    ) -> String {
        var hasher = SHA256Hasher()
        func list(_ names: [String]?) -> JSONValue { names.map { .array($0.map { .string($0) }) } ?? .null }
        let names: JSONValue = [.string(fingerprint), list(classNames), list(splitNames)]
        Array(names.serialized().utf8).withUnsafeBytes { hasher.update($0) }
        (splits ?? []).withUnsafeBytes { hasher.update($0) }
        if let groups {
            Array(list(groups.names).serialized().utf8).withUnsafeBytes { hasher.update($0) }
            groups.numbers.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        }
        return hasher.finalize()
    }

    /// A digest of what a mask set holds, for which dataset it may be.
    static func content(of masks: MaskSet) -> String {
        var hasher = SHA256Hasher()
        let numbers = masks.maskShape.dimensions + [masks.bits.rowCount] + masks.rows
        numbers.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        let row = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: masks.maskShape.elementCount)
        defer { row.deallocate() }
        for number in 0..<masks.bits.rowCount {
            masks.bits.expandRow(number, into: row)
            hasher.update(UnsafeRawBufferPointer(row))
        }
        return hasher.finalize()
    }
}

extension ExportSource {
    /// What every export says of its source, beside its kind and its arrays.
    ///
    /// - Throws: `FormatError` where the dataset cannot be read any more.
    func markMembers() throws -> [String: JSONValue] {
        let known = try dataset.checksums()
        let checksums = indices.map { known[$0] }
        let fingerprint = DatasetFingerprint.compute(
            ids: ids, labels: labels, imageShape: dataset.imageShape, checksums: checksums)
        var members: [String: JSONValue] = try [
            "creator": .string(Dataset.creator), "fingerprint": .string(dataset.fingerprint),
            "samples": .integer(count), "color": .string(dataset.color),
            "image_shape": .array(dataset.imageShape.dimensions.map { .integer($0) }),
            "element_type": .string(dataset.elementType.rawValue),
            "compress": .string(dataset.compression().rawValue),
            "content": .string(
                ExportMark.content(
                    fingerprint: fingerprint, classNames: labels == nil ? nil : dataset.classNames,
                    splits: splits, splitNames: splitNames, groups: groups)),
        ]
        members["provenance"] = try dataset.provenanceText().map(ExportMark.kept)
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
        var bits = try MaskBits(rowCount: used.count + 1, elementsPerRow: masks.maskShape.elementCount)
        for (number, row) in used.enumerated() { bits.formUnion(row: number, with: masks.bits, row: row) }
        return try MaskSet(
            bits: bits, rows: indices.map { numbers[masks.rows[$0]] ?? used.count },
            maskShape: masks.maskShape, datasetFingerprint: masks.datasetFingerprint, path: "masks",
            provenance: masks.provenance)
    }
}
