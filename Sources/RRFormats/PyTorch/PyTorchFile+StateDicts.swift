extension PyTorchFile {
    /// How many dictionaries a state dict may lie in.
    private static let deepest = 3
    /// How many dictionaries of tensors a file may hold; each is named with all that lies beside it.
    private static let largestCount = 64

    private struct Place {
        let dictionary: Int
        /// The dictionaries that it lies in, from the outermost, and its name in each.
        let outer: [(dictionary: Int, name: String)]
    }

    /// Finds the dictionaries that hold tensors by name: the file itself, or members of a checkpoint.
    ///
    /// - Returns: one at least.
    /// - Throws: `FormatError` with the code `malformed`, or `unsupported` where there is none.
    func stateDicts() throws(FormatError) -> [StateDict] {
        guard case .dictionary(let root) = pickle.root else {
            throw noTensors("but \(kind(of: pickle.root))")
        }
        var found: [StateDict] = []
        // A dictionary that lies in several places counts once.
        var seen: Set<Int> = [root]
        var pending = [Place(dictionary: root, outer: [])]
        var next = 0
        while next < pending.count {
            let place = pending[next]
            next += 1
            if let dict = try stateDict(at: place) { found.append(dict) }
            guard found.count <= Self.largestCount else {
                throw FormatError(
                    .unsupported, path: path,
                    "the file holds more than \(Self.largestCount) dictionaries of tensors\(PyTorchConversion(path).ofMember(["…"]))"
                        as Message
                )
            }
            guard place.outer.count < Self.deepest else { continue }
            for (name, value) in pickle.members(of: place.dictionary) {
                guard case .dictionary(let inner) = value, seen.insert(inner).inserted else { continue }
                pending.append(
                    Place(dictionary: inner, outer: place.outer + [(place.dictionary, name)]))
            }
        }
        guard !found.isEmpty else {
            let names = pickle.members(of: root).map(\.name)
            throw noTensors(names.isEmpty ? "but an empty dictionary" : "but \(Self.list(names))")
        }
        return found
    }

    /// The dictionary at a place as a state dict; nil where it holds no tensor by name.
    private func stateDict(at place: Place) throws(FormatError) -> StateDict? {
        var entries: [StateDict.Entry] = []
        var tensors: [PickleTensor] = []
        var others: [String] = []
        for (name, value) in pickle.members(of: place.dictionary) {
            guard case .tensor(let number) = value else {
                others.append(name)
                continue
            }
            let tensor = pickle.tensors[number]
            tensors.append(tensor)
            entries.append(.init(name: name, shape: tensor.shape, type: pickle.storages[tensor.storage].type))
        }
        guard !entries.isEmpty else { return nil }
        let besides = place.outer.flatMap { outer in
            pickle.members(of: outer.dictionary).map(\.name).filter { $0 != outer.name }
        }
        let dict = StateDict(
            entries, .pyTorch(self, tensors), place: place.outer.map(\.name), others: besides + others)
        try dict.checkNames(path: path)
        return dict
    }

    private func noTensors(_ what: String) -> FormatError {
        FormatError(
            .unsupported, path: path,
            "the file holds no dictionary of tensors by name, \(what); torch.save(model.state_dict(), …) writes one"
        )
    }

    private func kind(of value: PickleValue) -> String {
        switch value {
        case .tensor: "a single tensor"
        case .sequence: "a list"
        default: "a single value"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    }
}
