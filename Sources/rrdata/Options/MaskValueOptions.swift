internal import ArgumentParser
import RRDatasets
import RRPreparation

/// Which masks count, and what they mean.
struct MaskValueOptions: ParsableArguments {
    @Option(
        help:
            "What a 1 of the masks marks: wrong reasons, as A does, or the right region, which is then inverted."
    )
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

    @Option(help: "Mask images: colours that count as 1, such as FF0000,00FF00; all others are 0.")
    var maskColors: ColorList?

    @Option(
        help: """
            Soft masks: from which share of the largest gray value a pixel counts as 1; of arrays, from which value.
            """)
    var maskThreshold: Double?

    @OptionGroup var adjustment: MaskAdjustmentOptions

    func apply(to options: inout MaskImport.Options) {
        options.marks = marks
        options.empty = empty
        options.match = match
        options.maskValues = maskValues?.values
        options.maskColors = maskColors?.colors
        options.maskThreshold = maskThreshold
        options.adjustment = adjustment.adjustment
    }

    /// Whether an option is given that only masks have a use for.
    var isGiven: Bool {
        marks != .wrong || empty != nil || match != nil || maskValues != nil || maskThreshold != nil
            || maskColors != nil || adjustment.adjustment != MaskAdjustment()
    }
}

/// What is done to masks before anything else is made of them.
struct MaskAdjustmentOptions: ParsableArguments {
    @Flag(
        name: .customLong("invert"),
        help: "Masks have 0 where they mark something; 0 and 1 change places before all else.")
    var inverts = false

    @Option(
        name: .customLong("dilate"),
        help: """
            Let what is marked grow by that many pixels of the dataset's images to every side, corners included: a \
            square of 2N+1, as OpenCV's dilate has it.
            """)
    var dilation: Int?

    @Option(
        name: .customLong("erode"),
        help:
            "Let what is marked shrink by that many pixels from every side, but not from the image's border.")
    var erosion: Int?

    var adjustment: MaskAdjustment {
        MaskAdjustment(inverts: inverts, dilation: dilation, erosion: erosion)
    }
}

/// Colours as `FF0000,00FF00`.
struct ColorList: ExpressibleByArgument {
    let colors: [RGBColor]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        colors = parts.compactMap { RGBColor(hexadecimal: String($0)) }
        guard !colors.isEmpty, colors.count == parts.count else { return nil }
    }
}
