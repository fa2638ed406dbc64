internal import RRFormats
internal import RRNetworks
internal import RRTensor

/// What nodes read: constants, and features as they need them.
extension GraphReader {
    /// A constant that a node wants; nil where it has no such input.
    func known(_ node: GraphNode, _ position: Int) throws(FormatError) -> Constant? {
        guard let name = node.input(position) else { return nil }
        guard case .constant(let constant) = values[name] else {
            throw node.unsupported("computes “\(name)” from the image; it is served as a constant only")
        }
        return constant
    }

    /// A constant that a node cannot do without.
    func weight(_ node: GraphNode, _ position: Int) throws(FormatError) -> Constant {
        guard let constant = try known(node, position) else {
            throw node.malformed("has no input \(position)")
        }
        return constant
    }

    /// A feature that a node reads, with what is still to be done to it.
    ///
    /// What several nodes read is computed once.
    mutating func pendingFeature(_ node: GraphNode, _ position: Int = 0) throws(FormatError) -> Feature {
        guard let name = node.input(position), case .feature(var feature) = values[name] else {
            throw node.unsupported("takes a constant where the layers have a map or features")
        }
        guard feature.joining.isServed(by: node.kind) else {
            throw node.unsupported("mixes the samples of a batch with places of a map")
        }
        if !isReadOnce(name) {
            // What was written out of a normalisation is no layer by itself, and its readers take it as it is.
            if feature.pending != nil, !isInverseDeviation(feature) {
                feature = try settled(feature, for: node)
                replace(name, by: feature)
            }
            feature.isAlone = false
        }
        return feature
    }

    /// A feature that a node reads, computed whole.
    mutating func feature(_ node: GraphNode, _ position: Int = 0) throws(FormatError) -> Feature {
        let feature = try settled(try pendingFeature(node, position), for: node)
        guard feature.padding == nil else {
            throw node.unsupported(
                "reads a map with zeros around it, which a convolution or a pooling alone takes")
        }
        return feature
    }

    /// A feature that is maps for the layers and for the file.
    mutating func map(_ node: GraphNode, _ position: Int = 0, takesPadding: Bool = false) throws(FormatError)
        -> Feature
    {
        let feature = try settled(try pendingFeature(node, position), for: node)
        guard feature.padding == nil || takesPadding else {
            throw node.unsupported(
                "reads a map with zeros around it, which a convolution or a pooling alone takes")
        }
        guard feature.isMap else { throw misarranged(feature, node) }
        guard !isFlat(feature) else {
            throw node.unsupported("needs maps, but features without a place come before it")
        }
        return feature
    }

    func misarranged(_ feature: Feature, _ node: GraphNode) -> FormatError {
        node.unsupported("takes (N, C, H, W), but gets \(layout(of: feature))")
    }

    /// `(N, H · W, C)`
    func layout(of feature: Feature) -> String {
        let names: [Axis: String] = [.channel: "C", .height: "H", .width: "W"]
        guard let parts = feature.parts else {
            return "(N, " + feature.dimensions.map(String.init).joined(separator: ", ") + ")"
        }
        return "("
            + (["N"]
            + parts.map { $0.compactMap { names[$0] }.joined(separator: " · ") }.map { $0.isEmpty ? "1" : $0 })
            .joined(separator: ", ") + ")"
    }
}
