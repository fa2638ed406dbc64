internal import RRTensor

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
