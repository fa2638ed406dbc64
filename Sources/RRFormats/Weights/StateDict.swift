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

    /// Tensors that are read already, as all of a file.
    package init(_ tensors: [SafeTensor]) {
        self.init(tensors.map { Entry(name: $0.name, shape: $0.shape, type: $0.type) }, .loaded(tensors))
    }

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
    /// - Parameters:
    ///   - names: what each of `entries` is to be called; nil for one that is not wanted.
    ///   - shapes: by these names, shapes of as many elements that tensors are to have; that of the file where there is none.
    /// - Throws: `FormatError` with the code `malformed`, `unsupported` or `cannotRead`.
    package func tensors(
        named names: [String?], shapes: [String: [Int]] = [:]
    ) throws(FormatError) -> [SafeTensor] {
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
            let (entry, shape) = (entries[position], shapes[name] ?? entries[position].shape)
            precondition(shape.reduce(1, *) == entry.shape.reduce(1, *))
            read.append(SafeTensor(name: name, shape: shape, type: entry.type, bytes: bytes))
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

/// Files that people keep weights in: safetensors, PyTorch's and NumPy's.
package enum StateDictFile {
    /// What such a file is, by its first bytes.
    package enum Format: String, Sendable {
        case safetensors
        case pyTorch = "pytorch"
        case npz
    }

    /// Finds the dictionaries of tensors in a file, whatever it is called.
    ///
    /// - Returns: one at least; several where a checkpoint holds several.
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed`, or `unsupported`, which says how what
    ///   is not served is converted.
    package static func read(_ path: String) throws(FormatError) -> [StateDict] {
        let start = try FileBytes.read(path, prefix: 16, takesPipe: true)
        guard let zip = try zip(path, start: start) else {
            try refuseOtherFormats(path, start: start)
            let tensors = try SafeTensorsFile.read(path)
            return [
                StateDict(
                    tensors.map { .init(name: $0.name, shape: $0.shape, type: $0.type) }, .loaded(tensors))
            ]
        }
        guard PyTorchFile.isServed(zip) else { return [try arrays(NPZFile(path: path))] }
        return try PyTorchFile(zip).stateDicts()
    }

    /// What a file is by its first bytes, as far as it has weights.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `malformed`.
    package static func format(of path: String) throws(FormatError) -> Format {
        let start = try FileBytes.read(path, prefix: 16, takesPipe: true)
        guard let zip = try zip(path, start: start) else { return .safetensors }
        return PyTorchFile.isServed(zip) ? .pyTorch : .npz
    }

    /// How somebody says which of several dictionaries of a file is meant, as the end of a sentence.
    package static func choosing(_ dict: StateDict, in path: String) -> Message {
        PyTorchConversion(path).ofMember(dict.place)
    }

    /// A ZIP file; nil for any other. A safetensors file may begin with the same bytes, but has its header then.
    private static func zip(_ path: String, start: [UInt8]) throws(FormatError) -> ZIPFile? {
        guard start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06]),
            !FileSignature.beginsSafeTensors(start)
        else { return nil }
        return try ZIPFile(InputFile(reading: path, pipeLimit: .max))
    }

    private static func arrays(_ file: NPZFile) throws(FormatError) -> StateDict {
        var entries: [StateDict.Entry] = []
        var others: [String] = []
        for name in file.names {
            do throws(FormatError) {
                let array = try file.array(name)
                guard let type = SafeTensorType(array.elementType) else {
                    others.append(name)
                    continue
                }
                entries.append(.init(name: name, shape: array.shape.dimensions, type: type))
            } catch  where error.code == .unsupported {
                others.append(name)
            }
        }
        let dict = StateDict(entries, .arrays(file), others: others)
        try dict.checkNames(path: file.path)
        return dict
    }

    /// Refuses files that people take for weights and that are none, by their names.
    private static func refuseOtherFormats(_ path: String, start: [UInt8]) throws(FormatError) {
        let conversion = PyTorchConversion(path)
        let message: Message
        // The length of a header may be the first bytes of a pickle.
        guard !FileSignature.beginsSafeTensors(start) else { return }
        if start.starts(with: legacyMagic) {
            message = "the file is of PyTorch's old format, before version 1.6\(conversion.ofLegacyFile)"
        } else if start.count > 1, start[0] == 0x80, 2...5 ~= start[1] {
            message = "the file is a Python pickle, not a state dict of torch.save\(conversion.ofBarePickle)"
        } else if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            message = "the file is HDF5, as Keras writes weights; safetensors, .pt and .npz files are read"
        } else if start.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) {
            message =
                "the file is one array without a name; numpy.savez writes arrays by the names of the weights"
        } else {
            return
        }
        throw FormatError(.unsupported, path: path, message)
    }

    /// The pickle of `torch.serialization.MAGIC_NUMBER`.
    private static let legacyMagic: [UInt8] = [
        0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
    ]
}

extension SafeTensorType {
    /// The type of the same name: `F32` for float32, `BOOL` for bool.
    ///
    /// - Returns: nil for what is no number.
    init?(_ type: ArrayElementType) {
        guard type.size != nil else { return nil }
        let name = [("uint", "U"), ("int", "I"), ("float", "F")].reduce(type.description) { name, pair in
            name.replacing(pair.0, with: pair.1)
        }
        self.init(rawValue: name.uppercased())
    }
}
