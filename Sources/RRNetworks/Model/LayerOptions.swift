/// The options of one layer in `model.json`, read with an error that names the layer and the option.
struct LayerOptions {
    /// The layer's name.
    let name: String

    /// What the layer's parameters are called; nil where its number says it.
    let givenName: String?

    /// `layers[3]`
    let place: String
    /// Nil where the layer is its name alone.
    let container: KeyedDecodingContainer<OptionKey>?

    init(from decoder: any Decoder) throws {
        place = decoder.codingPath.reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else if !["residual", "concat", "multiply", "graph", "layer"].contains(key.stringValue) {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self.name = name
            givenName = nil
            container = nil
            return
        }
        guard let layer = try? decoder.container(keyedBy: OptionKey.self),
            case let keys = layer.allKeys.filter({ $0.stringValue != OptionKey.givenName.stringValue }),
            keys.count == 1, let key = keys.first
        else {
            throw NetworkError(
                .malformedModel, place, "must be a layer's name or an object with that name as its only key")
        }
        name = key.stringValue
        givenName = try Self.givenName(in: layer, at: place)
        do {
            container = try layer.nestedContainer(keyedBy: OptionKey.self, forKey: key)
        } catch {
            throw NetworkError(
                .malformedModel, "\(place) (\(name))", "must have an object with its options as the value")
        }
    }

