internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Writes a dataset as plain arrays for other programs, from which `ArrayImport` makes the same dataset and mask set.
///
/// There are images, ids, and as far as the dataset has any labels, splits, groups and masks. Row i of every array
/// belongs to the same sample. Images have the type in which they are stored; masks are uint8, all zero where a sample
/// has none, and an array of rows says of each sample which of the M masks it has, M for none, as in a mask set.
public struct ArrayExport: Sendable {
    /// What holds the arrays.
    public enum Format: String, Sendable, CaseIterable {
        /// An HDF5 file: `/images`, `/ids`, `/labels`, `/split`, `/group`, `/masks` and `/row`. Names of classes, splits
        /// and groups are the attributes `class_names`, `split_names` and `group_names`, as in our own datasets; the
        /// root attribute `export` is JSON for the import.
        case hdf5
        /// A folder of NPY files: `images.npy`, `ids.npy` as text, `labels.npy`, `splits.npy`, `groups.npy`, `masks.npy`
        /// and `row.npy`, with shapes and names in `export.json`.
        case npy
    }

    /// The order of the dimensions of images and masks.
    public enum Layout: String, Sendable, CaseIterable {
        case nchw = "NCHW"
        case nhwc = "NHWC"
    }

    public let source: ExportSource
    public let format: Format
    public let output: String
    public var layout = Layout.nchw
    /// Whether a file, or an earlier export, at `output` is replaced.
    public var force = false

    public init(source: ExportSource, format: Format, output: String) {
        self.source = source
        self.format = format
        self.output = output
    }

    /// Exports; the same dataset makes the same bytes.
    ///
    /// - Parameter progress: called with the number of rows done and the number of all.
    /// - Throws: `DatasetError` with the code `checksumMismatch`; `FormatError` where a file cannot be read or written.
    ///   Nothing is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ExportSummary {
        let target: any ArrayExportTarget =
            switch format {
            case .hdf5: try HDF5ExportTarget(output: output, force: force)
            case .npy: try NPYExportTarget(output: output, force: force)
            }
        let total = source.count * (source.masks == nil ? 1 : 2)
        try writeImages(to: target) { progress($0, total) }
        if let masks = source.masks {
            try write(masks, to: target) { progress(source.count + $0, total) }
        }
        try writeLists(to: target)
        var mark = try source.markMembers()
        mark["kind"] = .string(format.rawValue)
        mark["layout"] = .string(layout.rawValue)
        try target.finish(mark, sourceFingerprint: source.dataset.fingerprint)
        return ExportSummary(
            path: target.path, sampleCount: source.count,
            annotatedCount: source.masks.map { _ in source.annotatedCount },
            masksPath: source.masks.map { _ in target.location(of: .masks) }, files: target.names, notes: [])
    }

    private func writeImages(to target: any ArrayExportTarget, progress: (Int) -> Void) throws {
        let (shape, type) = (source.dataset.imageShape, source.dataset.elementType)
        let reader = SampleReader(source)
        let rowSize = shape.elementCount * type.size
        try target.writeRows(
            of: .images, type, shape: [source.count] + layout.dimensions(of: shape), layout
        ) { write in
            try forEachBlock(rowSize: rowSize, progress: progress, write) { position, row in
                row.copyMemory(from: try reader.image(position, layout: layout))
            }
        }
    }

    private func write(
        _ masks: MaskSet, to target: any ArrayExportTarget, progress: (Int) -> Void
    ) throws {
        let shape = masks.maskShape
        let reader = SampleReader(source)
        try target.writeRows(
            of: .masks, .uint8, shape: [source.count] + layout.dimensions(of: shape), layout
        ) { write in
            try forEachBlock(rowSize: shape.elementCount, progress: progress, write) { position, row in
                reader.withMask(position, of: masks, layout: layout) {
                    row.copyMemory(from: UnsafeRawBufferPointer($0))
                }
            }
        }
    }

    /// Gathers rows some megabytes at a time, and hands each block on.
    private func forEachBlock(
        rowSize: Int, progress: (Int) -> Void,
        _ write: (UnsafeRawBufferPointer, Range<Int>) throws -> Void,
        fill: (Int, UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        let rowsAtATime = min(source.count, max(1, (4 << 20) / rowSize))
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: rowsAtATime * rowSize, alignment: 64)
        defer { block.deallocate() }
        for start in stride(from: 0, to: source.count, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, source.count)
            for (place, position) in rows.enumerated() {
                let row = UnsafeMutableRawBufferPointer(
                    rebasing: block[place * rowSize..<(place + 1) * rowSize])
                try fill(position, row)
            }
            try write(UnsafeRawBufferPointer(rebasing: block[..<(rows.count * rowSize)]), rows)
            progress(rows.upperBound)
        }
    }

    /// Writes what belongs to the samples beside their images and masks.
    private func writeLists(to target: any ArrayExportTarget) throws {
        if let rows = try source.exportedMasks()?.rows {
            try target.writeList(.row, rows.map { Int64($0) }, names: nil)
        }
        if let labels = source.labels {
            try target.writeList(.labels, labels.map { Int64($0) }, names: source.dataset.classNames)
        }
        if let splits = source.splits {
            try target.writeList(.split, splits, names: source.splitNames)
        }
        if let groups = source.groups {
            try target.writeList(.group, groups.numbers.map { Int64($0) }, names: groups.names)
        }
        try target.writeTexts(.ids, source.ids)
    }
}

extension ArrayExport.Layout {
    /// The extents of an image or a mask in this order.
    func dimensions(of shape: ImageShape) -> [Int] {
        switch self {
        case .nchw: [shape.channels, shape.height, shape.width]
        case .nhwc: [shape.height, shape.width, shape.channels]
        }
    }
}

/// An array of an export, by what it holds.
enum ExportArray: String {
    case images, labels, masks, row, ids, split, group

    /// What the array is called in an HDF5 file, and its file in a folder.
    func name(in format: ArrayExport.Format) -> String {
        switch format {
        case .hdf5: rawValue
        case .npy: rawValue + (self == .split || self == .group ? "s" : "") + ".npy"
        }
    }

    /// What the names of its numbers are called, in the attributes of the array or in the export's mark.
    var namesMember: String? {
        switch self {
        case .labels: "class_names"
        case .split: "split_names"
        case .group: "group_names"
        case .images, .masks, .row, .ids: nil
        }
    }
}

/// Takes the arrays of an export one after another, and becomes a file or a folder that is whole or absent.
protocol ArrayExportTarget: AnyObject {
    /// What there will be.
    var path: String { get }
    /// The names of the arrays that were written.
    var names: [String] { get }

    func location(of array: ExportArray) -> String

    /// Writes images or masks, whose rows come block by block from first to last.
    ///
    /// - Parameter blocks: is called once, with what takes the bytes of a block of rows.
    func writeRows(
        of array: ExportArray, _ type: ImageElementType, shape: [Int], _ layout: ArrayExport.Layout,
        blocks: ((UnsafeRawBufferPointer, Range<Int>) throws -> Void) throws -> Void
    ) throws

    /// Writes a number for each sample.
    ///
    /// - Parameter names: what the numbers are called; nil where they are bare.
    func writeList(
        _ array: ExportArray, _ numbers: [some HDF5Element & FixedWidthInteger], names: [String]?) throws

    /// Writes a text for each sample.
    func writeTexts(_ array: ExportArray, _ texts: [String]) throws

    /// Writes what the export says of itself, and gives it its name.
    func finish(_ mark: [String: JSONValue], sourceFingerprint: String) throws
}
