import RRFormats
import RRReports
import RRSchemas
import RRTensor
import RRTraining

/// What `make-masks` says at its end.
struct MaskMakingReport {
    let path: String
    /// One mask set, or one for each class.
    let sets: [MaskMakingSummary]
    let isPerClass: Bool

    var json: JSONValue {
        let first = sets.first
        var members: [String: JSONValue] = [
            "output": .string(path), "samples": .integer(first?.sampleCount ?? 0),
            "mask_shape": .array(first?.maskShape.dimensions.map { .integer($0) } ?? []),
        ]
        if isPerClass {
            members["classes"] = .array(
                sets.enumerated().map { index, masks in
                    let file: [String: JSONValue] = [
                        "class": .integer(index), "file": .string(MaskMaking.fileName(ofClass: index)),
                    ]
                    return .object(file.merging(Self.counts(of: masks)) { first, _ in first })
                })
        } else if let first {
            members.merge(Self.counts(of: first)) { first, _ in first }
        }
        return .object(members)
    }

    private static func counts(of masks: MaskMakingSummary) -> [String: JSONValue] {
        [
            "annotated": .integer(masks.annotatedCount),
            "zero_gradient": .integer(masks.zeroGradientCount), "ones": .integer(masks.oneCount),
        ]
    }

    var text: String {
        sets.enumerated().map { index, masks in
            let name = isPerClass ? "/" + MaskMaking.fileName(ofClass: index) : ""
            let mean = Double(masks.oneCount) / Double(max(masks.annotatedCount, 1))
            var text =
                "\(path.legible)\(name): masks for \(masks.annotatedCount) samples, \(Figure.text(mean)) of "
                + "\(masks.maskShape.elementCount) elements each on average"
            if masks.zeroGradientCount > 0 {
                text +=
                    "; \(masks.zeroGradientCount) of \(masks.sampleCount) samples got none, since their input "
                    + "gradient is zero"
            }
            return text
        }.joined(separator: "\n")
    }
}
