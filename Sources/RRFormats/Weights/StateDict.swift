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
        case arrays([StoredArray])
        case pyTorch(PyTorchFile, [PickleTensor])
    }

    /// The tensors in the order of the file, no two of one name.
    package let entries: [Entry]
    /// The names of the dictionaries that it lies in, from the outermost; none where it is the whole of the file.
    package let place: [String]
    /// The names of what lies beside it, or beside the dictionaries that it lies in, and is not read.
    package let others: [String]
    private let elements: Elements

    /// - Throws: `FormatError` with the code `malformed` where two tensors have one name.
    init(
        _ entries: [Entry], _ elements: Elements, place: [String] = [], others: [String] = [], path: String
    ) throws(FormatError) {
        var names: Set<String> = []
        for entry in entries where !names.insert(entry.name).inserted {
            throw FormatError(.malformed, path: path, "the file holds the tensor \(entry.name) twice")
        }
        self.entries = entries
        self.place = place
        self.others = others
        self.elements = elements
    }

    /// Reads tensors.
    ///
    /// - Parameters:
    ///   - positions: which of `entries`.
    ///   - name: what the tensor at a position is to be called.
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    package func tensors(
        at positions: [Int], named name: (Int) -> String
    ) throws(FormatError) -> [SafeTensor] {
        switch elements {
        case .loaded(let tensors):
            return positions.map {
                let tensor = tensors[$0]
                return SafeTensor(name: name($0), shape: tensor.shape, type: tensor.type, bytes: tensor.bytes)
            }
        case .arrays(let arrays):
            return try positions.map { position throws(FormatError) in
                let entry = entries[position]
                return SafeTensor(
                    name: name(position), shape: entry.shape, type: entry.type,
                    bytes: try Self.bytes(of: arrays[position]))
            }
        case .pyTorch(let file, let tensors):
            // Tensors that share a storage mostly follow each other.
            var latest: (storage: Int, elements: [UInt8])?
            return try positions.map { position throws(FormatError) in
                let (entry, tensor) = (entries[position], tensors[position])
                let elements =
                    if let latest, latest.storage == tensor.storage {
                        latest.elements
                    } else {
                        try file.elements(of: tensor.storage)
                    }
                latest = (tensor.storage, elements)
                return SafeTensor(
                    name: name(position), shape: entry.shape, type: entry.type,
                    bytes: file.gather(tensor, from: elements))
            }
        }
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
