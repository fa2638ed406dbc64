internal import RRFormats
internal import RRNetworks

/// torchvision's names for what timm calls otherwise; its ResNet and DenseNet have the same names.
enum TimmNames {
    /// The translations of all networks: each leaves what it does not know.
    static let all = [convNext, mobile, mobileThird, visualGeometry]

    /// VGG: `pre_logits.fc1.weight` is `classifier.0.weight`, a convolution of the whole map in place of a linear layer.
    static func visualGeometry(_ name: String, _ known: Set<String>) -> String {
        for (theirs, ours) in [("pre_logits.fc1", 0), ("pre_logits.fc2", 3), ("head.fc", 6)]
        where name.hasPrefix(theirs + ".") {
            return "classifier.\(ours)" + name.dropFirst(theirs.count)
        }
        return name
    }

    /// ConvNeXt: `stages.0.blocks.1.mlp.fc1.weight` is `features.1.1.block.3.weight`.
    static func convNext(_ name: String, _ known: Set<String>) -> String {
        var parts = name.split(separator: ".").map(String.init)
        switch parts.first {
        case "stem": return (["features", "0"] + parts.dropFirst()).joined(separator: ".")
        case "head" where parts.count > 2:
            parts.replaceSubrange(0..<2, with: ["classifier", parts[1] == "norm" ? "0" : "2"])
        case "stages" where parts.count > 4:
            guard let stage = Int(parts[1]) else { return name }
            guard parts[2] == "blocks" else {
                return (["features", "\(2 * stage)"] + parts.dropFirst(3)).joined(separator: ".")
            }
            let rest = parts.dropFirst(4).joined(separator: ".")
            let block = "features.\(2 * stage + 1).\(parts[3])"
            if rest == "gamma" { return "\(block).layer_scale" }
            for (theirs, ours) in [("conv_dw", 0), ("norm", 2), ("mlp.fc1", 3), ("mlp.fc2", 5)]
            where rest.hasPrefix(theirs + ".") {
                return "\(block).block.\(ours)" + rest.dropFirst(theirs.count)
            }
        default: break
        }
        return parts.joined(separator: ".")
    }

    /// EfficientNet-B0 and MobileNetV2: `blocks.1.0.conv_pw.weight` is `features.2.0.block.0.0.weight`, or
    /// `features.2.conv.0.0.weight`.
    static func mobile(_ name: String, _ known: Set<String>) -> String {
        var parts = name.split(separator: ".").map(String.init)
        let isEfficient = known.contains("features.1.0.block.0.0.weight")
        let last = isEfficient ? "features.8" : "features.18"
        switch parts.first {
        case "conv_stem": parts[0] = "features.0.0"
        case "bn1": parts[0] = "features.0.1"
        case "conv_head": parts[0] = "\(last).0"
        case "bn2": parts[0] = "\(last).1"
        case "classifier": parts[0] = "classifier.1"
        case "blocks" where parts.count > 4:
            guard let stage = Int(parts[1]), let index = Int(parts[2]) else { return name }
            let rest = parts.dropFirst(3).joined(separator: ".")
            guard let place = place(rest, isFirst: stage == 0, isEfficient) else { return name }
            // MobileNetV2 counts its blocks through all stages.
            let counts = [1, 2, 3, 4, 3, 3, 1]
            let number = counts.prefix(stage).reduce(1, +) + index
            let block = isEfficient ? "features.\(stage + 1).\(index).block" : "features.\(number).conv"
            return "\(block).\(place)"
        default: break
        }
        return parts.joined(separator: ".")
    }

