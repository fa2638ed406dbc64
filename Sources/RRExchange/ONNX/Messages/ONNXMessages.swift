internal import FoundationEssentials
internal import RRFormats
internal import SwiftProtobuf

extension ModelProto {
    /// Decodes the bytes of an ONNX file.
    ///
    /// - Parameter path: the file, for errors.
    /// - Throws: `FormatError` with the code `malformed` for what is no message of ONNX, and `unsupported` where it would take
    ///   many times the file's size in memory.
    init(_ bytes: [UInt8], path: String) throws(FormatError) {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        var count = MessageCount()
        let counting = Result { try count.merge(serializedBytes: bytes, options: options) }
        guard count.count <= MessageCount.largest else {
            throw FormatError(
                .unsupported, path: path,
                "the file has more than \(MessageCount.largest) nodes, attributes and numbers beside its tensors"
            )
        }
        self.init()
        do {
            try merge(serializedBytes: bytes, options: options)
            try counting.get()
        } catch {
            // What came before the fault is there.
            let last = graph.node.last.map { $0.name.isEmpty ? "node \(graph.node.count - 1)" : $0.name }
            throw FormatError(
                .malformed, path: path,
                "this is no ONNX model, or it is damaged" + (last.map { " after “\($0.legible)”" } ?? "")
                    + ": \(Self.fault(error))")
        }
    }

    private static func fault(_ error: any Error) -> String {
        switch error as? BinaryDecodingError {
        case .truncated: "it ends in the middle of a message"
        case .invalidUTF8: "a text in it is not UTF-8"
        case .messageDepthLimit: "its messages lie too deep in each other"
        default: "it has a field of a kind that there is not"
        }
    }
}

extension NodeProto {
    /// A node that stands for the end of the graph, in errors.
    init(name: String, kind: String) {
        self.init()
        (self.name, opType) = (name, kind)
    }
}

extension TensorProto {
    var dimensions: [Int] { dims.map { Int($0) } }

    /// Whether its elements are in another file, of which `external` says where.
    var isExternal: Bool { dataLocation == 1 }

    var external: [String: String] {
        Dictionary(externalData.map { ($0.key, $0.value) }) { _, last in last }
    }

    /// The elements that are kept as whole numbers, of which each type has one of two lists.
    var integers: [Int] { int32Data.map { Int($0) } + int64Data.map { Int($0) } }
}

/// An input or an output of the graph.
extension ValueInfoProto {
    /// ONNX's number for the type of elements; nil for what is no tensor.
    var elementType: Int? { type.hasTensorType ? Int(type.tensorType.elemType) : nil }

    /// The extents, nil for those that the file leaves open; nil where it says none.
    var dimensions: [Int?]? {
        guard type.tensorType.hasShape else { return nil }
        return type.tensorType.shape.dim.map { $0.dimValue > 0 ? Int($0.dimValue) : nil }
    }
}
