package import RRDatasets
internal import RRFormats
internal import RRNetworks
package import RRSchemas
internal import RRTensor

/// Input gradients, or any other attributions, that another program computed: an array of floating-point numbers with a
/// row for each sample of a dataset or of one of its splits.
///
/// A row is (C, H, W) or (C·H·W), or, for whole pixels, (H, W) or (1, H, W).
package final class StoredGradients {
    package let path: String
    /// Whether there is one number for each pixel, whatever the number of channels.
    package let isPerPixel: Bool

    /// The number of samples with a gradient.
    var sampleCount: Int { samples.count }
    /// The number of elements in a gradient: C · H · W, or H · W for whole pixels.
    var gradientSize: Int { array.elementsPerRow }

    private let array: any ArraySource
    /// The samples that have a gradient, in the order of the dataset.
    private let samples: [Int]
    /// Whether there is a row for every sample of the dataset, or for these alone.
    private let hasAllRows: Bool

    /// Opens a file of one array, NPY or any other that an import reads.
    ///
    /// - Parameter split: a split's name or `all`. A file may have a row for each of its samples in their order, or for
    ///   each sample of the dataset.
    /// - Throws: `FormatError` where the file cannot be read; `DatasetError` with the code `wrongType` or `wrongShape`
    ///   where it holds no gradients of the dataset, or `unknownSplit`.
    package init(path: String, for dataset: Dataset, split: String) throws {
        let file = try ArrayFile(path: path)
        let names = try file.names()
        guard names.count <= 1 else {
            throw FormatError(
                .unsupported, path: path,
                "the file holds \(names.joined(separator: ", ")); gradients come from a file of one array")
        }
        let array = try file.array(names.first)
        guard [.float16, .float32, .float64].contains(array.elementType) else {
            throw DatasetError(
                .wrongType, path: array.location,
                "the elements are \(array.elementType); gradients are float16, float32 or float64")
        }
        samples = try dataset.indices(inSplit: split)
        let rowCount = array.shape.dimensions.first
        hasAllRows = rowCount == dataset.sampleCount
        guard hasAllRows || rowCount == samples.count else {
            let part = split == "all" ? "" : ", \(samples.count) of them in the split “\(split)”"
            throw DatasetError(
                .wrongShape, path: array.location,
                "the gradients have the shape \(array.shape); \(dataset.path) has \(dataset.sampleCount) samples"
                    + "\(part), and each wants a row")
        }
        let image = dataset.imageShape
        let row = Array(array.shape.dimensions.dropFirst())
        switch row {
        case image.dimensions, [image.elementCount]: isPerPixel = false
        case [image.height, image.width], [1, image.height, image.width]: isPerPixel = true
        default:
            let isPixelsFirst = row == [image.height, image.width, image.channels]
            throw DatasetError(
                .wrongShape, path: array.location,
                "a row has the shape (\(row.map(String.init).joined(separator: ", "))); the images of \(dataset.path) "
                    + "are \(image)"
                    + (isPixelsFirst ? ": move the channels to the front" : ""))
        }
        self.path = path
        self.array = array
    }

    /// Calls a body with the samples of each block of rows and their gradients, in the order of the dataset.
    ///
    /// - Parameter body: takes the samples' numbers, and a function that writes the gradient of one of them, by its
    ///   position among those, to memory for a row; several threads may call it at once.
    /// - Throws: `FormatError` where the file is damaged, and what `body` throws.
    func forEachBlock(
        _ body: ([Int], @escaping @Sendable (Int, UnsafeMutableBufferPointer<Double>) -> Void) throws -> Void
    ) throws {
        let rowNumbers = hasAllRows ? samples : Array(samples.indices)
        var next = 0
        try array.forEachBlock { rows, bytes in
            let first = next
            while next < rowNumbers.count, rowNumbers[next] < rows.upperBound { next += 1 }
            guard next > first else { return }
            let memory = UncheckedSendable(bytes)
            let (size, type) = (array.bytesPerRow, array.elementType)
            try body(Array(samples[first..<next])) { position, target in
                let start = (rowNumbers[first + position] - rows.lowerBound) * size
                let row = UnsafeRawBufferPointer(rebasing: memory.value[start..<start + size])
                switch type {
                case .float16: Self.widen(row, of: Float16.self, into: target)
                case .float32: Self.widen(row, of: Float.self, into: target)
                default: Self.widen(row, of: Double.self, into: target)
                }
            }
        }
    }

    private static func widen<Element: BinaryFloatingPoint>(
        _ row: UnsafeRawBufferPointer, of type: Element.Type, into target: UnsafeMutableBufferPointer<Double>
    ) {
        let elements = row.assumingMemoryBound(to: type)
        for index in target.indices { target[index] = Double(elements[index]) }
    }

    /// The error for a gradient that cannot be ranked.
    func notFinite(sample index: Int, of dataset: Dataset) throws -> DatasetError {
        DatasetError(
            .valueOutOfRange, path: array.location,
            "the gradient of sample \(index) (\(try dataset.ids()[index])) is not finite")
    }

    /// The SHA-256 of the file, by which masks tell what they were made from.
    ///
    /// - Throws: `FormatError` where the file cannot be read.
    package func hash() throws -> String { try SHA256Hasher.hash(ofFileAt: path) }
}

