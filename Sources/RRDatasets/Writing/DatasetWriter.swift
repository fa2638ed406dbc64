package import RRFormats
package import RRSchemas
public import RRTensor
internal import Synchronization

/// Writes a dataset file: images in any order, from any number of threads, then all that belongs to the samples.
///
/// Memory does not grow with the number of images. Nothing appears at the path before the dataset is whole.
///
/// ```swift
/// let writer = try DatasetWriter(path: "d.h5", sampleCount: 100, imageShape: shape, elementType: .uint8)
/// for index in 0..<100 { try writer.write(image(index), at: index) }
/// let dataset = try writer.finish(SampleTable(labels: labels, classNames: ["bag", "coat"]))
/// ```
///
/// Unchecked: while images are written, only `rows`, which serves any thread, `taken` and `writtenCount`, which are
/// atomic, and `checksums` under its lock are touched; all else is called by one thread, after all images are written.
public final class DatasetWriter: @unchecked Sendable {
    let imageShape: ImageShape
    let elementType: ImageElementType
    let color: String
    let compression: Compression
    /// Where the dataset is to appear. Once `complete` has returned, a dataset that can be opened is at its temporary path,
    /// and committing it is all that is left to do.
    package let output: AtomicOutput
    private let file: HDF5File
    let images: HDF5Dataset
    private let rows: RowWriter
    let checksums: Mutex<[UInt32]>
    /// The samples whose images are written, or being written.
    private let taken: SampleFlags
    private let writtenCount = Atomic<Int>(0)
    private let isFinished = Atomic<Bool>(false)

    /// How images come into the file, past libhdf5 where it would be slow.
    private enum RowWriter {
        case inOnePiece(HDF5RowWriter)
        case compressed(HDF5ChunkWriter)
    }

    private static let deflateLevel = 6

    /// The images that are compressed together: whole multiples, from one on, are written fastest.
    package var rowsPerChunk: Int {
        if case .compressed(let writer) = rows { writer.rowsPerChunk } else { 1 }
    }

    /// Starts a file with room for the images.
    ///
    /// - Parameters:
    ///   - path: where the dataset appears.
    ///   - force: whether a file that is there is replaced.
    ///   - sampleCount: the number of images, at least 1.
    ///   - imageShape: the shape `(C, H, W)` of every image.
    ///   - elementType: the type that images are stored in.
    ///   - color: `gray`, `rgb`, `gray-alpha`, `rgba` or `other`; nil for what the number of channels
    ///     suggests.
    ///   - compression: whether images are compressed, 64 KB or one image at a time.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `DatasetError` with the code `empty`
    ///   where there is nothing to store.
    public init(
        path: String, force: Bool = false, sampleCount: Int, imageShape: ImageShape,
        elementType: ImageElementType, color: String? = nil, compression: Compression = .none
    ) throws {
        guard sampleCount > 0, imageShape.elementCount > 0 else {
            throw DatasetError(
                .empty, path: path, "there are no pixels to store: \(sampleCount) images \(imageShape)")
        }
        self.imageShape = imageShape
        self.elementType = elementType
        self.color = color ?? Dataset.color(channels: imageShape.channels)
        self.compression = compression
        let output = try AtomicOutput(path: path, force: force)
        self.output = output
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
        let rowsPerChunk = Self.rowsPerChunk(
            sampleCount: sampleCount, imageSize: imageShape.elementCount * elementType.size)
        images = try file.createDataset(
            "/images", type: elementType.storedType,
            shape: TensorShape([sampleCount] + imageShape.dimensions),
            storage: compression == .none
                ? .reserved
                : .chunked([rowsPerChunk] + imageShape.dimensions, deflateLevel: Self.deflateLevel))
        rows =
            switch compression {
            case .none: .inOnePiece(try HDF5RowWriter(images))
            case .deflate:
                .compressed(HDF5ChunkWriter(images, rowsPerChunk: rowsPerChunk, level: Self.deflateLevel))
            }
        checksums = Mutex(Array(repeating: 0, count: sampleCount))
        taken = SampleFlags(count: sampleCount)
    }