    /// MobileNetV3-Small: `blocks.2.0.se.conv_reduce.weight` is `features.4.block.2.fc1.weight`, and the last of the
    /// blocks is a convolution.
    static func mobileThird(_ name: String, _ known: Set<String>) -> String {
        var parts = name.split(separator: ".").map(String.init)
        switch parts.first {
        case "conv_stem": parts[0] = "features.0.0"
        case "bn1": parts[0] = "features.0.1"
        case "conv_head": parts[0] = "classifier.0"
        case "classifier": parts[0] = "classifier.3"
        case "blocks" where parts.count > 4:
            guard let stage = Int(parts[1]), let index = Int(parts[2]) else { return name }
            let number = [1, 2, 3, 2, 3].prefix(stage).reduce(1, +) + index
            let rest = parts.dropFirst(3).joined(separator: ".")
            if stage == 5 {
                for (theirs, ours) in [("conv", 0), ("bn1", 1)] where rest.hasPrefix(theirs + ".") {
                    return "features.\(number).\(ours)" + rest.dropFirst(theirs.count)
                }
                return name
            }
            let block = "features.\(number).block"
            guard var place = place(rest, isFirst: stage == 0, true) else { return name }
            // Where nothing is squeezed, what follows moves up.
            if stage > 0, place.hasPrefix("3."), !known.contains("\(block).2.fc1.weight") {
                place = "2." + place.dropFirst(2)
            }
            return "\(block).\(place)"
        default: break
        }
        return parts.joined(separator: ".")
    }

    /// The place of a part in its block; the blocks of the first stage do not widen.
    private static func place(_ rest: String, isFirst: Bool, _ isEfficient: Bool) -> String? {
        // What a depthwise block calls bn1 comes after its depthwise convolution.
        let names: [(String, String)]
        switch (isFirst, isEfficient) {
        case (true, true):
            names = [
                ("conv_dw", "0.0"), ("bn1", "0.1"), ("se.conv_reduce", "1.fc1"), ("se.conv_expand", "1.fc2"),
                ("conv_pw", "2.0"), ("bn2", "2.1"),
            ]
        case (true, false): names = [("conv_dw", "0.0"), ("bn1", "0.1"), ("conv_pw", "1"), ("bn2", "2")]
        case (false, true):
            names = [
                ("conv_pw", "0.0"), ("bn1", "0.1"), ("conv_dw", "1.0"), ("bn2", "1.1"),
                ("se.conv_reduce", "2.fc1"), ("se.conv_expand", "2.fc2"), ("conv_pwl", "3.0"), ("bn3", "3.1"),
            ]
        case (false, false):
            names = [
                ("conv_pw", "0.0"), ("bn1", "0.1"), ("conv_dw", "1.0"), ("bn2", "1.1"), ("conv_pwl", "2"),
                ("bn3", "3"),
            ]
        }
        for (theirs, ours) in names where rest.hasPrefix(theirs + ".") {
            return ours + rest.dropFirst(theirs.count)
        }
        return nil
    }
}

/// timm's batch normalisations, which all add one number to their variances; torchvision's of MobileNetV3 add another.
struct TimmNormalization {
    /// As PyTorch's `BatchNorm2d` does unless it is told otherwise.
    private static let epsilon = 1e-5

    /// By the name of its weight, the variances of each normalisation that adds something else, and what it adds.
    private let others: [String: (variances: String, epsilon: Double)]

    init(_ layout: ParameterLayout) {
        var others: [String: (variances: String, epsilon: Double)] = [:]
        for entry in layout.entries {
            guard let epsilon = entry.epsilon, epsilon != Self.epsilon else { continue }
            let module = entry.name.split(separator: ".").dropLast()
            others[(module + ["weight"]).joined(separator: ".")] = (entry.name, epsilon)
        }
        self.others = others
    }

    /// Whether all normalisations add what timm's do.
    var isSame: Bool { others.isEmpty }

    /// Scales the weights of normalisations so that with what theirs add they compute what timm's do.
    ///
    /// - Throws: `FormatError` with the code `unsupported` where the elements are no floating-point numbers.
    func applied(to tensors: [SafeTensor]) throws(FormatError) -> [SafeTensor] {
        guard !isSame else { return tensors }
        var variances: [String: [Double]] = [:]
        let names = Set(others.values.map(\.variances))
        for tensor in tensors where names.contains(tensor.name) {
            variances[tensor.name] = try tensor.values(as: Double.self)
        }
        var scaled: [SafeTensor] = []
        for tensor in tensors {
            guard let other = others[tensor.name], let variances = variances[other.variances] else {
                scaled.append(tensor)
                continue
            }
            // In double, whatever the file has: the weights are rounded once.
            let values = zip(try tensor.values(as: Double.self), variances).map { weight, variance in
                weight * ((variance + other.epsilon) / (variance + Self.epsilon)).squareRoot()
            }
            scaled.append(SafeTensor(name: tensor.name, shape: tensor.shape, values: values))
        }
        return scaled
    }
}
