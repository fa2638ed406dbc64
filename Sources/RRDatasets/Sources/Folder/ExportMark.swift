package import RRFormats
package import RRSchemas
internal import RRTensor

/// What an export says of itself, so that its import makes the same files again.
///
/// A folder has it in `export.json`, an HDF5 file in the root attribute `export`; `content` and `masks.content` are
/// digests by which an import tells whether what it has read is what was exported.
package struct ExportMark: Sendable {
    package static let format = "rrdata.export"

    private let members: JSONValue

    /// Takes what an export says; nil where it is no export.
    ///
    /// - Throws: `DatasetError` with the code `unsupportedVersion`.
    package init?(_ members: JSONValue, path: String) throws(DatasetError) {
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
    /// - Parameter trustsLinks: whether the mark may be a symbolic link that leads out of the folder.
    /// - Throws: as `init(_:path:)` and `members(of:trustsLinks:)`.
    package init?(of folder: String, kind: String, trustsLinks: Bool = false) throws {
        guard let members = try Self.members(of: folder, trustsLinks: trustsLinks),
            members["kind"]?.stringValue == kind
        else {
            return nil
        }
        try self.init(members, path: folder)
    }

    /// The names under which a folder says what it is.
    package static let fileNames = ["export.json", ".export.json"]

    /// What an exported folder says of itself; nil where a folder is no export.
    ///
    /// - Throws: `FormatError` where the file that would say it leads out of the folder, is no file or cannot be read.
    package static func members(
        of folder: String, trustsLinks: Bool = false
    ) throws(FormatError) -> JSONValue? {
        for name in fileNames {
            guard let path = try SideFile.path(name, in: folder, within: trustsLinks ? nil : folder),
                let bytes = try bytes(of: path),
                let mark = try? JSONValue(parsing: bytes), mark["format"] == .string(format)
            else { continue }
            return mark
        }
        return nil
    }

    /// Nil for a file that is no mark.
    private static func bytes(of path: String) throws(FormatError) -> [UInt8]? {
        do {
            return try FileBytes.read(path, maximumSize: 64 << 20)
        } catch {
            // What may be a mark and cannot be read is not taken for another folder.
            guard error.code != .cannotRead else { throw error }
            return nil
        }
    }

    package var sampleCount: Int? { members["samples"]?.integerValue }
    /// The name of the layout of exported arrays.
    package var layoutName: String? { members["layout"]?.stringValue }
    /// What the exported dataset calls its channels, where images of so many can be called that: the digests do not hold
    /// it, so that anybody may have written it.
    package func color(channels: Int) -> String? {
        members["color"]?.stringValue.flatMap { color in
            color == "other" || color == Dataset.color(channels: channels) ? color : nil
        }
    }

    /// What is to be said of a colour that is not taken; nil where it is.
    package func colorRemark(channels: Int) -> Message? {
        guard let stated = members["color"], color(channels: channels) == nil else { return nil }
        return Message(
            "the export says that its color is \(stated.serialized().prefix(60)), which images of \(channels) channels cannot be: they are called \(Dataset.color(channels: channels))"
        )
    }
    /// The extents `(C, H, W)` of the exported images.
    package var imageDimensions: [Int] {
        members["image_shape"]?.arrayValue?.compactMap(\.integerValue) ?? []
    }
    package var compression: Compression? {
        (members["compress"]?.stringValue).flatMap(Compression.init(rawValue:))
    }
    package var classNames: [String]? { members["class_names"].flatMap(Self.names) }
    /// Nil where the groups are bare numbers, or there are none.
    package var groupNames: [String]? { members["group_names"].flatMap(Self.names) }
    package var splitNames: [String] { members["split_names"].flatMap(Self.names) ?? [] }
    /// The resizing that the exported dataset remembers.
    package var resizing: Resizing? {
        Self.json(members["provenance"])?["resize"].flatMap { Resizing(json: $0) }
    }
    /// The number of rows that the samples' masks had in A, without the last; nil where no masks were exported.
    package var maskCount: Int? { members["masks"]?["rows"]?.integerValue }
    /// The shape of each array by its name.
    package var arrayShapes: [String: [Int]] {
        (members["arrays"]?.objectValue ?? [:]).mapValues { array in
            array["shape"]?.arrayValue?.compactMap(\.integerValue) ?? []
        }
    }

    private static func names(_ list: JSONValue) -> [String]? { list.arrayValue?.compactMap(\.stringValue) }

    /// What the exported dataset says of its making, and calls its channels, where a dataset is what was exported; else
    /// nil.
    package func origin(of table: SampleTable, fingerprint: String, channels: Int) -> DatasetWriter.Origin? {
        guard members["content"]?.stringValue == Self.content(of: table, fingerprint: fingerprint) else {
            return nil
        }
        return Self.text(members["provenance"]).map {
            DatasetWriter.Origin(
                provenance: $0, color: color(channels: channels),
                sourceSizes: sourceSizes(count: sampleCount ?? 0))
        }
    }

    /// Heights and widths in turn, as `sourceSizes` reads them.
    package static func json(of sizes: [ImageSize]) -> JSONValue {
        .array(sizes.flatMap { [.integer($0.height), .integer($0.width)] })
    }

    /// The size of each exported image before it was resized; nil where the export says none of so many.
    private func sourceSizes(count: Int) -> [ImageSize]? {
        guard let extents = members["source_sizes"]?.arrayValue?.compactMap(\.integerValue),
            extents.count.isMultiple(of: 2), extents.count / 2 == count
        else { return nil }
        let sizes = (0..<count).map { ImageSize(height: extents[2 * $0], width: extents[2 * $0 + 1]) }
        return sizes.allSatisfy(\.isStorable) ? sizes : nil
    }

    /// The mask set's provenance as it was stored, where the masks are what was exported; else nil.
    package func maskProvenance(of masks: MaskSet) -> String? {
        guard let mark = members["masks"], mark["content"]?.stringValue == Self.content(of: masks) else {
            return nil
        }
        return Self.text(mark["provenance"])
    }

    /// Provenance is kept as JSON where it was serialised by us, else as the text that it was.
    package static func kept(_ text: String) -> JSONValue {
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
    package static func content(of table: SampleTable, fingerprint: String) -> String {
        var hasher = SHA256Hasher()
        func list(_ names: [String]?) -> JSONValue { names.map { .array($0.map { .string($0) }) } ?? .null }
        let names: JSONValue = [
            .string(fingerprint), list(table.classNames), list(table.splitNames),
        ]
        Array(names.serialized().utf8).withUnsafeBytes { hasher.update($0) }
        (table.splits ?? []).withUnsafeBytes { hasher.update($0) }
        if let groups = table.groups {
            Array(list(groups.names).serialized().utf8).withUnsafeBytes { hasher.update($0) }
            groups.numbers.map { Int64($0).littleEndian }.withUnsafeBytes { hasher.update($0) }
        }
        return hasher.finalize()
    }

    /// A digest of what a mask set holds, for which dataset it may be.
    package static func content(of masks: MaskSet) -> String {
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