    /// Images of about 64 KB, one at least.
    ///
    /// Of 60,000 images of 28×28, chunks of 8, 32, 64, 256 and 1,024 KB make files of 39, 31, 28, 27 and 27 MB, and
    /// h5py fetches an image at random in 0.06, 0.16, 0.29, 1.5 and 6.9 ms, and all in order in 0.29, 0.23, 0.26,
    /// 0.70 and 1.1 s.
    private static func rowsPerChunk(sampleCount: Int, imageSize: Int) -> Int {
        min(sampleCount, max(1, 65_536 / imageSize))
    }

    /// Writes the image of a sample, `(C, H, W)`; each sample has one.
    ///
    /// - Throws: `DatasetError` with the code `indexOutOfRange`, `wrongShape`, `wrongType` where images are stored in
    ///   another type, or `duplicateImage`; `FormatError` with the code `cannotWrite`, after which the file is of no
    ///   more use.
    public func write(_ image: Tensor<UInt8>, at index: Int) throws { try write(image, .uint8, at: index) }

    /// Writes the image of a sample as `write(_:at:)` of bytes does.
    public func write(_ image: Tensor<UInt16>, at index: Int) throws { try write(image, .uint16, at: index) }

    /// Writes the image of a sample as `write(_:at:)` of bytes does. What is stored reaches a network as it is.
    public func write(_ image: Tensor<Float>, at index: Int) throws { try write(image, .float32, at: index) }

    private func write<Element: BitwiseCopyable>(
        _ image: Tensor<Element>, _ type: ImageElementType, at index: Int
    ) throws {
        let path = output.path
        guard index >= 0, index < images.shape[0] else {
            throw DatasetError(
                .indexOutOfRange, path: path,
                "there is no sample \(index); the samples are 0 to \(images.shape[0] - 1)")
        }
        guard image.shape.dimensions == imageShape.dimensions else {
            throw DatasetError(
                .wrongShape, path: path,
                "the image of sample \(index) is \(image.shape), but images are \(imageShape)")
        }
        guard type == elementType else {
            throw DatasetError(
                .wrongType, path: path,
                "the image of sample \(index) is \(type.rawValue), but images are stored as \(elementType.rawValue)"
            )
        }
        try image.elements.withUnsafeBytes { bytes in
            try write(images: bytes, rows: index..<index + 1, checksums: [CRC32.checksum(of: bytes)])
        }
    }

    /// Writes images; every row once.
    ///
    /// - Parameters:
    ///   - bytes: the elements of the rows, C order, little-endian.
    ///   - rows: rows of `/images`.
    ///   - checksums: the CRC-32 of each row's bytes.
    /// - Throws: `DatasetError` with the code `duplicateImage`; `FormatError` with the code `cannotWrite`.
    package func write(images bytes: UnsafeRawBufferPointer, rows: Range<Int>, checksums: [UInt32]) throws {
        precondition(checksums.count == rows.count)
        for row in rows where !taken.insert(row) {
            throw DatasetError(.duplicateImage, path: output.path, "sample \(row) has an image already")
        }
        switch self.rows {
        case .inOnePiece(let writer): try writer.write(bytes, rows: rows)
        case .compressed(let writer): try writer.write(bytes, rows: rows)
        }
        self.checksums.withLock { $0.replaceSubrange(rows, with: checksums) }
        writtenCount.add(rows.count, ordering: .acquiringAndReleasing)
    }

    /// Writes what belongs to the samples, and puts the file in its place.
    ///
    /// - Parameters:
    ///   - table: a row for each sample. Without ids the samples are called by their numbers, `0`, `1` and so on.
    ///   - provenance: what the file is to say of its making.
    /// - Returns: the dataset, opened.
    /// - Throws: `DatasetError` with the code `missingImage` where a sample has no image; `wrongShape`, `duplicateId`,
    ///   `unsafeId`, `missingLabels`, `labelOutOfRange`, `splitOutOfRange`, `groupOutOfRange` or `wrongAttribute` where
    ///   the table does not fit; then it can be called again. `FormatError` with the code `outputExists` or
    ///   `cannotWrite`, also for a second dataset of one writer.
    public func finish(_ table: SampleTable, provenance: [String: String] = [:]) throws -> Dataset {
        try table.check(sampleCount: images.shape[0], path: output.path)
        try checkImages()
        guard !isFinished.exchange(true, ordering: .relaxed) else {
            throw FormatError(.cannotWrite, path: output.path, "the dataset is finished already")
        }
        _ = try complete(table, provenance: .object(provenance.mapValues { .string($0) }))
        try output.commit()
        return try Dataset(path: output.path)
    }

