internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// Writes a dataset as NPY files in a folder: `images.npy`, and as far as there are any `labels.npy`, `splits.npy`,
/// `groups.npy` and `masks.npy`, `ids.npy` as text, and `export.json` with shapes and names; `ArrayImport` makes the same dataset and
/// mask set of it.
///
/// Row i of every array belongs to the same sample. Images have the type in which they are stored; masks are uint8,
/// all zero where a sample has none. `row.npy` says of each sample which of the M masks it has, M for none, as in a
/// mask set.
public struct NPYExport: Sendable {
    public let source: ExportSource
    public let output: String
    public var layout = ExportLayout.nchw
    /// Whether an earlier export is replaced.
    public var force = false

    public init(source: ExportSource, output: String) {
        self.source = source
        self.output = output
    }

    /// Exports; the same dataset makes the same files.
    ///
    /// - Parameter progress: called with the number of samples done and the number of all.
    /// - Throws: `DatasetError` with the code `checksumMismatch`; `FormatError` where a file cannot be read or written.
    ///   Nothing is left then.
    public func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> ExportSummary {
        let folder = try ExportFolder(path: output, force: force, markName: "export.json")
        let reader = SampleReader(source)
        var files: [String] = []
        var arrays: [String: JSONValue] = [:]
        func write(
            _ name: String, _ descriptor: String, _ shape: [Int], _ body: (SequentialFile) throws -> Void
        ) throws {
            let file = try SequentialFile(
                creating: folder.temporaryPath + "/" + name, path: folder.path + "/" + name)
            try file.write(NPYHeader.bytes(shape: shape, descriptor: descriptor))
            try body(file)
            try file.close()
            files.append(name)
            arrays[name] = ["descr": .string(descriptor), "shape": .array(shape.map { .integer($0) })]
        }
        let total = source.count * (source.masks == nil ? 1 : 2)
        let imageShape = [source.count] + layout.dimensions(of: source.dataset.imageShape)
        try write("images.npy", source.dataset.elementType.descriptor, imageShape) { file in
            for position in 0..<source.count {
                try file.write(reader.image(position, layout: layout))
                if position % 1024 == 1023 { progress(position + 1, total) }
            }
        }
        if let masks = source.masks {
            let shape = [source.count] + layout.dimensions(of: masks.maskShape)
            try write("masks.npy", "|u1", shape) { file in
                for position in 0..<source.count {
                    try reader.withMask(position, of: masks, layout: layout) {
                        try file.write(UnsafeRawBufferPointer($0))
                    }
                    if position % 1024 == 1023 { progress(source.count + position + 1, total) }
                }
            }
        }
        if let rows = try source.exportedMasks()?.rows {
            try write("row.npy", "<i8", [source.count]) { file in
                try rows.map { Int64($0).littleEndian }.withUnsafeBytes { try file.write($0) }
            }
        }
        if let labels = source.labels {
            try write("labels.npy", "<i8", [source.count]) { file in
                try labels.map { Int64($0).littleEndian }.withUnsafeBytes { try file.write($0) }
            }
        }
        if let splits = source.splits {
            try write("splits.npy", "|u1", [source.count]) { try $0.write(splits) }
        }
        if let groups = source.groups {
            try write("groups.npy", "<i8", [source.count]) { file in
                try groups.numbers.map { Int64($0).littleEndian }.withUnsafeBytes { try file.write($0) }
            }
        }
        let length = max(1, source.ids.lazy.map(\.unicodeScalars.count).max() ?? 1)
        try write("ids.npy", "<U\(length)", [source.count]) { file in
            for id in source.ids {
                var codes = id.unicodeScalars.map { $0.value.littleEndian }
                codes += Array(repeating: 0, count: length - codes.count)
                try codes.withUnsafeBytes { try file.write($0) }
            }
        }
        progress(total, total)
        var members = try source.markMembers()
        members["kind"] = "npy"
        members["layout"] = .string(layout.rawValue)
        members["arrays"] = .object(arrays)
        try folder.writeMark(members)
        try folder.commit()
        return ExportSummary(
            path: folder.path, sampleCount: source.count,
            annotatedCount: source.masks.map { _ in source.annotatedCount },
            masksPath: source.masks.map { _ in folder.path + "/masks.npy" }, files: files, notes: [])
    }
}

extension ExportLayout {
    /// The extents of an image or a mask in this order.
    func dimensions(of shape: ImageShape) -> [Int] {
        switch self {
        case .nchw: [shape.channels, shape.height, shape.width]
        case .nhwc: [shape.height, shape.width, shape.channels]
        }
    }
}

extension ImageElementType {
    /// NumPy's name of the type, little-endian.
    var descriptor: String {
        switch self {
        case .uint8: "|u1"
        case .uint16: "<u2"
        case .float32: "<f4"
        }
    }
}