    /// Reads what a layer's parameters are called: the names of PyTorch's modules, with dots between them.
    private static func givenName(
        in layer: KeyedDecodingContainer<OptionKey>, at place: String
    ) throws -> String? {
        guard layer.contains(.givenName) else { return nil }
        let name = try? layer.decode(String.self, forKey: .givenName)
        let isName = name?.utf8.allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || "_.".contains(character))
        }
        guard let name, isName == true,
            name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty })
        else {
            throw NetworkError(
                .malformedModel, place, "\"name\" must be letters, digits, _ and single dots between them")
        }
        return name
    }

    /// The error for a layer that this version does not know.
    var unservedLayer: NetworkError {
        NetworkError(
            .unsupportedLayer, place,
            "\"\(name)\" is not a layer that this version serves; it serves "
                + LayerDescription.servedNames.joined(separator: ", "))
    }

    func allow(_ names: String...) throws {
        for key in container?.allKeys ?? [] where !names.contains(key.stringValue) {
            throw NetworkError(
                .unsupportedLayer, location,
                "has the option \"\(key.stringValue)\", which is not served; "
                    + (names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"))
        }
    }

    func integer(_ name: String, from minimum: Int, default standard: Int? = nil) throws -> Int {
        try value(name, default: standard, mustBe: "a whole number from \(minimum) to \(Self.largestInteger)")
        {
            $0 >= minimum && $0 <= Self.largestInteger
        }
    }

    /// Reads a whole number that may be absent, or null as PyTorch's None.
    func optionalInteger(_ name: String, from minimum: Int) throws -> Int? {
        guard let container, container.contains(OptionKey(name)),
            (try? container.decodeNil(forKey: OptionKey(name))) != true
        else { return nil }
        return try integer(name, from: minimum)
    }

    /// Reads a height and a width, or one number for both.
    func extents(_ name: String, default standard: Extents? = nil) throws -> Extents {
        if let standard, container?.contains(OptionKey(name)) != true { return standard }
        if let extent = try? container?.decode(Int.self, forKey: OptionKey(name)) {
            _ = try integer(name, from: 1)
            return Extents(extent)
        }
        let extents: [Int] = try value(
            name, default: nil, mustBe: "a whole number from 1 to \(Self.largestInteger), or [height, width]"
        ) { extents in
            extents.count == 2 && extents.allSatisfy { $0 >= 1 && $0 <= Self.largestInteger }
        }
        return Extents(height: extents[0], width: extents[1])
    }

    /// Reads what is added around an image: one number, a height and a width, or each side's; 0 where it is absent.
    func padding() throws -> Padding {
        let key = OptionKey("padding")
        if let sides = try? container?.decode([[Int]].self, forKey: key), sides.count == 2,
            sides.allSatisfy({ $0.count == 2 && $0.allSatisfy { 0...Self.largestInteger ~= $0 } })
        {
            return Padding(top: sides[0][0], bottom: sides[0][1], left: sides[1][0], right: sides[1][1])
        }
        if let both = try? container?.decode([Int].self, forKey: key), both.count == 2,
            both.allSatisfy({ 0...Self.largestInteger ~= $0 })
        {
            return Padding(Extents(height: both[0], width: both[1]))
        }
        return Padding(Extents(try integer("padding", from: 0, default: 0)))
    }

    /// - Parameter requirement: the rest of the sentence "must be …".
    func number(
        _ name: String, default standard: Double, mustBe requirement: String = "a number",
        where isValid: (Double) -> Bool = { _ in true }
    ) throws -> Double {
        try value(name, default: standard, mustBe: requirement) { $0.isFinite && isValid($0) }
    }

    /// Reads a number that may be absent, or null.
    func optionalNumber(_ name: String) throws -> Double? {
        guard let container, container.contains(OptionKey(name)),
            (try? container.decodeNil(forKey: OptionKey(name))) != true
        else { return nil }
        return try number(name, default: 0)
    }

    func flag(_ name: String, default standard: Bool) throws -> Bool {
        try value(name, default: standard, mustBe: "true or false")
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default standard: Choice
    ) throws -> Choice {
        let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        let chosen = try value(name, default: standard.rawValue, mustBe: names) {
            Choice(rawValue: $0) != nil
        }
        return Choice(rawValue: chosen) ?? standard
    }

    /// What a normalisation adds to each variance.
    func epsilon() throws -> Double {
        try number("eps", default: 1e-5, mustBe: "a number of at least 0") { $0 >= 0 }
    }

    private static var largestInteger: Int { 1 << 24 }

    /// `layers[3] (conv2d)`
    var location: String { "\(place) (\(name))" }

    private func value<Value: Decodable>(
        _ name: String, default standard: Value?, mustBe requirement: String,
        where isValid: (Value) -> Bool = { _ in true }
    ) throws -> Value {
        // An option of another type fails here too: only an absent one has its default.
        guard let value = try? container?.decodeIfPresent(Value.self, forKey: OptionKey(name)) ?? standard,
            isValid(value)
        else {
            throw NetworkError(.malformedModel, location, "\"\(name)\" must be \(requirement)")
        }
        return value
    }
}

/// A layer's name or the name of one of its options.
struct OptionKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    /// What the layer's parameters are called, beside its options.
    static let givenName = OptionKey("name")

    init(_ name: String) { stringValue = name }
    init(stringLiteral name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// Options that are layers, and options that would train what no explanation loss can judge.
extension LayerOptions {
    /// The layers of an option, at least one.
    func layers(_ name: String) throws -> [LayerDescription] {
        guard let container, isList(name) else {
            throw NetworkError(.malformedModel, location, "\"\(name)\" must be a list of layers")
        }
        if let count = try? container.nestedUnkeyedContainer(forKey: OptionKey(name)).count {
            try ModelDescription.checkLayerCount(count, at: location)
        }
        let layers = try container.decode([LayerDescription].self, forKey: OptionKey(name))
        guard !layers.isEmpty else {
            throw NetworkError(.malformedModel, location, "\"\(name)\" must have at least one layer")
        }
        return layers
    }

    /// The layers beside a body: one alone, or a list; none where the option is absent.
    func projection() throws -> [LayerDescription] {
        let name = "projection"
        guard let container, container.contains(OptionKey(name)) else { return [] }
        guard isList(name) else {
            return [try container.decode(LayerDescription.self, forKey: OptionKey(name))]
        }
        return try layers(name)
    }

    /// The lists of layers that a concatenation joins, of which one may be empty.
    func branches() throws -> [[LayerDescription]] {
        guard let container, isList("branches") else {
            throw NetworkError(.malformedModel, location, "\"branches\" must be a list of lists of layers")
        }
        var list = try container.nestedUnkeyedContainer(forKey: "branches")
        try ModelDescription.checkLayerCount(list.count ?? 0, at: location)
        guard list.count ?? 0 >= 2 else {
            throw NetworkError(
                .malformedModel, location, "\"branches\" must have at least two lists of layers")
        }
        while !list.isAtEnd {
            guard let count = try? list.nestedUnkeyedContainer().count else {
                throw NetworkError(
                    .malformedModel, location, "\"branches\" must be a list of lists of layers")
            }
            try ModelDescription.checkLayerCount(count, at: location)
        }
        return try container.decode([[LayerDescription]].self, forKey: "branches")
    }

    /// The nodes of a graph, at least one.
    func nodes() throws -> [LayerDescription.Node] {
        guard let container, isList("nodes") else {
            throw NetworkError(.malformedModel, location, "\"nodes\" must be a list of nodes")
        }
        var list = try container.nestedUnkeyedContainer(forKey: "nodes")
        try ModelDescription.checkLayerCount(list.count ?? 0, at: location)
        var nodes: [LayerDescription.Node] = []
        while !list.isAtEnd {
            nodes.append(
                try list.decode(NumberedNode.self).node(at: "\(place).nodes[\(nodes.count)]", nodes.count))
        }
        guard !nodes.isEmpty else {
            throw NetworkError(.malformedModel, location, "\"nodes\" must have at least one node")
        }
        return nodes
    }

    private func isList(_ name: String) -> Bool {
        (try? container?.nestedUnkeyedContainer(forKey: OptionKey(name))) != nil
    }

    /// Refuses the options of a batch normalisation in training mode.
    func refuseBatchStatistics() throws {
        let options = container?.allKeys.map(\.stringValue) ?? []
        let isFrozen = try flag("frozen", default: true)
        let asksForThem = options.contains { $0 == "momentum" || $0.hasPrefix("track") || $0 == "training" }
        guard asksForThem || !isFrozen else { return }
        throw NetworkError(
            .unsupportedLayer, location,
            "cannot take its statistics from the batch: every sample's input gradient would then depend on the "
                + "other samples, and the penalty would mean nothing. Use {\"groupnorm\": {\"groups\": 8}}, which "
                + "normalises each sample by itself, or leave the option out to keep stored statistics")
    }
}