extension MaskMaking {
    /// Makes masks from gradients or other attributions that another program computed, and writes them to a mask set
    /// file, which says how they were made.
    ///
    /// - Parameters:
    ///   - gradients: a file of one array of floating-point numbers with a row for each sample of the dataset, or of
    ///     the split in its order: (C, H, W) or (C·H·W), or, for whole pixels, (H, W) or (1, H, W). Their absolute
    ///     values are ranked; target and smoothing have no effect.
    ///   - path: the mask set's file, which appears whole or not at all.
    ///   - force: whether an existing file is replaced.
    ///   - progress: is told of the samples done and of all.
    /// - Throws: `ExplanationError` where the selection is impossible; `DatasetError` with the code `wrongType` or
    ///   `wrongShape` where the file holds no gradients of the dataset, `unknownSplit`, or `valueOutOfRange` where a
    ///   gradient is not finite; `FormatError` where a file cannot be read or written.
    public func write(
        gradientsAt gradients: String, to path: String, force: Bool = false,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> MaskMakingSummary {
        let stored = try StoredGradients(path: gradients, for: dataset, split: split)
        let origin: [String: JSONValue] = [
            "gradients": .string(gradients), "gradients_sha256": .string(try stored.hash()),
            "per_pixel": .bool(isPerPixel || stored.isPerPixel),
        ]
        return try write(
            gradients: stored, provenance: provenance(origin), path: path, force: force, progress: progress)
    }

    /// Makes masks from gradients that are stored already, and writes them to a mask set file.
    ///
    /// The target, the smoothing and the normalisation are those of whoever computed the gradients.
    ///
    /// - Throws: `ExplanationError` where the selection is impossible; `DatasetError` with the code `valueOutOfRange`
    ///   where a gradient is not finite; `FormatError` where a file cannot be read or written.
    package func write(
        gradients: StoredGradients, provenance: JSONValue, path: String, force: Bool,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> MaskMakingSummary {
        var making = self
        making.isPerPixel = isPerPixel || gradients.isPerPixel
        let workers = Workers(count: threadCount)
        let masks = try GradientMasks<Double>(making, output: (path, force))
        let size = gradients.gradientSize
        let rows = UnsafeMutableBufferPointer<Double>.allocate(capacity: workers.count * size)
        defer { rows.deallocate() }
        let memory = UncheckedSendable(rows)
        var done = 0
        try gradients.forEachBlock { samples, read in
            try masks.add(
                indices: SharedElements(samples.map(Int64.init)),
                notFinite: { try gradients.notFinite(sample: $0, of: dataset) }
            ) { select in
                workers.run(parts: samples.count) { worker, position in
                    let row = UnsafeMutableBufferPointer(
                        rebasing: memory.value[worker * size..<(worker + 1) * size])
                    read(position, row)
                    select(worker, position, UnsafeBufferPointer(row))
                }
            }
            done += samples.count
            progress(done, gradients.sampleCount)
        }
        try masks.builder.finish(datasetFingerprint: try dataset.fingerprint, provenance: provenance)
        return masks.summary
    }
}
