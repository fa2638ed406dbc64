public import RRDatasets
internal import RRFormats

/// A table of what was found of each sample of an evaluation: separated by commas, with a header, as RFC 4180 has it.
///
/// Its columns are `id`, `label`, `prediction`, `p_NAME` for each class, `cross_entropy`, `group` where the dataset has groups,
/// and with masks the figures that `SampleExplanation` lists, 0 or 1 where they say whether something is so, empty where they
/// say nothing. Classes and groups are called by their names, by numbers where they have none.
public struct PredictionFile {
    private let output: AtomicOutput

    /// - Parameters:
    ///   - path: the file.
    ///   - force: whether a file that is there is replaced.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    public init(path: String, force: Bool = false) throws {
        output = try AtomicOutput(path: path, force: force)
    }

    /// Writes the table, which appears whole or not at all.
    ///
    /// - Parameters:
    ///   - evaluation: one that kept its samples.
    ///   - dataset: the dataset that was measured.
    /// - Throws: `FormatError` with the code `cannotWrite`; as `Dataset.ids()`.
    public func write(_ evaluation: Evaluation, of dataset: Dataset) throws {
        let ids = try dataset.ids()
        let hasMasks = evaluation.explanation != nil
        var header = ["id", "label", "prediction"]
        header += (0..<evaluation.classCount).map { "p_" + evaluation.className(of: $0) }
        header.append("cross_entropy")
        if dataset.groups != nil { header.append("group") }
        if hasMasks { header += Self.figures.map(\.name) }
        var bytes = Array(CSVRow.text(header).utf8)
        for sample in evaluation.samples ?? [] {
            var row = [
                ids[sample.index], evaluation.className(of: sample.label),
                evaluation.className(of: sample.prediction),
            ]
            row += sample.probabilities.map { Self.text($0) }
            row.append(Self.text(sample.crossEntropy))
            if let groups = dataset.groups { row.append(sample.group.map { groups.name(of: $0) } ?? "") }
            if hasMasks { row += Self.figures.map { sample.explanation.map($0.text) ?? "" } }
            bytes += CSVRow.text(row).utf8
        }
        try FileBytes.write(bytes, to: output.temporaryPath)
        try output.commit()
    }

    /// A column, and what it has of a sample.
    private struct Column {
        let name: String
        let text: (SampleExplanation) -> String

        init(_ name: String, _ value: @escaping (SampleExplanation) -> Double?) {
            self.name = name
            text = { PredictionFile.text(value($0)) }
        }

        init(_ name: String, flag: @escaping (SampleExplanation) -> Bool?) {
            self.name = name
            text = { flag($0).map { $0 ? "1" : "0" } ?? "" }
        }
    }

    private static var figures: [Column] {
        [
            Column("gradient_share_inside_mask", \.gradientShareInsideMask),
            Column("mask_share_of_area", \.maskShareOfArea),
            Column("relevance_rank_accuracy", \.rankAccuracy),
            Column("top_k_intersection", \.topIntersection),
            Column("pointing_game", flag: \.isLargestInside),
            Column("localization_area", \.localizationArea),
            Column("wrong_reason_score", \.wrongReason), Column("penalty", \.penalty),
            Column("randomized_flip", flag: \.isFlippedByNoise),
            Column("swap_inside_other_flip", flag: \.isFlippedByOtherPlace),
            Column("swap_inside_same_flip", flag: \.isFlippedBySamePlace),
            Column("swap_outside_other_flip", flag: \.isFlippedByOtherObject),
            Column("swap_outside_same_flip", flag: \.isFlippedBySameObject),
        ]
    }

    /// The shortest text that is read as the same number; nothing for none.
    private static func text(_ value: Double?) -> String {
        value.flatMap { $0.isFinite ? "\($0)" : nil } ?? ""
    }
}
