/// Which samples a stream gives, in which order and in what portions.
public struct StreamOptions: Hashable, Sendable {
    /// The number of samples in a batch, at least 1.
    public var batchSize: Int
    /// Whether each epoch has a random order of its own; else that of the dataset.
    public var shuffle: Bool
    /// Decides the random orders.
    public var seed: UInt64
    /// The number of passes over the samples, at least 1.
    public var epochs: Int
    /// A split's name or `all`; nil for `train` where the dataset has splits, else all samples.
    public var split: String?
    /// Whether the last batch of an epoch is left out where it is smaller than the others.
    public var dropLast: Bool

    public init(
        batchSize: Int, shuffle: Bool = false, seed: UInt64 = 0, epochs: Int = 1, split: String? = nil,
        dropLast: Bool = false
    ) {
        self.batchSize = batchSize
        self.shuffle = shuffle
        self.seed = seed
        self.epochs = epochs
        self.split = split
        self.dropLast = dropLast
    }
}
