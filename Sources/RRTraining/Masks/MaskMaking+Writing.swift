internal import RRDatasets
internal import RRExplanation
internal import RRFormats
internal import RRNetworks
internal import RRSchemas
internal import RRStreaming
internal import RRTensor

extension MaskMaking {
    /// Makes masks from the input gradients of a trained model, and writes them to a mask set file as they come, which
    /// says how they were made.
    ///
    /// The images are normalised as in the run, whatever `normalization` says, and labels are matched with the classes of
    /// the run by name.
    ///
    /// - Parameters:
    ///   - run: the trained model.
    ///   - path: the file, which appears whole or not at all.
    ///   - precision: the number type to compute in. Near the K-th place the rounding of `float` would decide
    ///     which element is taken.
    ///   - force: whether an existing file is replaced.
    ///   - progress: is told of the samples done and of all.
    /// - Throws: as `run(network:parameters:progress:)`; `TrainingError` with the code `unknownClass` where the target is
    ///   the label and samples are of a class that the run does not know; `FormatError` where weights cannot be read or the file cannot
    ///   be written.
    public func write(
        _ run: Run, to path: String, precision: Precision = .double, force: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> MaskMakingSummary {
        try run.checkMasksFit()
        func write<Scalar: NetworkScalar>(_: Scalar.Type) throws -> MaskMakingSummary {
            let network = try Network<Scalar>(run.model)
            try network.checkMemory()
            var making = self
            making.normalization = run.normalization
            if target == .label { making.dataset = try run.matching(dataset).dataset }
            let parameters = try run.parameters(of: network)
            let provenance = self.provenance(weights: try run.weightsHash(), precision)
            let masks = try GradientMasks<Scalar>(making, output: (path, force))
            let attributions = try attributionPath.map {
                try AttributionFile<Scalar>($0, force: force, for: making)
            }
            try ModelGradients(making, network: network, parameters: parameters)
                .add(to: masks, saving: attributions, progress)
            let fingerprint = try dataset.fingerprint
            try masks.builder.finish(
                datasetFingerprint: fingerprint, provenance: provenance,
                before: attributions?.finish(datasetFingerprint: fingerprint, provenance: provenance))
            return masks.summary
        }
        return switch precision {
        case .float: try write(Float.self)
        case .double: try write(Double.self)
        }
    }

    /// Makes a mask set for every class k of a trained model, from the gradient of log p_k, in a folder that appears
    /// whole or not at all: `class-0.h5`, `class-1.h5`, ….
    ///
    /// The dataset is read once for each class, so that memory does not grow with their number.
    ///
    /// - Parameters:
    ///   - run: the trained model.
    ///   - path: the folder.
    ///   - precision: the number type to compute in.
    ///   - force: whether an existing folder of such mask sets is replaced.
    ///   - progress: is told of the gradients done and of all, over all classes.
    /// - Throws: as `write(_:to:precision:force:progress:)`; `FormatError` with the code `cannotWrite` also where
    ///   `force` would replace a folder that holds something else.
    public func writeClasses(
        _ run: Run, to path: String, precision: Precision = .double, force: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [MaskMakingSummary] {
        try run.checkMasksFit()
        func write<Scalar: NetworkScalar>(_: Scalar.Type) throws -> [MaskMakingSummary] {
            let network = try Network<Scalar>(run.model)
            try network.checkMemory()
            let (parameters, weights) = (try run.parameters(of: network), try run.weightsHash())
            let classCount = run.model.classCount
            if force, FileTree.kind(of: path) == .folder { try Self.checkReplaceable(path) }
            let folder = try AtomicOutput(path: path, force: force, isDirectory: true)
            var making = self
            making.normalization = run.normalization
            let summaries = try (0..<classCount).map { index in
                making.classIndex = index
                let path = folder.temporaryPath + "/" + Self.fileName(ofClass: index)
                let masks = try GradientMasks<Scalar>(making, output: (path, false))
                try ModelGradients(making, network: network, parameters: parameters).add(to: masks) {
                    progress(index * $1 + $0, classCount * $1)
                }
                try masks.builder.finish(
                    datasetFingerprint: try dataset.fingerprint,
                    provenance: making.provenance(weights: weights, precision))
                return masks.summary
            }
            try folder.commit()
            return summaries
        }
        return switch precision {
        case .float: try write(Float.self)
        case .double: try write(Double.self)
        }
    }

    /// The name of a class's mask set in the folder.
    package static func fileName(ofClass index: Int) -> String { "class-\(index).h5" }

    private static func checkReplaceable(_ path: String) throws {
        let listing = try FolderListing(of: path)
        let isOurs =
            listing.kinds.allSatisfy { $0 == .file }
            && listing.names.allSatisfy { $0.hasPrefix("class-") && $0.hasSuffix(".h5") }
        guard isOurs else {
            throw FormatError(
                .cannotWrite, path: path,
                "the folder holds other files than mask sets of classes, so \(option: .force) does not replace it: name "
                    + "another output, or remove it first")
        }
    }

    /// What masks say of the model that they were made from, and of a class where they are of one.
    private func provenance(weights: String, _ precision: Precision) -> JSONValue {
        var members: [String: JSONValue] = [
            "weights_sha256": .string(weights),
            "target": .string(classIndex == nil ? target.rawValue : "class"),
            "precision": .string(precision.rawValue),
        ]
        members["class"] = classIndex.map { .integer($0) }
        if let smoothing {
            members["smooth"] = [
                "copies": .integer(smoothing.copyCount), "noise": .number(smoothing.deviation),
                "seed": .string(String(smoothing.seed)),
            ]
        }
        return provenance(members)
    }

    /// What masks say of their making.
    func provenance(_ origin: [String: JSONValue]) -> JSONValue {
        var members: [String: JSONValue] = [
            "source": "make-masks", "top_k": .null, "top_fraction": .null, "threshold": .null,
            "per_pixel": .bool(isPerPixel), "split": .string(split),
            "union": union?.path.map { .string($0) } ?? .null,
        ]
        switch selection {
        case .top(let count): members["top_k"] = .integer(count)
        case .topFraction(let fraction): members["top_fraction"] = .number(fraction)
        case .threshold(let factor): members["threshold"] = .number(factor)
        }
        return .object(members.merging(origin) { $1 })
    }
}

/// Turns the input gradients of batches into masks of a set, joined with those of an older one, in memory that is used
/// again for the next batch.
final class GradientMasks<Scalar: NetworkScalar> {
    /// Takes the number of the thread, the sample's position in the batch and its gradient; several threads call it at
    /// once.
    typealias Selection = @Sendable (Int, Int, UnsafeBufferPointer<Scalar>) -> Void

    /// The elements of a mask as it is selected, all of which are ranked: one channel's where channels are summed.
    let maskSize: Int
    /// The number of samples since the last `removeAll()`.
    private(set) var sampleCount = 0

    private let dataset: Dataset
    private let makeBuilder: () throws -> MaskSetBuilder
    /// Where the masks go.
    private(set) var builder: MaskSetBuilder
    private var zeroGradientCount = 0
    /// The masks of a batch, (samples, elements of a mask), 0 or 1.
    private var masks: [UInt8] = []
    private var outcomes: [MaskOutcome] = []
    private var selectors: [MaskSelector<Scalar>]

    /// Gathers masks in memory, in whatever order the samples come, or writes them to a file as they come, in the order of
    /// the dataset.
    ///
    /// As many threads as the making has may hand over gradients.
    ///
    /// - Parameter output: the file, and whether it replaces one; nil for memory.
    /// - Throws: `ExplanationError` where the selection is impossible; `TensorError` where the masks have more elements
    ///   than memory can address; for a file also `FormatError` with the code `outputExists` or `cannotWrite`, and
    ///   `DatasetError` with the code `unknownSplit`.
    init(_ making: MaskMaking, output: (path: String, force: Bool)? = nil) throws {
        let (dataset, union) = (making.dataset, making.union)
        let image = dataset.imageShape
        let plane = try ImageShape(channels: 1, height: image.height, width: image.width)
        // Whole pixels take the channels of older masks that tell channels apart.
        let written = making.isPerPixel && (union?.maskShape.channels ?? 1) == 1 ? plane : image
        makeBuilder = {
            guard let output else {
                return try MaskSetBuilder(
                    maskShape: written, sampleCount: dataset.sampleCount, capacity: dataset.sampleCount,
                    union: union)
            }
            return try MaskSetBuilder(
                path: output.path, force: output.force, maskShape: written, sampleCount: dataset.sampleCount,
                samples: dataset.indices(inSplit: making.split), union: union)
        }
        builder = try makeBuilder()
        self.dataset = dataset
        let elementCount = (making.isPerPixel ? plane : image).elementCount
        try making.selection.check(elementCount: elementCount)
        maskSize = elementCount
        selectors = (0..<Workers(count: making.threadCount).count).map { _ in MaskSelector(making.selection) }
    }

    /// Adds the masks of a batch.
    ///
    /// - Parameters:
    ///   - indices: the sample that each mask belongs to.
    ///   - notFinite: the error for the gradient of a sample that cannot be ranked; nil for an `ExplanationError` with
    ///     the code `gradientNotFinite`.
    ///   - body: hands over the gradient of each sample, which has as many elements as a mask or a multiple, whole
    ///     channels.
    /// - Throws: what `body` throws, and the error for a gradient that is not finite.
    func add<Failure: Error, Result>(
        indices: SharedElements<Int64>, notFinite: ((Int) throws -> any Error)? = nil,
        _ body: (@escaping Selection) throws(Failure) -> Result
    ) throws -> Result {
        let size = maskSize
        if outcomes.count != indices.count {
            masks = Array(repeating: 0, count: indices.count * size)
            outcomes = Array(repeating: .zeroGradient, count: indices.count)
        }
        let result = try masks.withUnsafeMutableBufferPointer { masks throws(Failure) in
            try outcomes.withUnsafeMutableBufferPointer { outcomes throws(Failure) in
                try selectors.withUnsafeMutableBufferPointer { selectors throws(Failure) in
                    let memory = UncheckedSendable((masks, outcomes, selectors))
                    return try body { worker, position, gradient in
                        let (masks, outcomes, selectors) = memory.value
                        let mask = masks[position * size..<(position + 1) * size]
                        outcomes[position] = selectors[worker].select(
                            gradient, into: UnsafeMutableBufferPointer(rebasing: mask))
                    }
                }
            }
        }
        try masks.withUnsafeMutableBufferPointer { masks in
            try indices.withUnsafeBufferPointer { indices in
                for (position, outcome) in outcomes.enumerated() {
                    let index = Int(indices[position])
                    sampleCount += 1
                    switch outcome {
                    case .zeroGradient: zeroGradientCount += 1
                    case .notFinite: throw try notFinite?(index) ?? self.notFinite(sample: index)
                    case .mask:
                        let mask = UnsafeMutableBufferPointer(
                            rebasing: masks[position * size..<(position + 1) * size])
                        if size == builder.maskShape.elementCount {
                            try builder.add(mask, for: index)
                        } else {
                            try builder.add(repeating: UnsafeBufferPointer(mask), for: index)
                        }
                    }
                }
            }
        }
        return result
    }

    /// Forgets the masks so far.
    func removeAll() throws {
        builder = try makeBuilder()
        (sampleCount, zeroGradientCount) = (0, 0)
    }

    /// The masks that were gathered in memory, joined with the older ones, without samples that have none.
    func finish() throws -> (masks: MaskSet, summary: MaskMakingSummary) {
        let (bits, rows) = try builder.finish()
        let masks = try MaskSet(
            bits: bits, rows: rows, maskShape: builder.maskShape, datasetFingerprint: dataset.fingerprint)
        return (masks, summary)
    }

    /// What came of the masks so far.
    var summary: MaskMakingSummary {
        MaskMakingSummary(
            maskShape: builder.maskShape, sampleCount: sampleCount, zeroGradientCount: zeroGradientCount,
            annotatedCount: builder.annotatedCount, oneCount: builder.oneCount)
    }

    private func notFinite(sample index: Int) throws -> ExplanationError {
        ExplanationError(
            .gradientNotFinite,
            "the input gradient of sample \(index) (\(try dataset.ids()[index])) is not finite: the weights are of "
                + "no use")
    }
}

extension Run {
    /// Checks that input gradients are of the pixels of a dataset, whose masks they are to become.
    ///
    /// - Throws: `TrainingError` with the code `invalidOption` for a run that resizes and crops images.
    fileprivate func checkMasksFit() throws(TrainingError) {
        guard let resizeCrop else { return }
        throw TrainingError(
            .invalidOption, .option(.resizeCrop, value: resizeCrop.text),
            "is how this run sees images, and its input gradients are none of the dataset's own pixels: import the "
                + "images at the model's size, \(model.input.height)x\(model.input.width), and give model.json and the "
                + "weights in place of the run")
    }
}
