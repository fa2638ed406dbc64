/// torchvision's names for what timm calls otherwise; its ResNet and DenseNet have the same names.
///
/// timm's MobileNetV3 is not the same function, for its normalisations have another eps.
enum TimmNames {
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
