internal import RRFormats
internal import RRNetworks

/// Which tensors of a file of weights are a network's parameters.
///
/// Wrappers of PyTorch put their own names before the network's (`module.0.weight`), and a checkpoint holds the weights
/// beside other things. The one reading is taken under which the names and shapes are those of the network.
struct WeightsMatch {
    /// What was chosen or dropped on the way from the file to the network.
    let notes: [Message]

    /// The tensors of the file among which the parameters are.
    let dict: StateDict
    /// What the network calls each of them; nil for one that no computation uses.
    let names: [String?]

    /// Finds a network's parameters in a file.
    ///
    /// - Throws: `FormatError` where the file cannot be read, is no file of weights, or does not hold the network's
    ///   parameters and nothing else; with the code `unsupported` where it holds them twice.
    init(path: String, layout: ParameterLayout) throws(FormatError) {
        let dicts = try StateDictFile.read(path)
        let named = dicts.map { ($0, WeightNames($0.entries.map(\.name), layout: layout)) }
        let fitting = named.filter { dict, names in
            (try? names.check(dict.entries.map(\.shape), layout: layout)) != nil
        }
        guard fitting.count < 2 else {
            throw FormatError(
                .unsupported, path: path,
                "weights of this model stand at \(fitting.map { Self.words(for: $0.0.place) }.joined(separator: " and at "))"
                    + StateDictFile.choosing(fitting[0].0, in: path))
        }
        guard let (dict, names) = fitting.first ?? named.first else {
            throw FormatError(.malformed, path: path, "the file holds no tensors")
        }
        do throws(NetworkError) {
            try names.check(dict.entries.map(\.shape), layout: layout)
        } catch {
            let other = dicts.dropFirst().map { Self.words(for: $0.place) }.joined(separator: ", ")
            throw FormatError(
                .malformed, path: "\(path):\(error.location)",
                error.message + (other.isEmpty ? "" : "; nor do those at \(other) fit"))
        }
        self.dict = dict
        self.names = names.network.map { layout.ignores($0) ? nil : $0 }
        var notes: [Message] = []
        if !dict.place.isEmpty {
            notes.append("the weights are those at \(Self.words(for: dict.place)) of \(path)")
        }
        if !dict.others.isEmpty {
            notes.append("\(path) holds besides, and is not read: \(Self.list(dict.others))")
        }
        if let dropped = names.dropped { notes.append("\(dropped) in the names of \(path) is dropped") }
        self.notes = notes
    }

    private static func words(for place: [String]) -> String {
        place.isEmpty ? "the top" : place.map { "“\($0)”" }.joined(separator: ", ")
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
    }
}

/// The names of tensors as the network has them, without what wrappers have put to them.
private struct WeightNames {
    /// What the network calls each tensor.
    let network: [String]
    /// What was taken from the names, in words; nil for nothing.
    let dropped: String?

    /// Takes as little from the names as makes them the network's; only what wrappers are known to put there where nothing
    /// does.
    init(_ names: [String], layout: ParameterLayout) {
        let known = Set(layout.entries.map(\.name))
        func fit(_ names: [String]) -> Bool {
            let used = names.filter { !layout.ignores($0) }
            return used.count == known.count && Set(used) == known
        }
        let unwrapped = names.map(Self.unwrapped)
        var network = fit(names) ? names : unwrapped
        if !fit(network) {
            // Whatever stands before all of them alike: the name that the network had in a larger one.
            let parts = unwrapped.map { $0.split(separator: ".", omittingEmptySubsequences: false) }
            var count = 1
            while let first = parts.first, count < first.count,
                parts.allSatisfy({ $0.count > count && $0[count - 1] == first[count - 1] })
            {
                let rest = parts.map { $0.dropFirst(count).joined(separator: ".") }
                if fit(rest) {
                    network = rest
                    break
                }
                count += 1
            }
        }
        self.network = network
        dropped = Self.difference(of: names, and: network)
    }

    /// Checks names and shapes against the network's.
    func check(_ shapes: [[Int]], layout: ParameterLayout) throws(NetworkError) {
        var named: [String: [Int]] = [:]
        for (name, shape) in zip(network, shapes) where named.updateValue(shape, forKey: name) != nil {
            throw NetworkError(
                .weightsMismatch, name, "is there twice, with the names that wrappers give and without")
        }
        try layout.check(named)
    }

    /// A name without those of `DistributedDataParallel` and `DataParallel` (module), `torch.compile` (_orig_mod), which may
    /// wrap a part of the network too, and of Lightning's modules (model).
    private static func unwrapped(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        parts.removeAll { $0 == "module" || $0 == "_orig_mod" }
        while parts.first == "model" { parts.removeFirst() }
        return parts.joined(separator: ".")
    }

    private static func difference(of names: [String], and network: [String]) -> String? {
        var prefixes: [String] = []
        for (name, rest) in zip(names, network) where name != rest {
            let wrappers = name.split(separator: ".").filter { $0 == "module" || $0 == "_orig_mod" }
            let prefix =
                name.hasSuffix(rest)
                ? String(name.dropLast(rest.count)) : wrappers.map { $0 + "." }.joined()
            if !prefixes.contains(prefix) { prefixes.append(prefix) }
        }
        guard !prefixes.isEmpty else { return nil }
        let listed = prefixes.prefix(3).map { "“\($0)”" }.joined(separator: ", ")
        return prefixes.count > 3 ? listed + ", …" : listed
    }
}
