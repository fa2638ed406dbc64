internal import RRTensor

/// The named tensors of a network, as PyTorch's `state_dict()` gives them, whose elements are read when they are asked
/// for.
package struct StateDict: Sendable {
    /// A tensor.
    package struct Entry: Sendable, Hashable {
        package let name: String
        package let shape: [Int]
        package let type: SafeTensorType
    }

    /// Where the elements are.
    enum Elements: Sendable {
        case loaded([SafeTensor])
        /// By the names of the entries, and opened anew for each: what nobody asks for takes no memory.
        case arrays(NPZFile)
        case pyTorch(PyTorchFile, [PickleTensor])
    }

    /// The tensors in the order of the file, no two of one name.
    package let entries: [Entry]
    /// The names of the dictionaries that it lies in, from the outermost; none where it is the whole of the file.
    package let place: [String]
    /// The names of what lies beside it, or beside the dictionaries that it lies in, and is not read.
    package let others: [String]
    private let elements: Elements

    init(_ entries: [Entry], _ elements: Elements, place: [String] = [], others: [String] = []) {
        self.entries = entries
        self.place = place
        self.others = others
        self.elements = elements
    }

    /// Refuses two tensors of one name, which a ZIP file and a pickle can hold; a safetensors header that does is refused
    /// as it is read.
    ///
    /// - Throws: `FormatError` with the code `malformed`.
    func checkNames(path: String) throws(FormatError) {
        var names: Set<String> = []
        for entry in entries where !names.insert(entry.name).inserted {
            throw FormatError(.malformed, path: path, "the file holds the tensor \(entry.name) twice")
        }
    }

    /// Reads tensors.
    ///
    /// - Parameter names: what each of `entries` is to be called; nil for one that is not wanted.
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    package func tensors(named names: [String?]) throws(FormatError) -> [SafeTensor] {
        var read: [SafeTensor] = []
        // Tensors that share a storage mostly follow each other.
        var latest: (storage: Int, elements: [UInt8])?
        for (position, name) in names.enumerated() {
            guard let name else { continue }
            let bytes: [UInt8]
            switch elements {
            case .loaded(let tensors): bytes = tensors[position].bytes
            case .arrays(let file): bytes = try Self.bytes(of: file.array(entries[position].name))
            case .pyTorch(let file, let tensors):
                let tensor = tensors[position]
                let elements =
                    if let latest, latest.storage == tensor.storage {
                        latest.elements
                    } else {
                        try file.elements(of: tensor.storage)
                    }
                latest = (tensor.storage, elements)
                bytes = file.gather(tensor, from: elements)
            }
            let entry = entries[position]
            read.append(SafeTensor(name: name, shape: entry.shape, type: entry.type, bytes: bytes))
        }
        return read
    }

    private static func bytes(of array: StoredArray) throws(FormatError) -> [UInt8] {
        try array.checkSize()
        var bytes = [UInt8](repeating: 0, count: array.shape.elementCount * (array.elementType.size ?? 0))
        guard !bytes.isEmpty else { return [] }
        let rows = 0..<(array.shape.rank == 0 ? 1 : array.shape[0])
        let result: Result<Void, FormatError> = bytes.withUnsafeMutableBytes { target in
            Result { () throws(FormatError) in try array.read(rows: rows, into: target) }
        }
        try result.get()
        return bytes
    }
}
