internal import RRFormats
internal import RRNetworks

/// What the layers of an imported network are called: as in PyTorch where the file says it, and its weights are those that the
/// network has there; else by what they are and a number.
struct LayerNaming {
    /// A name for each step.
    let names: [String]
    let note: String?

    init(_ steps: [Step], of file: ONNXFile) {
        let counted = Self.numbered(steps)
        guard !steps.allSatisfy(\.weights.isEmpty) else {
            (names, note) = (counted, nil)
            return
        }
        let first = steps.indices.first { !steps[$0].weights.isEmpty }.map { counted[$0] } ?? ""
        let consequence =
            "its weights are called \(first).weight and so on here, by their layers and in their order"
        if Self.isFolded(file) {
            names = counted
            note =
                "the exporter folded batch normalisations into the layers before them, whose weights are then no more those "
                + "of the network in PyTorch: " + consequence
            return
        }
        let named = steps.map(Self.name)
        let used = zip(steps, named).compactMap { $0.weights.isEmpty ? nil : $1 }
        guard used.count == steps.count(where: { !$0.weights.isEmpty }), Set(used).count == used.count,
            ["pytorch", "rrdata"].contains(file.producer)
        else {
            names = counted
            note = "the file does not name all weights as the layers of PyTorch have them: " + consequence
            return
        }
        names = zip(named, counted).map { $0 ?? $1 }
        note = nil
    }

    /// Whether weights are not those of the network's own layers, although they have their names.
    private static func isFolded(_ file: ONNXFile) -> Bool {
        file.graph.node.contains { node in
            ["Conv", "Gemm", "MatMul", "ConvTranspose"].contains(node.opType)
                && node.metadataProps.contains { entry in
                    entry.key.hasSuffix("rule_name") && entry.value.contains("Fuse")
                        || entry.value.lowercased().contains("batchnorm")
                            && (entry.key.hasSuffix("class_hierarchy") || entry.key == "namespace")
                }
        }
    }

    /// What all names of a step's weights begin with; nil where they are not those that PyTorch's layer has.
    private static func name(_ step: Step) -> String? {
        var names: Set<String> = []
        for weight in step.weights {
            guard let name = weight.name, name.hasSuffix("." + weight.role) else { return nil }
            names.insert(String(name.dropLast(weight.role.count + 1)))
        }
        guard names.count == 1, let name = names.first, isAllowed(name) else { return nil }
        return name
    }

    /// Whether a name is one that `model.json` may give.
    private static func isAllowed(_ name: String) -> Bool {
        name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    byte == UInt8(ascii: "_") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                        || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                        || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                }
        }
    }

    /// `conv2d_1`, `conv2d_2`, `linear_1`.
    private static func numbered(_ steps: [Step]) -> [String] {
        var counts: [String: Int] = [:]
        return steps.map { step in
            let kind = step.layer?.name ?? "join"
            if !step.weights.isEmpty { counts[kind, default: 0] += 1 }
            return "\(kind)_\(counts[kind] ?? 0)"
        }
    }
}
