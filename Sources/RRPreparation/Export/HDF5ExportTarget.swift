internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// The HDF5 file that an export becomes.
final class HDF5ExportTarget: ArrayExportTarget {
    private let output: AtomicOutput
    private let file: HDF5File
    private var shapes: [(name: String, dimensions: [Int])] = []

    var path: String { output.path }
    var names: [String] { shapes.map(\.name) }

    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    init(output: String, force: Bool) throws {
        let output = try AtomicOutput(path: output, force: force)
        self.output = output
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
    }

    func location(of array: ExportArray) -> String { "\(path):/\(array.name(in: .hdf5))" }

    private func create(_ array: ExportArray, _ type: HDF5ElementType, shape: [Int]) throws -> HDF5Dataset {
        let name = array.name(in: .hdf5)
        shapes.append((name, shape))
        return try file.createDataset("/" + name, type: type, shape: TensorShape(shape))
    }

    func writeRows(
        of array: ExportArray, _ type: ImageElementType, shape: [Int], _ layout: ArrayExport.Layout,
        blocks: ((UnsafeRawBufferPointer, Range<Int>) throws -> Void) throws -> Void
    ) throws {
        let rows = try create(array, type.storedType, shape: shape)
        try blocks { bytes, range in
            switch type {
            case .uint8: try rows.write(bytes.assumingMemoryBound(to: UInt8.self).span, rows: range)
            case .uint16: try rows.write(bytes.assumingMemoryBound(to: UInt16.self).span, rows: range)
            case .float32: try rows.write(bytes.assumingMemoryBound(to: Float.self).span, rows: range)
            }
        }
        let dimensions = ["N"] + layout.rawValue.dropFirst().map(String.init)
        try file.setAttribute(
            "DIMENSION_LABELS", of: "/" + array.name(in: .hdf5), to: .strings(dimensions))
    }

    func writeList(
        _ array: ExportArray, _ numbers: [some HDF5Element & FixedWidthInteger], names: [String]?
    ) throws {
        let list = try create(array, type(of: numbers).Element.storedType, shape: [numbers.count])
        try list.write(numbers.span)
        if let names, let member = array.namesMember {
            try file.setAttribute(member, of: "/" + array.name(in: .hdf5), to: .strings(names))
        }
    }

    func writeTexts(_ array: ExportArray, _ texts: [String]) throws {
        let length = max(1, texts.lazy.map(\.utf8.count).max() ?? 1)
        try create(array, .fixedString(length: length), shape: [texts.count]).writeStrings { texts[$0] }
    }

    func finish(_ mark: [String: JSONValue], sourceFingerprint: String) throws {
        var mark = mark
        // The names are attributes of their arrays already.
        for array in [ExportArray.labels, .split, .group] { array.namesMember.map { mark[$0] = nil } }
        mark["arrays"] = .object(
            Dictionary(
                uniqueKeysWithValues: shapes.map { name, dimensions in
                    (name, ["shape": .array(dimensions.map { .integer($0) })])
                }))
        try file.setAttribute("format", to: .string(ExportMark.format))
        try file.setAttribute("format_version", to: .string(FileFormat.version))
        try file.setAttribute("export", to: .string(JSONValue.object(mark).serialized()))
        try file.setAttribute("creator", to: .string(Dataset.creator))
        try file.setAttribute("source_fingerprint", to: .string(sourceFingerprint))
        try file.close()
        try output.commit()
    }
}
