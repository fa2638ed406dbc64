package import RRDatasets
internal import RRFormats
internal import RRSchemas

/// The folder of NPY files that an export becomes.
final class NPYExportTarget: ArrayExportTarget {
    private let folder: ExportFolder
    private var arrays: [String: JSONValue] = [:]
    private(set) var names: [String] = []

    var path: String { folder.path }

    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    init(output: String, force: Bool) throws {
        folder = try ExportFolder(path: output, force: force, markName: "export.json")
    }

    func location(of array: ExportArray) -> String { "\(path)/\(array.name(in: .npy))" }

    private func write(
        _ array: ExportArray, _ descriptor: String, shape: [Int], _ body: (SequentialFile) throws -> Void
    ) throws {
        let name = array.name(in: .npy)
        let file = try SequentialFile(
            creating: folder.temporaryPath + "/" + name, path: location(of: array))
        try file.write(NPYHeader.bytes(shape: shape, descriptor: descriptor))
        try body(file)
        try file.close()
        names.append(name)
        arrays[name] = ["descr": .string(descriptor), "shape": .array(shape.map { .integer($0) })]
    }

    func writeRows(
        of array: ExportArray, _ type: ImageElementType, shape: [Int], _ layout: ArrayExport.Layout,
        blocks: ((UnsafeRawBufferPointer, Range<Int>) throws -> Void) throws -> Void
    ) throws {
        try write(array, type.npyDescriptor, shape: shape) { file in
            try blocks { bytes, _ in try file.write(bytes) }
        }
    }

    func writeList<Number: HDF5Element & FixedWidthInteger>(
        _ array: ExportArray, _ numbers: [Number], names: [String]?
    ) throws {
        let size = Number.bitWidth / 8
        let descriptor = (size == 1 ? "|" : "<") + (Number.isSigned ? "i" : "u") + String(size)
        try write(array, descriptor, shape: [numbers.count]) { file in
            try numbers.map(\.littleEndian).withUnsafeBytes { try file.write($0) }
        }
    }

    func writeTexts(_ array: ExportArray, _ texts: [String]) throws {
        let length = max(1, texts.lazy.map(\.unicodeScalars.count).max() ?? 1)
        try write(array, "<U\(length)", shape: [texts.count]) { file in
            for text in texts {
                var codes = text.unicodeScalars.map { $0.value.littleEndian }
                codes += Array(repeating: 0, count: length - codes.count)
                try codes.withUnsafeBytes { try file.write($0) }
            }
        }
    }

    func finish(_ mark: [String: JSONValue], sourceFingerprint: String) throws {
        var mark = mark
        mark["arrays"] = .object(arrays)
        try folder.writeMark(mark)
        try folder.commit()
    }
}

extension ImageElementType {
    /// NumPy's name of the type, little-endian.
    package var npyDescriptor: String {
        switch self {
        case .uint8: "|u1"
        case .uint16: "<u2"
        case .float32: "<f4"
        }
    }
}
