package import RRDatasets
package import RRFormats
package import RRTensor

/// Which samples a stream gives, in which order and in what portions.
///
/// With the dataset and the masks they decide every batch; nothing else does. `RRStreaming.docc/stream-order.md` has the
/// definition.
public struct StreamOptions: Hashable, Sendable {
    /// The number of samples in a batch, at least 1.
    public var batchSize: Int
    /// Whether each epoch has a random order of its own; else that of the dataset.
    public var isShuffled: Bool
    /// Decides the random orders and the augmentation.
    public var seed: UInt64
    /// The number of passes over the samples, at least 1.
    public var epochs: Int
    /// A split's name or `all`; nil for `train` where the dataset has splits, else all samples.
    public var split: String?
    /// Whether what is left at an epoch's end, too little for a whole batch for every rank, is left out.
    public var dropsLast: Bool
    /// Which part of the stream this process takes, from 0: every `world`-th position of the order.
    public var rank: Int = 0
    /// The number of processes that share the stream.
    public var world: Int = 1
    /// How often samples of each class are drawn; nil for each sample once an epoch. Needs `isShuffled`.
    public var balance: ClassBalance?
    /// Whether samples without a mask are left out.
    public var annotatedOnly: Bool = false
    /// The share of annotated samples among every `batchSize` positions of the order, from 0 to 1; nil for chance to
    /// decide. Needs `isShuffled`.
    public var annotatedFraction: Double?
    /// The ids of the samples to take, all in the split, in any order; nil for all.
    public var ids: [String]?
    /// What is changed at random in images and masks; nil for nothing.
    public var augmentation: Augmentation?
    /// What brings every image and mask to one size before they are changed at random; nil for the dataset's. Where the
    /// augmentation resamples crops of its own, these are taken from the dataset's images in its place.
    public var resizeCrop: ResizeCrop?

    /// Whether each annotated sample comes with an image in which another annotated sample's fills its mask.
    package var swapsRegions = false

    public init(
        batchSize: Int, isShuffled: Bool = false, seed: UInt64 = 0, epochs: Int = 1, split: String? = nil,
        dropsLast: Bool = false, annotatedFraction: Double? = nil, augmentation: Augmentation? = nil
    ) {
        self.batchSize = batchSize
        self.isShuffled = isShuffled
        self.seed = seed
        self.epochs = epochs
        self.split = split
        self.dropsLast = dropsLast
        self.annotatedFraction = annotatedFraction
        self.augmentation = augmentation
    }

    /// The largest number of ranks.
    public static let largestWorld = 1 << 20

    /// The resizing that the images of batches pass through.
    var resizeCropOfStream: ResizeCrop? {
        augmentation?.resizesCrops ?? false ? nil : resizeCrop
    }

    /// The shape of the images in batches, of a dataset whose images have a shape.
    ///
    /// - Throws: `DatasetError` with the code `invalidOption` where they would have too many elements to count.
    package func imageShape(of shape: ImageShape) throws(DatasetError) -> ImageShape {
        let resized = try resizeCropOfStream.map { (crop) throws(DatasetError) in
            try shape.with(height: crop.height, width: crop.width)
        }
        return try augmentation?.imageShape(of: resized ?? shape) ?? resized ?? shape
    }

    /// - Throws: `DatasetError` with the code `invalidOption` where an option is out of range or contradicts another.
    func check() throws(DatasetError) {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(DatasetError) {
            guard condition else { throw DatasetError(.invalidOption, path: "", message()) }
        }
        try require(batchSize >= 1, "the batch size is \(batchSize), but must be at least 1")
        try require(epochs >= 1, "the number of epochs is \(epochs), but must be at least 1")
        try require(
            1...Self.largestWorld ~= world,
            "the number of ranks is \(world), but must be from 1 to \(Self.largestWorld)")
        try require(0..<world ~= rank, "the rank is \(rank), but the ranks are 0 to \(world - 1)")
        if let annotatedFraction {
            try require(
                0...1 ~= annotatedFraction,
                "the annotated fraction is \(annotatedFraction), but must be from 0 to 1")
            try require(
                !annotatedOnly,
                "an annotated fraction and annotated samples only contradict each other: give one of them")
            try require(
                balance == nil,
                "balanced classes and an annotated fraction contradict each other: give one of them")
        }
        try require(
            isShuffled || (balance == nil && annotatedFraction == nil),
            "balanced classes and an annotated fraction are draws, which have no order of the dataset: add shuffling"
        )
        if case .weights(let weights)? = balance {
            try require(
                ClassBalance.areUsable(weights),
                "the weights of the classes must be at least 0, and not all 0")
        }
    }
}

extension OptionName {
    static let color = OptionName("color")
    static let masks = OptionName("masks")

    /// The option that a member of a cursor's `options` records, by its name.
    init(recordedAs member: String) {
        let others = ["augment": "augmentation", "drop_last": "dropsLast", "shuffle": "isShuffled"]
        self = others[member].map { OptionName($0) } ?? OptionName(snakeCase: member)
    }

    /// `batchSize` for `batch_size`.
    package init(snakeCase name: String) {
        let words = name.split(separator: "_")
        self.init(
            words.prefix(1).joined()
                + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined())
    }
}
