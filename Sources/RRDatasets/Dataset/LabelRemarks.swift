package import RRFormats

/// What those who read labels should know before they train.
package enum LabelRemarks {
    /// A sentence each on classes without a sample, and on a single class.
    package static func notes(labels: [Int]?, classNames: [String]?) -> [Message] {
        guard let labels, let least = labels.min(), let most = labels.max() else { return [] }
        if least == most {
            let name = classNames.flatMap { $0.indices.contains(least) ? "“\($0[least])”" : nil }
            return [
                Message(
                    "all \(labels.count) samples are of one class (\(name ?? "label \(least)")): there is nothing to tell "
                        + "apart")
            ]
        }
        if let classNames { return notes(onAlike: classNames) }
        guard least == 0 else {
            let empty = least == 1 ? "class 0 has no sample" : "classes 0 to \(least - 1) have no sample"
            return [
                Message(
                    "the labels are \(least) to \(most), where labels count from 0: \(empty), and a network gets an "
                        + "output for \(least == 1 ? "it" : "each of them") all the same. Subtract \(least) where that "
                        + "is not meant")
            ]
        }
        var isMet = [Bool](repeating: false, count: most + 1)
        for label in labels { isMet[label] = true }
        let missing = isMet.indices.filter { !isMet[$0] }
        guard let first = missing.first else { return [] }
        return [
            Message(
                "the labels are 0 to \(most), but \(missing.count) of these \(most + 1) classes \(missing.count == 1 ? "has" : "have") "
                    + "no sample, \(missing.count == 1 ? "" : "first ")\(first), and a network gets an output for each of them "
                    + "all the same")
        ]
    }
}

extension LabelRemarks {
    /// A sentence on classes whose names differ only in capitals and spaces.
    private static func notes(onAlike names: [String]) -> [Message] {
        let alike = Dictionary(grouping: names) { $0.lowercased().filter { !" _-".contains($0) } }
            .values.filter { $0.count > 1 }.map { $0.map { "“\($0)”" }.joined(separator: ", ") }.sorted()
        guard !alike.isEmpty else { return [] }
        return [
            Message(
                "classes whose names differ only in capitals, spaces and hyphens are classes of their own: "
                    + alike.prefix(3).joined(separator: "; ") + (alike.count > 3 ? "; …" : ""))
        ]
    }
}

extension Dataset {
    /// What those who train on all samples should know of their labels.
    package var labelRemarks: [Message] { LabelRemarks.notes(labels: labels, classNames: classNames) }
}
