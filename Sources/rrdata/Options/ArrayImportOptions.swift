internal import ArgumentParser
import RRDatasets
import RRPreparation
import RRTensor

/// How the arrays of an import are laid out and stored, whatever files they are in.
struct ArrayOptions: ParsableArguments {
    @OptionGroup var output: OutputOptions

    @Option(
        help:
            "The order of the images' dimensions: NCHW, NHWC, NWHC, NCWH, NHW or NWH; or, samples last, HWCN, WHCN, CWHN, HWN or WHN."
    )
    var layout: ArrayLayout?

    @Option(
        help:
            "The shape of an image, CxHxW or HxW, where each is a row of an array (N,D), in the order of --layout."
    )
    var shape: ImageShape?

    @Option(help: "An array of each image's group, whole numbers or names; may be repeated, as labels are.")
    var group: [String] = []

    @Option(
        help: """
            none, or deflate for a smaller file that any HDF5 reader inflates; none, which is read fastest, by default, but \
            for an export of a dataset that was compressed.
            """)
    var compress: Compression?

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var report: ReportOptions

    func paths(
        files: [String] = [], images: [String], labels: [String], masks: ArrayMaskOptions? = nil
    ) -> CommandPaths {
        var paths = CommandPaths(output)
        for file in files { paths.read(file) }
        paths.readArrays(images)
        paths.readArrays(labels, option: .labels)
        paths.readArrays(group)
        if let masks {
            paths.readArrays(masks.masks, option: .masks)
            paths.readArrays([masks.samples.rows, masks.samples.ids, masks.samples.flags].compactMap(\.self))
            paths.write(masks.masksOutput, .masksOutput)
        }
        return paths
    }

    /// Imports arrays, and prints the report.
    ///
    /// - Parameters:
    ///   - files: the files that hold the arrays; empty where each array is a file.
    ///   - masks: what says which masks are imported along; nil where the format has none.
    func run(
        _ format: ArrayImport.Format, files: [String] = [], images: [String], labels: [String],
        masks: ArrayMaskOptions? = nil, trustsLinks: Bool = false
    ) throws {
        var options = ArrayImport.Options(images: images)
        options.labels = labels
        options.trustsLinks = trustsLinks
        options.force = output.force
        options.layout = layout
        options.shape = shape
        options.groups = group
        options.compression = compress
        if let threadCount = threads.jobs { options.threadCount = threadCount }
        masks?.apply(to: &options)
        let work = ArrayImport(
            format: format, files: files, output: output.output, masksOutput: masks?.masksOutput,
            options: options)
        let summary = try ProgressLine.during("images") { try work.run(progress: $0) }
        ImportReport(summary: summary).print(as: report)
    }
}

/// What imports of arrays take that may have masks.
struct MaskedArrayOptions: ParsableArguments {
    @OptionGroup var masks: ArrayMaskOptions
    @OptionGroup var arrays: ArrayOptions

    func paths(files: [String] = [], images: [String], labels: [String]) -> CommandPaths {
        arrays.paths(files: files, images: images, labels: labels, masks: masks)
    }

    /// Imports arrays and their masks, and prints the report.
    func run(
        _ format: ArrayImport.Format, files: [String] = [], images: [String], labels: [String],
        trustsLinks: Bool = false
    ) throws {
        try arrays.run(
            format, files: files, images: images, labels: labels, masks: masks, trustsLinks: trustsLinks)
    }
}

/// The masks that are imported along with images.
struct ArrayMaskOptions: ParsableArguments {
    @Option(help: "An array of masks, 0 and 1 or 0 and 255; may be repeated.")
    var masks: [String] = []

    @Option(help: "Where the mask set is written; goes with --masks, or an export that holds masks.")
    var masksOutput: String?

    @Option(help: "The order of the masks' dimensions.")
    var masksLayout: ArrayLayout?

    @Option(
        help:
            "What a 1 of the masks marks: wrong reasons, as A does, or the right region, which is then inverted."
    )
    var marks: MaskMarks = .wrong

    @Option(
        help:
            "What a mask of zeros says: its sample is unannotated, as arrays with a row for every image mean, or annotated with nothing marked."
    )
    var empty: EmptyMasks = .unannotated

    @OptionGroup var samples: MaskedSampleOptions

    @Option(help: "The values of the masks that count as 1, such as 2,3; all others count as 0.")
    var maskValues: ValueList?

    @Option(help: "The least value of soft masks that counts as 1.")
    var maskThreshold: Double?

    @OptionGroup var adjustment: MaskAdjustmentOptions

    func apply(to options: inout ArrayImport.Options) {
        options.masks = masks
        options.masksLayout = masksLayout
        options.marks = marks
        options.empty = empty
        options.rows = samples.rows
        options.ids = samples.ids
        options.flags = samples.flags
        options.maskValues = maskValues?.values
        options.maskThreshold = maskThreshold
        options.maskAdjustment = adjustment.adjustment
    }
}

/// Which samples the masks of an array are for, where they are not for all in order.
struct MaskedSampleOptions: ParsableArguments {
    @Option(help: "An array of the row numbers of the images that the masks are for.")
    var rows: String?

    @Option(help: "An array of the ids of the samples that the masks are for.")
    var ids: String?

    @Option(help: "An array of a truth value for each image: whether it has a mask.")
    var flags: String?
}

/// Whole numbers as `2,3`.
struct ValueList: ExpressibleByArgument {
    let values: [Int]

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        values = numbers.compactMap { $0 }
        guard !values.isEmpty, values.count == numbers.count else { return nil }
    }
}
