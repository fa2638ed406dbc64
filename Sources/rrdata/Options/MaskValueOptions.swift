internal import ArgumentParser
import RRDatasets
import RRPreparation

/// Which masks count, and what they mean.
struct MaskValueOptions: ParsableArguments {
    @Option(help: "What a 1 of the masks marks: wrong reasons, or the right region, which is then inverted.")
    var marks: MaskMarks = .wrong

    @Option(
        help: """
            Whether a sample whose mask is all zero is unannotated, or annotated and kept as it is; unannotated by \
            default, but for a folder of `rrdata export pngs`.
            """)
    var empty: EmptyMasks?

    @Option(
        help:
            "Mask images: the name without its extension, with {id} where the id stands: '{id}_segmentation'."
    )
    var match: String?

    @Option(
        help: "Mask images, arrays: palette numbers or values that count as 1, such as 2,3; all others are 0."
    )
    var maskValues: ValueList?

    @Option(
        help: """
            Soft masks: from which share of the largest gray value a pixel counts as 1; of arrays, from which value.
            """)
    var maskThreshold: Double?

    func apply(to options: inout MaskImport.Options) {
        options.marks = marks
        options.empty = empty
        options.match = match
        options.maskValues = maskValues?.values
        options.maskThreshold = maskThreshold
    }

    /// Whether an option is given that only masks have a use for.
    var isGiven: Bool {
        marks != .wrong || empty != nil || match != nil || maskValues != nil || maskThreshold != nil
    }
}
