/// The options of one layer in `model.json`, read with an error that names the layer and the option.
struct LayerOptions {
    /// The layer's name.
    let name: String

    /// `layers[3]`
    let place: String
    /// Nil where the layer is its name alone.
    let container: KeyedDecodingContainer<OptionKey>?

    init(from decoder: any Decoder) throws {
        place = decoder.codingPath.reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else if key.stringValue != "residual" {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            self.name = name
            container = nil
            return
        }
        guard let layer = try? decoder.container(keyedBy: OptionKey.self), layer.allKeys.count == 1,
            let key = layer.allKeys.first
        else {
            throw NetworkError(
                .malformedModel, place, "must be a layer's name or an object with that name as its only key")
        }
        name = key.stringValue
        do {
            container = try layer.nestedContainer(keyedBy: OptionKey.self, forKey: key)
        } catch {
            throw NetworkError(
                .malformedModel, "\(place) (\(name))", "must have an object with its options as the value")
        }
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

    /// Reads a height and a width, or one number for both.
    func extents(_ name: String) throws -> (height: Int, width: Int) {
        if let extent = try? container?.decode(Int.self, forKey: OptionKey(name)) {
            _ = try integer(name, from: 1)
            return (extent, extent)
        }
        let extents: [Int] = try value(
            name, default: nil, mustBe: "a whole number from 1 to \(Self.largestInteger), or [height, width]"
        ) { extents in
            extents.count == 2 && extents.allSatisfy { $0 >= 1 && $0 <= Self.largestInteger }
        }
        return (extents[0], extents[1])
    }

    /// - Parameter requirement: the rest of the sentence "must be …".
    func number(
        _ name: String, default standard: Double, mustBe requirement: String = "a number",
        where isValid: (Double) -> Bool = { _ in true }
    ) throws -> Double {
        try value(name, default: standard, mustBe: requirement) { $0.isFinite && isValid($0) }
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

    /// The one layer of an option, alone or as a list of one; nil where the option is absent.
    func layer(_ name: String) throws -> LayerDescription? {
        guard let container, container.contains(OptionKey(name)) else { return nil }
        guard isList(name) else {
            return try container.decode(LayerDescription.self, forKey: OptionKey(name))
        }
        let layers = try container.decode([LayerDescription].self, forKey: OptionKey(name))
        guard layers.count == 1 else {
            throw NetworkError(.malformedModel, location, "\"\(name)\" must be one layer")
        }
        return layers.first
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
