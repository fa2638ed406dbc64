package import RRNetworks

/// The names of tensors as the network has them, without what wrappers have put to them, and in torchvision's words where
/// they are timm's.
package struct WeightNames {
    /// What the network calls each tensor.
    package let network: [String]
    /// What was taken from the names, in words; nil for nothing.
    let dropped: String?
    /// Whether the names were timm's.
    package let isFromTimm: Bool

    /// Takes as little from the names as makes them the network's; only what wrappers are known to put there where nothing
    /// does.
    ///
    /// - Parameter hasHead: whether the tensors of the head must be among them.
    package init(_ names: [String], layout: ParameterLayout, hasHead: Bool = true) {
        let head = Set(layout.entries.filter { layout.head.contains($0.range.lowerBound) }.map(\.name))
        let known = Set(layout.entries.map(\.name))
        func fit(_ names: [String]) -> Bool {
            let used = names.filter { !layout.ignores($0) }
            let distinct = Set(used)
            guard used.count == distinct.count else { return false }
            return hasHead
                ? distinct == known : distinct.subtracting(head) == known.subtracting(head)
        }
        let unwrapped = names.map(Self.unwrapped)
        var network = fit(names) ? names : unwrapped
        if !fit(network), let rest = Self.withoutCommonBeginning(unwrapped, where: fit) { network = rest }
        var isFromTimm = false
        if !fit(network) {
            for timm in TimmNames.all {
                let translated = unwrapped.map { timm($0, known) }
                guard fit(translated) else { continue }
                network = translated
                isFromTimm = true
                break
            }
        }
        self.network = network
        self.isFromTimm = isFromTimm
        dropped = isFromTimm ? nil : Self.difference(of: names, and: network)
    }

    /// The names without whatever stands before all of them alike: the name that the network had in a larger one.
    private static func withoutCommonBeginning(
        _ names: [String], where fit: ([String]) -> Bool
    ) -> [String]? {
        let parts = names.map { $0.split(separator: ".", omittingEmptySubsequences: false) }
        var count = 1
        while let first = parts.first, count < first.count,
            parts.allSatisfy({ $0.count > count && $0[count - 1] == first[count - 1] })
        {
            let rest = parts.map { $0.dropFirst(count).joined(separator: ".") }
            if fit(rest) { return rest }
            count += 1
        }
        return nil
    }

    /// Checks names and shapes against the network's.
    ///
    /// - Parameter exempt: the parameters that may be missing or have another shape.
    package func check(_ shapes: [[Int]], layout: ParameterLayout, exempt: Set<String> = [])
        throws(NetworkError)
    {
        var named: [String: [Int]] = [:]
        for (name, shape) in zip(network, shapes) where named.updateValue(shape, forKey: name) != nil {
            throw NetworkError(
                .weightsMismatch, name, "is there twice, with the names that wrappers give and without")
        }
        for entry in layout.entries {
            if exempt.contains(entry.name) {
                named[entry.name] = entry.shape
            } else if isFromTimm, let shape = named[entry.name],
                Self.rows(of: shape) == Self.rows(of: entry.shape)
            {
                // timm has (C) where torchvision has (C, 1, 1), and (out, C, H, W) for (out, C · H · W).
                named[entry.name] = entry.shape
            }
        }
        try layout.check(named)
    }

    /// The first extent and the number of elements for each step of it, which are laid out alike whatever their shape; nil
    /// for more elements than can be.
    private static func rows(of shape: [Int]) -> [Int]? {
        var count = 1
        for extent in shape.dropFirst() {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { return nil }
            count = product
        }
        return [shape.first ?? 1, count]
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
