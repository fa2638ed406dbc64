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
