internal import RRFormats

/// What those who import labels should know before they train.
enum LabelRemarks {
    /// A sentence each on classes without a sample, and on a single class.
    static func notes(labels: [Int]?, classNames: [String]?) -> [Message] {
        guard let labels, let least = labels.min(), let most = labels.max() else { return [] }
        if least == most {
            let name = classNames.flatMap { $0.indices.contains(least) ? "“\($0[least])”" : nil }
            return [
                Message(
                    "all \(labels.count) samples are of one class (\(name ?? "label \(least)")): there is nothing to tell "
                        + "apart")
            ]
        }
        guard classNames == nil, least > 0 else { return [] }
        let empty = least == 1 ? "class 0 has no sample" : "classes 0 to \(least - 1) have no sample"
        return [
            Message(
                "the labels are \(least) to \(most), where labels count from 0: \(empty), and a network gets an output "
                    + "for \(least == 1 ? "it" : "each of them") all the same. Subtract \(least) where that is not meant"
            )
        ]
    }
}

extension ImportSummary {
    /// Networks take floating-point images as they are, and learn badly of numbers beyond this distance from 0.
    static let largestUnremarked: Float = 10

    static func remark(onMagnitude largest: Float) -> Message {
        """
        the images are floating-point numbers as far from 0 as \(largest), and reach a network as they are: train with \
        \(option: OptionName("normalization")), or divide them, by 255 where they are bytes
        """
    }
}
