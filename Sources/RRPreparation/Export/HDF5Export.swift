internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Writes a dataset as plain arrays of an HDF5 file for other programs: `/images`, `/ids`, and as far as there are any
/// `/labels`, `/split`, `/group` and `/masks`, from which `ArrayImport` makes the same dataset and mask set.
///
/// Row i of every array belongs to the same sample; masks are uint8, all zero where a sample has none. `/row` says of
/// each sample which of the M masks it has, M for none, as in a mask set. Names of classes and splits are the
/// attributes `class_names`, `split_names` and `group_names`, as in our own datasets; the root attribute `export` is JSON for the
/// import.
public struct HDF5Export: Sendable {
    public let source: ExportSource
    public let output: String
    public var layout = ExportLayout.nchw
    /// Whether a file at `output` is replaced.
    public var force = false

    public init(source: ExportSource, output: String) {
        self.source = source
        self.output = output
    }

    /// Exports; the same dataset makes the same bytes.
    ///
    /// - Parameter progress: called with the number of samples done and the number of all.
    /// - Throws: `DatasetError` with the code `checksumMismatch`; `FormatError` where a file cannot be read or written.
    ///   Nothing is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ExportSummary {
        let output = try AtomicOutput(path: output, force: force)
        let file = try HDF5File(creating: output)
        let total = source.count * (source.masks == nil ? 1 : 2)
        switch source.dataset.elementType {
        case .uint8: try writeImages(to: file, as: UInt8.self) { progress($0, total) }
        case .uint16: try writeImages(to: file, as: UInt16.self) { progress($0, total) }
        case .float32: try writeImages(to: file, as: Float.self) { progress($0, total) }
        }
        let dimensions = layout == .nchw ? ["N", "C", "H", "W"] : ["N", "H", "W", "C"]
        try file.setAttribute("DIMENSION_LABELS", of: "/images", to: .strings(dimensions))
        var names = ["images"]
        if let masks = source.masks {
            try writeMasks(masks, to: file) { progress(source.count + $0, total) }
            try file.setAttribute("DIMENSION_LABELS", of: "/masks", to: .strings(dimensions))
            let rows = try source.exportedMasks()?.rows ?? []
            try writeList("/row", rows.map { Int64($0) }, to: file)
            names += ["masks", "row"]
        }
        if let labels = source.labels {
            try writeList("/labels", labels.map { Int64($0) }, to: file)
            if let classNames = source.dataset.classNames {
                try file.setAttribute("class_names", of: "/labels", to: .strings(classNames))
            }
            names.append("labels")
        }
        if let splits = source.splits {
            try writeList("/split", splits, to: file)
            try file.setAttribute("split_names", of: "/split", to: .strings(source.splitNames))
            names.append("split")
        }
        if let groups = source.groups {
            try writeList("/group", groups.numbers.map { Int64($0) }, to: file)
            if let groupNames = groups.names {
                try file.setAttribute("group_names", of: "/group", to: .strings(groupNames))
            }
            names.append("group")
        }
        let length = max(1, source.ids.lazy.map(\.utf8.count).max() ?? 1)
        try file.createDataset(
            "/ids", type: .fixedString(length: length), shape: TensorShape([source.count])
        ).writeStrings(source.ids)
        names.append("ids")
        var mark = try source.markMembers()
        // The names are attributes of their arrays already.
        (mark["class_names"], mark["split_names"], mark["group_names"]) = (nil, nil, nil)
        mark["kind"] = "hdf5"
        mark["layout"] = .string(layout.rawValue)
        var arrays: [String: JSONValue] = [:]
        for name in names {
            let shape = try file.dataset("/" + name).shape
            arrays[name] = ["shape": .array(shape.dimensions.map { .integer($0) })]
        }
        mark["arrays"] = .object(arrays)
        try file.setAttribute("format", to: .string(ExportMark.format))
        try file.setAttribute("format_version", to: .string(FileFormat.version))
        try file.setAttribute("export", to: .string(JSONValue.object(mark).serialized()))
        try file.setAttribute("creator", to: .string(Dataset.creator))
        try file.setAttribute("source_fingerprint", to: .string(try source.dataset.fingerprint))
        try file.close()
        try output.commit()
        return ExportSummary(
            path: output.path, sampleCount: source.count,
            annotatedCount: source.masks.map { _ in source.annotatedCount },
            masksPath: source.masks.map { _ in output.path + ":/masks" }, files: names, notes: [])
    }

    private func writeImages<Element: HDF5Element>(
        to file: HDF5File, as type: Element.Type, progress: (Int) -> Void
    ) throws {
        let shape = source.dataset.imageShape
        let array = try file.createDataset(
            "/images", type: Element.storedType,
            shape: TensorShape([source.count] + layout.dimensions(of: shape)))
        let reader = SampleReader(source)
        try writeRows(of: array, rowSize: shape.elementCount, as: type, progress: progress) { position in
            try reader.image(position, layout: layout).bindMemory(to: type)
        }
    }

    private func writeMasks(_ masks: MaskSet, to file: HDF5File, progress: (Int) -> Void) throws {
        let array = try file.createDataset(
            "/masks", type: .uint8,
            shape: TensorShape([source.count] + layout.dimensions(of: masks.maskShape)))
        let reader = SampleReader(source)
        try writeRows(
            of: array, rowSize: masks.maskShape.elementCount, as: UInt8.self, progress: progress
        ) { position in
            reader.withMask(position, of: masks, layout: layout) { $0 }
        }
    }

    /// Writes rows some megabytes at a time.
    private func writeRows<Element: HDF5Element>(
        of array: HDF5Dataset, rowSize: Int, as type: Element.Type, progress: (Int) -> Void,
        row: (Int) throws -> UnsafeBufferPointer<Element>
    ) throws {
        let rowsAtATime = max(1, (4 << 20) / (rowSize * MemoryLayout<Element>.stride))
        var block: [Element] = []
        for start in stride(from: 0, to: source.count, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, source.count)
            block.removeAll(keepingCapacity: true)
            for position in rows { block.append(contentsOf: try row(position)) }
            try block.withUnsafeBufferPointer { block in
                Result { try array.write(block, rows: rows) }
            }.get()
            progress(rows.upperBound)
        }
    }

    private func writeList<Element: HDF5Element>(
        _ name: String, _ elements: [Element], to file: HDF5File
    ) throws {
        let list = try file.createDataset(
            name, type: Element.storedType, shape: TensorShape([elements.count]))
        try elements.withUnsafeBufferPointer { elements in
            Result { try list.write(elements, rows: 0..<elements.count) }
        }.get()
    }
}
