internal import ArgumentParser
import RRFormats
import RRStreaming

/// Which samples a stream draws, and how ranks share it.
struct SampleOptions: ParsableArguments {
    @Option(help: "This process's part of the stream: every --world-th position of the order, from 0.")
    var rank = 0

    @Option(help: "The number of processes that share the stream; 1 has all of it.")
    var world = 1

    @Option(help: ClassBalance.argumentHelp)
    var balance: ClassBalance?

    @Flag(help: "Leave out samples without a mask.")
    var annotatedOnly = false

    @Option(help: "The share of annotated samples in every batch, from 0 to 1.")
    var annotatedFraction: Double?

    @Option(help: "A text file with the ids of the samples to take, one a line.")
    var ids: String?

    @Option(
        help: ArgumentHelp(
            "Random changes of images and masks, with commas between them: \(Augmentation.grammar).",
            discussion: """
                resized-crop:HxW[:A0:A1[:R0:R1]] resamples a random part of A0 to A1 of the area (0.08:1) and a width of R0 \
                to R1 heights (0.75:1.333) to H x W pixels. rotate:D turns by -D to D degrees, rotate:D0:D1 by D0 to D1. \
                hue:H, for RGB, turns colours by -H to H of the circle. blur:K[:S0:S1] has K x K pixels and a standard \
                deviation of S0 to S1 (0.1:2). All are those of torchvision; masks move with their images.
                """, valueName: "changes"))
    var augment: Augmentation?

    @Option(help: ResizeCrop.argumentHelp)
    var resizeCrop: ResizeCrop?

    func validate() throws {
        guard world >= 1, world <= StreamOptions.largestWorld else {
            throw ValidationError("--world must be from 1 to \(StreamOptions.largestWorld)")
        }
        guard rank >= 0, rank < world else {
            throw ValidationError("--rank must be from 0 to \(world - 1), one less than --world")
        }
        if resizeCrop != nil, let augment, augment.resizesCrops {
            throw ValidationError(
                "--resize-crop and --augment resized-crop both decide the size of images: give one of them")
        }
        if let annotatedFraction, !(0...1).contains(annotatedFraction) {
            throw ValidationError("--annotated-fraction must be from 0 to 1")
        }
    }

    /// Writes the options where the stream takes them.
    ///
    /// - Throws: `FormatError` where the list of ids cannot be read.
    func apply(to options: inout StreamOptions) throws {
        options.rank = rank
        options.world = world
        options.balance = balance
        options.annotatedOnly = annotatedOnly
        options.annotatedFraction = annotatedFraction
        options.augmentation = augment
        options.resizeCrop = resizeCrop
        options.ids = try ids.map(Self.lines(of:))
    }

    /// Whether a line ends here; a CR LF ends it twice, with an empty line between.
    private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xA...0xD, 0x85, 0x2028...0x2029: true
        default: false
        }
    }

    /// The ids of a list.
    ///
    /// - Throws: `FormatError` where it cannot be read, is no UTF-8, or is empty.
    static func lines(of path: String) throws -> [String] {
        // The ids themselves may have been given, and many are longer than a name may be.
        guard FileTree.kind(of: path) != nil else {
            throw FormatError(
                .notFound, path: path,
                "there is no such file: --ids names a text file with an id on each line")
        }
        guard let text = String(validating: try FileBytes.read(path, takesPipe: true), as: UTF8.self) else {
            throw FormatError(.malformed, path: path, "a list of ids is UTF-8 text, and this is not")
        }
        let ids = text.unicodeScalars.split(whereSeparator: Self.endsLine).map(String.init)
        guard !ids.isEmpty else {
            throw FormatError(.malformed, path: path, "the list of ids is empty: write an id on each line")
        }
        return ids
    }
}

extension ClassBalance {
    /// Of the commands that draw samples.
    static var argumentHelp: ArgumentHelp {
        ArgumentHelp(
            "equal for classes that are drawn as often, groups for groups, or a weight for each class with commas between them.",
            valueName: "equal|groups|W0,W1,…")
    }
}
