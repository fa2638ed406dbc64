/// Which samples make up each batch of each epoch: a function of the options, not a state.
struct SampleOrder: Sendable {
    /// The samples of the split, in the order of the dataset.
    let samples: [Int]
    private let options: StreamOptions

    init(samples: [Int], options: StreamOptions) {
        self.samples = samples
        self.options = options
    }

    var batchesPerEpoch: Int {
        let whole = samples.count / options.batchSize
        return options.dropLast || samples.count % options.batchSize == 0 ? whole : whole + 1
    }

    var samplesPerEpoch: Int {
        options.dropLast ? batchesPerEpoch * options.batchSize : samples.count
    }

    /// The order of one epoch.
    func permutation(epoch: Int) -> KeyedPermutation? {
        options.shuffle ? KeyedPermutation(count: samples.count, seed: options.seed, epoch: epoch) : nil
    }

    /// The positions of the order that a batch of an epoch covers.
    func positions(ofBatch batch: Int) -> Range<Int> {
        let start = batch * options.batchSize
        return start..<start + min(options.batchSize, samples.count - start)
    }
}