    private func checkImages() throws(DatasetError) {
        let count = images.shape[0]
        let missing = count - writtenCount.load(ordering: .acquiring)
        guard missing > 0 else { return }
        let first = (0..<count).first { !taken.contains($0) }.map { ": sample \($0) is the first" } ?? ""
        throw DatasetError(
            .missingImage, path: output.path, "\(missing) of \(count) samples have no image\(first)")
    }
}

// For those who make datasets of other files: what a file says of its making is known only once all else is.
extension DatasetWriter {
    /// What a dataset says of its making.
    package struct Origin {
        package let provenance: String
        /// What the channels are called; nil for what the writer was told.
        package let color: String?
        /// The size of each image before it was resized; nil for what the table says.
        package let sourceSizes: [ImageSize]?

        package init(provenance: String, color: String? = nil, sourceSizes: [ImageSize]? = nil) {
            self.provenance = provenance
            self.color = color
            self.sourceSizes = sourceSizes
        }
    }

    /// Writes what belongs to the samples, after which only committing the output is left to do.
    ///
    /// - Parameter table: one that fits; it is not checked.
    /// - Returns: the dataset's fingerprint.
    /// - Throws: `FormatError` with the code `cannotWrite`; `DatasetError` with the code `missingImage`.
    package func complete(_ table: SampleTable, provenance: JSONValue) throws -> String {
        let origin = Origin(provenance: provenance.serialized())
        return try complete(table, id: { table.ids?[$0] ?? String($0) }) { _ in origin }
    }

    /// Writes what belongs to the samples, with ids that need not be held in memory.
    ///
    /// - Parameters:
    ///   - id: the id of a sample, in place of those of the table.
    ///   - origin: called with the dataset's fingerprint.
    package func complete(
        _ table: SampleTable, id: (_ index: Int) -> String, origin: (_ fingerprint: String) -> Origin
    ) throws -> String {
        try checkImages()
        let checksums = checksums.withLock { $0 }
        let (fingerprint, idDigest, longestId) = DatasetFingerprint.summary(
            id: id, labels: table.labels, imageShape: imageShape, checksums: checksums)
        let origin = origin(fingerprint)
        var content = ContentWriter(file)
        content.note(images)
        try content.set("DIMENSION_LABELS", of: "/images", to: ["N", "C", "H", "W"])
        try content.set("color", of: "/images", to: origin.color ?? color)
        if let labels = table.labels {
            try content.write(labels.map { Int64($0) }, as: "/labels")
            if let classNames = table.classNames {
                try content.set("class_names", of: "/labels", to: classNames)
            }
        }
        let ids = try file.createDataset(
            "/ids", type: .fixedString(length: max(1, longestId)), shape: TensorShape([checksums.count]))
        try ids.writeStrings(id)
        content.note(ids, digest: idDigest)
        if let splits = table.splits {
            try content.write(splits, as: "/split")
            try content.set("split_names", of: "/split", to: table.splitNames)
        }
        if let groups = table.groups {
            try content.write(groups.numbers.map { Int64($0) }, as: "/group")
            if let names = groups.names { try content.set("group_names", of: "/group", to: names) }
        }
        if let sizes = table.sourceSizes ?? origin.sourceSizes {
            try content.write(
                sizes.flatMap { [Int32($0.height), Int32($0.width)] }, as: "/source_size",
                shape: [sizes.count, 2])
        }
        try content.write(checksums, as: "/checksum")
        try content.set("fingerprint", to: fingerprint)
        try content.set("provenance", to: origin.provenance)
        try content.finish(.dataset)
        try file.close()
        return fingerprint
    }
}
