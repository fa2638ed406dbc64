/// A layer is its name, or an object with its name as the only key and its options as the value.
extension LayerDescription: Codable {
    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            switch name {
            case "relu": self = .relu
            case "flatten": self = .flatten
            case "softplus": self = .softplus(beta: 1)
            default: throw Self.unserved(name, decoder)
            }
            return
        }
        let container = try decoder.container(keyedBy: OptionKey.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            throw NetworkError(
                .malformedModel, Self.location(decoder),
                "must be a layer's name or an object with that name as its only key")
        }
        let options = try Options(
            container.nestedContainer(keyedBy: OptionKey.self, forKey: key), decoder, key)
        switch key.stringValue {
        case "conv2d":
            try options.allow("out", "kernel", "stride", "padding", "dilation", "groups", "bias")
            self = .conv2d(
                Convolution(
                    out: try options.integer("out", from: 1),
                    kernel: try options.integer("kernel", from: 1),
                    stride: try options.integer("stride", from: 1, default: 1),
                    padding: try options.integer("padding", from: 0, default: 0),
                    dilation: try options.integer("dilation", from: 1, default: 1),
                    groups: try options.integer("groups", from: 1, default: 1),
                    bias: try options.flag("bias", default: true)))
        case "linear":
            try options.allow("out", "bias")
            self = .linear(
                Linear(
                    out: try options.integer("out", from: 1), bias: try options.flag("bias", default: true)))
        case "maxpool2d":
            try options.allow("kernel", "stride", "padding")
            let kernel = try options.integer("kernel", from: 1)
            self = .maxpool2d(
                Pooling(
                    kernel: kernel,
                    stride: try options.integer("stride", from: 1, default: kernel),
                    padding: try options.integer("padding", from: 0, default: 0)))
        case "softplus":
            try options.allow("beta")
            self = .softplus(beta: try options.positiveNumber("beta", default: 1))
        case "relu":
            try options.allow()
            self = .relu
        case "flatten":
            try options.allow()
            self = .flatten
        default:
            throw Self.unserved(key.stringValue, decoder)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .relu, .flatten:
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .softplus(let beta):
            var options = encoder.options(of: name)
            try options.encode(beta, forKey: "beta")
        case .linear(let linear):
            var options = encoder.options(of: name)
            try options.encode(linear.out, forKey: "out")
            try options.encode(linear.bias, forKey: "bias")
        case .conv2d(let convolution):
            var options = encoder.options(of: name)
            try options.encode(convolution.out, forKey: "out")
            try options.encode(convolution.kernel, forKey: "kernel")
            try options.encode(convolution.stride, forKey: "stride")
            try options.encode(convolution.padding, forKey: "padding")
            try options.encode(convolution.dilation, forKey: "dilation")
            try options.encode(convolution.groups, forKey: "groups")
            try options.encode(convolution.bias, forKey: "bias")
        case .maxpool2d(let pooling):
            var options = encoder.options(of: name)
            try options.encode(pooling.kernel, forKey: "kernel")
            try options.encode(pooling.stride, forKey: "stride")
            try options.encode(pooling.padding, forKey: "padding")
        }
    }

    private static func unserved(_ name: String, _ decoder: any Decoder) -> NetworkError {
        NetworkError(
            .unsupportedLayer, location(decoder),
            "\"\(name)\" is not a layer that this version serves; it serves conv2d, linear, relu, softplus, "
                + "maxpool2d and flatten")
    }

    private static func location(_ decoder: any Decoder) -> String {
        decoder.codingPath.reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }

    /// The options of one layer, read with an error that names the layer and the option.
    private struct Options {
        let container: KeyedDecodingContainer<OptionKey>
        let location: String

        init(_ container: KeyedDecodingContainer<OptionKey>, _ decoder: any Decoder, _ key: OptionKey) throws
        {
            self.container = container
            self.location = "\(LayerDescription.location(decoder)) (\(key.stringValue))"
        }

        func allow(_ names: String...) throws {
            for key in container.allKeys where !names.contains(key.stringValue) {
                throw NetworkError(
                    .unsupportedLayer, location,
                    "has the option \"\(key.stringValue)\", which is not served; "
                        + (names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"))
            }
        }

        func integer(_ name: String, from minimum: Int, default standard: Int? = nil) throws -> Int {
            guard let value = try? container.decodeIfPresent(Int.self, forKey: OptionKey(name)) ?? standard,
                value >= minimum, value <= 1 << 24
            else {
                throw NetworkError(
                    .malformedModel, location,
                    "\"\(name)\" must be a whole number from \(minimum) to \(1 << 24)")
            }
            return value
        }

        func positiveNumber(_ name: String, default standard: Double) throws -> Double {
            guard
                let value = try? container.decodeIfPresent(Double.self, forKey: OptionKey(name)) ?? standard,
                value > 0, value.isFinite
            else {
                throw NetworkError(.malformedModel, location, "\"\(name)\" must be a number above 0")
            }
            return value
        }

        func flag(_ name: String, default standard: Bool) throws -> Bool {
            guard let value = try? container.decodeIfPresent(Bool.self, forKey: OptionKey(name)) ?? standard
            else {
                throw NetworkError(.malformedModel, location, "\"\(name)\" must be true or false")
            }
            return value
        }
    }
}

/// A layer's name or the name of one of its options.
private struct OptionKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringLiteral name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Encoder {
    fileprivate func options(of layer: String) -> KeyedEncodingContainer<OptionKey> {
        var container = container(keyedBy: OptionKey.self)
        return container.nestedContainer(keyedBy: OptionKey.self, forKey: OptionKey(layer))
    }
}
