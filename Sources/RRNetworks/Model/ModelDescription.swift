public import RRTensor

/// The architecture of a classifier as `model.json` describes it: its input, its classes, its layers.
public struct ModelDescription: Hashable, Sendable {
    /// The `format` field of every `model.json`.
    public static let format = "rrdata.model"
    /// The `format_version` that this version writes; any 1.x is read.
    public static let formatVersion = "1.0"

    /// The most layers of a model, those inside others counted: ResNet-1202 has 3,600, and a file of a megabyte has room
    /// for 100,000, each with memory for every sample of a batch.
    public static let largestLayerCount = 8192

    /// The shape `(C, H, W)` of the images that the model takes.
    public let input: ImageShape

    /// The number of classes, which is the number of logits.
    public let classCount: Int

    /// The layers, in the order of PyTorch's `nn.Sequential`.
    public let layers: [LayerDescription]

    public init(input: ImageShape, classCount: Int, layers: [LayerDescription]) {
        self.input = input
        self.classCount = classCount
        self.layers = layers
    }
}

extension ModelDescription: Codable {
    private enum CodingKeys: String, CodingKey {
        case format, layers, input, classes
        case formatVersion = "format_version"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let format = try container.decode(String.self, forKey: .format)
        guard format == Self.format else {
            throw NetworkError(
                .malformedModel, "format", "is \"\(format)\", but a model's is \"\(Self.format)\"")
        }
        let version = try container.decode(String.self, forKey: .formatVersion)
        guard version.split(separator: ".").first == "1" else {
            throw NetworkError(
                .malformedModel, "format_version",
                "is \(version), which a newer rrdata wrote; this one reads 1.x")
        }
        let extents = try container.decode([Int].self, forKey: .input)
        guard extents.count == 3, extents.allSatisfy({ $0 > 0 }) else {
            throw NetworkError(
                .malformedModel, "input", "is \(extents), but must be [channels, height, width]")
        }
        input = try ImageShape(channels: extents[0], height: extents[1], width: extents[2])
        classCount = try container.decode(Int.self, forKey: .classes)
        if let count = try? container.nestedUnkeyedContainer(forKey: .layers).count {
            try Self.checkLayerCount(count, at: "layers")
        }
        layers = try container.decode([LayerDescription].self, forKey: .layers)
        try Self.checkLayerCount(layers.reduce(0) { $0 + $1.layerCount }, at: "layers")
    }

    /// Refuses more layers than are served, where possible before they are made.
    static func checkLayerCount(_ count: Int, at location: String) throws(NetworkError) {
        guard count <= largestLayerCount else {
            throw NetworkError(
                .malformedModel, location,
                "has \(count) layers; models of at most \(largestLayerCount) are served")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.format, forKey: .format)
        try container.encode(Self.formatVersion, forKey: .formatVersion)
        try container.encode(input.dimensions, forKey: .input)
        try container.encode(classCount, forKey: .classes)
        try container.encode(layers, forKey: .layers)
    }
}
