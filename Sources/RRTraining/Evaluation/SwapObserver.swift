internal import RRDatasets
internal import RRExplanation
internal import RRNetworks
internal import RRStreaming
internal import RRTensor

/// Watches what a model predicts when regions of samples become those of others.
final class SwapObserver<Scalar: NetworkScalar> {
    /// One way to swap: which region, and which of a sample's donors.
    private struct Kind {
        /// Whether what lies outside A is swapped.
        let isOutside: Bool
        /// Among the donors of `SwapDonors.Rows`.
        let donor: Int
        let outcome: WritableKeyPath<SwapOutcome, Bool?>
    }

    private static var kinds: [Kind] {
        [
            Kind(isOutside: false, donor: 0, outcome: \.insideOther),
            Kind(isOutside: false, donor: 1, outcome: \.insideSame),
            Kind(isOutside: true, donor: 2, outcome: \.outsideOther),
            Kind(isOutside: true, donor: 3, outcome: \.outsideSame),
        ]
    }

    /// What a thread needs to swap a region.
    private final class Scratch {
        var swap: RegionSwap
        var mask: [UInt8]
        var donorMask: [UInt8]

        init(_ shape: ImageShape) {
            swap = RegionSwap(shape: shape)
            mask = Array(repeating: 0, count: shape.elementCount)
            donorMask = mask
        }
    }

    private let predictor: BatchPredictor<Scalar>
    private let donors: SwapDonors
    private let stream: BatchStream
    private let shape: ImageShape
    private let scratch: [Scratch]

    /// - Parameters:
    ///   - predictor: the model that is watched.
    ///   - donors: which samples give their regions to which.
    ///   - rows: the samples that are watched, in the order in which they come, in batches of `options.batchSize`.
    ///   - options: how their images are resized and cropped.
    /// - Throws: as `BatchStream.init(dataset:masks:options:from:resources:givesStoredImages:)`.
    init(
        _ predictor: BatchPredictor<Scalar>, donors: SwapDonors, dataset: Dataset, masks: MaskSet,
        rows: [Int],
        options: StreamOptions
    ) throws {
        self.predictor = predictor
        self.donors = donors
        shape = predictor.input
        scratch = (0..<predictor.workers.count).map { [shape] _ in Scratch(shape) }
        var lists: [Int] = []
        for start in stride(from: 0, to: rows.count, by: options.batchSize) {
            let chosen = rows[start..<min(start + options.batchSize, rows.count)].map {
                masks.isAnnotated($0) ? donors.rows(for: $0) : SwapDonors.Rows()
            }
            for member in [\SwapDonors.Rows.insideOther, \.insideSame, \.outsideOther, \.outsideSame] {
                lists += chosen.map { $0[keyPath: member] }
            }
        }
        var options = options
        options.batchSize *= SwapDonors.Rows.count
        stream = try BatchStream(dataset: dataset, masks: masks, rows: lists, options: options)
    }

    /// Watches the next batch.
    ///
    /// - Parameter predictions: what the model says of the samples as they are.
    /// - Throws: as `BatchStream.next()` where a donor cannot be read.
    func observe(_ batch: Batch, predictions: [Int]) throws -> [SwapOutcome] {
        var outcomes = Array(repeating: SwapOutcome(), count: batch.count)
        guard let donors = try stream.next() else { return outcomes }
        for kind in Self.kinds {
            let samples = (0..<batch.count).filter {
                let donor = kind.donor * batch.count + $0
                return batch.annotated[$0] && donors.annotated[donor]
                    && (!kind.isOutside || Self.hasZero(batch, $0) && Self.hasZero(donors, donor))
            }
            guard !samples.isEmpty else { continue }
            let swapped = try predictor.predictions(of: samples, of: batch) { image, sample, worker in
                self.swap(image, sample, of: batch, with: donors, kind, worker)
            }
            for (sample, prediction) in zip(samples, swapped) {
                outcomes[sample][keyPath: kind.outcome] = prediction != predictions[sample]
                if kind.outcome == \.insideOther {
                    outcomes[sample].isRightInsideOther = Int64(prediction) == batch.labels[sample]
                }
            }
        }
        return outcomes
    }

    private static func hasZero(_ batch: Batch, _ sample: Int) -> Bool {
        let count = batch.imageShape.elementCount
        return batch.masks.withUnsafeBufferPointer { $0[sample * count..<(sample + 1) * count].contains(0) }
    }

    private func swap(
        _ image: UnsafeMutableBufferPointer<Float>, _ sample: Int, of batch: Batch, with donors: Batch,
        _ kind: Kind, _ worker: Int
    ) {
        let (count, scratch) = (shape.elementCount, scratch[worker])
        let donor = kind.donor * batch.count + sample
        func copy(_ masks: SharedElements<UInt8>, _ sample: Int, into mask: inout [UInt8]) {
            masks.withUnsafeBufferPointer { masks in
                for element in 0..<count {
                    mask[element] = masks[sample * count + element] ^ (kind.isOutside ? 1 : 0)
                }
            }
        }
        copy(batch.masks, sample, into: &scratch.mask)
        copy(donors.masks, donor, into: &scratch.donorMask)
        donors.images.withUnsafeBufferPointer { images in
            scratch.mask.withUnsafeBufferPointer { mask in
                scratch.donorMask.withUnsafeBufferPointer { donorMask in
                    // Each has something to give: the samples were chosen so.
                    _ = scratch.swap.swap(
                        image, mask: mask,
                        donor: UnsafeBufferPointer(rebasing: images[donor * count..<(donor + 1) * count]),
                        donorMask: donorMask)
                }
            }
        }
    }
}
