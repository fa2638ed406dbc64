/// Options that are layers, and options that would train what no explanation loss can judge.
extension LayerOptions {
    /// The layers of an option, at least one.
    func layers(_ name: String) throws -> [LayerDescription] {
        guard let container, isList(name) else {
            throw NetworkError(.malformedModel, location, "\"\(name)\" must be a list of layers")
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
