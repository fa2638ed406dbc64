internal import FoundationEssentials
internal import RRFormats
internal import RRTensor

/// An ONNX model on disk, with the tensors that it keeps in files beside it.
final class ONNXFile {
    let path: String
    private(set) var graph: GraphProto
    /// The version of ONNX's own set of operators.
    let operatorSet: Int
    /// What wrote the file.
    let producer: String
    private var externalFiles: [String: InputFile] = [:]
    /// The paths of the files that tensors were read from, in the order of their names.
    var externalPaths: [String] {
        externalFiles.keys.sorted().map { "\(FileTree.folder(of: path))/\($0)" }
    }
    private var externalSize = 0

    /// The sets of operators that are read: what they have in common is what is served.
    static let servedOperatorSets = 13...21
    /// A protobuf message cannot be larger.
    private static let largestSize = 1 << 31 - 1
    /// The bytes of all tensors in files beside the model; several may share their bytes there.
    private static let largestExternalSize = 1 << 32

    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` or `unsupported`.
    init(path: String) throws(FormatError) {
        self.path = path
        let bytes = try FileBytes.read(path, maximumSize: Self.largestSize, takesPipe: true)
        guard !bytes.isEmpty else { throw FormatError(.malformed, path: path, "the file is empty") }
        let model = try ModelProto(bytes, path: path)
        guard !model.graph.node.isEmpty else {
            throw FormatError(.malformed, path: path, "this is no ONNX model: it has no graph of nodes")
        }
        if let function = model.functions.first {
            throw FormatError(
                .unsupported, path: path,
                "the file defines operators of its own, as \(function.name); onnx.inliner.inline_local_functions puts "
                    + "what they are made of in their place")
        }
        guard let set = model.opsetImport.first(where: { ["", "ai.onnx"].contains($0.domain) }) else {
            throw FormatError(.malformed, path: path, "the file does not say which ONNX operator set it uses")
        }
        let version = Int(set.version)
        guard Self.servedOperatorSets.contains(version) else {
            throw FormatError(
                .unsupported, path: path,
                "the file uses the operator set \(version) of ONNX; \(Self.servedOperatorSets.lowerBound) to "
                    + "\(Self.servedOperatorSets.upperBound) are read, and onnx.version_converter changes it")
        }
        graph = model.graph
        operatorSet = version
        producer = model.producerName
    }

    /// Lets go of the tensors' bytes, once all that are wanted were read.
    func releaseTensors() { graph.initializer = [] }

    /// Reads a tensor.
    ///
    /// - Parameter place: what errors call it.
    /// - Throws: `FormatError` where its elements are not those of its shape, or not to be had.
    func constant(_ tensor: TensorProto, at place: String) throws(FormatError) -> Constant {
        let location = "\(path):\(place)"
        func malformed(_ message: String) -> FormatError { FormatError(.malformed, path: location, message) }
        let dimensions = tensor.dimensions
        guard dimensions.allSatisfy({ $0 >= 0 }) else { throw malformed("has a negative extent") }
        guard let type = Constant.StoredType(rawValue: Int(tensor.dataType)) else {
            throw FormatError(
                .unsupported, path: location,
                "has elements of ONNX's type \(tensor.dataType), which are not numbers that are read")
        }
        let count: Int
        do throws(TensorError) {
            count = try TensorShape(dimensions).elementCount
        } catch {
            throw malformed("\(error)")
        }
        if tensor.isExternal {
            let bytes = try externalBytes(of: tensor, size: count * type.size, location)
            return Constant(dimensions, bytes.withUnsafeBytes(type.elements), name: tensor.name)
        }
        if !tensor.rawData.isEmpty || count == 0 {
            guard tensor.rawData.count == count * type.size else {
                throw malformed(
                    "has \(tensor.rawData.count) bytes, but its shape \(dimensions) wants \(count * type.size)"
                )
            }
            return Constant(dimensions, tensor.rawData.withUnsafeBytes(type.elements), name: tensor.name)
        }
        guard let elements = type.elements(of: tensor), elements.count == count else {
            throw malformed("has not as many elements as its shape \(dimensions) wants")
        }
        return Constant(dimensions, elements, name: tensor.name)
    }

    /// Reads the bytes of a tensor that stand in another file of the model's folder.
    private func externalBytes(
        of tensor: TensorProto, size: Int, _ location: String
    ) throws(FormatError) -> [UInt8] {
        let external = tensor.external
        func number(_ key: String, _ standard: Int) throws(FormatError) -> Int {
            guard let text = external[key] else { return standard }
            guard let number = Int(text), number >= 0 else {
                throw FormatError(.malformed, path: location, "has “\(text)” as the \(key) of its bytes")
            }
            return number
        }
        guard let name = external["location"] else {
            throw FormatError(.malformed, path: location, "is in another file, but does not say in which")
        }
        let file = try externalFile(name, location)
        let offset = try number("offset", 0)
        let length = try number("length", size)
        guard length == size else {
            throw FormatError(
                .malformed, path: location, "has \(length) bytes in \(name), but its shape wants \(size)")
        }
        guard offset <= file.size, size <= file.size - offset else {
            throw FormatError(
                .malformed, path: location,
                "lies at \(offset) in \(name) with \(size) bytes, but that file has only \(file.size)")
        }
        externalSize += size
        guard externalSize <= Self.largestExternalSize else {
            throw FormatError(
                .unsupported, path: path,
                "the tensors in files beside it have more than \(Self.largestExternalSize) bytes")
        }
        return try file.bytes(at: offset, count: size)
    }

    /// Opens a file in the model's folder, or in one inside it; no link leads out.
    private func externalFile(_ name: String, _ location: String) throws(FormatError) -> InputFile {
        if let file = externalFiles[name] { return file }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let folder = FileTree.folder(of: path)
        let whole = "\(folder)/\(name)"
        guard !name.utf8.contains(0), !name.contains("\\"),
            parts.allSatisfy({ !["", ".", ".."].contains($0) })
        else {
            throw FormatError(
                .unsupported, path: location,
                "wants its bytes from “\(name)”; only files in the model's folder are read")
        }
        guard let resolved = FileTree.resolved(whole), let resolvedFolder = FileTree.resolved(folder) else {
            throw FormatError(
                .notFound, path: whole,
                "the model keeps its weights in this file, which is not there: it has to be copied along with \(path)"
            )
        }
        guard FileTree.isInside(resolved, resolvedFolder) else {
            throw FormatError(
                .unsupported, path: location,
                "wants its bytes from “\(name)”, a link out of the model's folder; only files in it are read")
        }
        let file = try InputFile(reading: resolved)
        externalFiles[name] = file
        return file
    }
}
