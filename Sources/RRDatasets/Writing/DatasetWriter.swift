internal import RRFormats
package import RRSchemas
package import RRTensor
internal import Synchronization

/// Writes a dataset file: images in rows as they come, then all that belongs to the samples.
///
/// Nothing appears at the path before `commit`. Several threads may write images at once.
///
/// Unchecked: while images are written, only `rows`, which serves any thread, and `checksums` under its lock are
/// touched; all else is called by one thread, after the images are written.
package final class DatasetWriter: @unchecked Sendable {
    private var target: DatasetTarget
    private var output: AtomicOutput
    private let file: HDF5File
    private let images: HDF5Dataset
    private let rows: RowWriter
    private let checksums: Mutex<[UInt32]>

    /// How images come into the file, past libhdf5 where it would be slow.
    private enum RowWriter {
        case inOnePiece(HDF5RowWriter)
        case compressed(HDF5ChunkWriter)
    }

    /// The images that are compressed together: whole multiples, from one on, are written fastest.
    package var rowsPerChunk: Int {
        if case .compressed(let writer) = rows { writer.rowsPerChunk } else { 1 }
    }

    /// Starts a file with room for the images.
    ///
    /// - Parameters:
    ///   - color: `gray`, `rgb`, `gray-alpha`, `rgba` or `other`.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `DatasetError` with the code `empty`
    ///   where there is nothing to store.
    package convenience init(
        path: String, force: Bool, sampleCount: Int, imageShape: ImageShape, elementType: ImageElementType,
        color: String, compression: Compression
    ) throws {
        let target = DatasetTarget(
            path: path, force: force, imageShape: imageShape, elementType: elementType, color: color,
            compression: compression)
        try self.init(target, sampleCount: sampleCount)
    }

    private init(_ target: DatasetTarget, sampleCount: Int) throws {
        guard sampleCount > 0, target.imageShape.elementCount > 0 else {
            throw DatasetError(
                .empty, path: target.path,
                "there are no pixels to store: \(sampleCount) images \(target.imageShape)")
        }
        self.target = target
        self.output = try AtomicOutput(path: target.path, force: target.force)
        self.file = try HDF5File(creating: output)
        self.images = try file.createDataset(
            "/images", type: target.elementType.storedType,
            shape: TensorShape([sampleCount] + target.imageShape.dimensions),
            storage: target.storage(sampleCount: sampleCount))
        self.rows =
            switch target.compression {
            case .none: .inOnePiece(try HDF5RowWriter(images))
            case .deflate:
                .compressed(
                    HDF5ChunkWriter(
                        images, rowsPerChunk: target.rowsPerChunk(sampleCount: sampleCount),
                        level: DatasetTarget.deflateLevel))
            }
        self.checksums = Mutex(Array(repeating: 0, count: sampleCount))
    }

    /// Writes images; every row once.
    ///
    /// - Parameters:
    ///   - bytes: the elements of the rows, C order, little-endian.
    ///   - rows: rows of `/images`.
    ///   - checksums: the CRC-32 of each row's bytes.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func write(images bytes: UnsafeRawBufferPointer, rows: Range<Int>, checksums: [UInt32]) throws {
        precondition(checksums.count == rows.count)
        switch self.rows {
        case .inOnePiece(let writer): try writer.write(bytes, rows: rows)
        case .compressed(let writer): try writer.write(bytes, rows: rows)
        }
        self.checksums.withLock { $0.replaceSubrange(rows, with: checksums) }
    }

    /// Writes what belongs to the samples, after which only `commit` is left to do.
    ///
    /// - Parameters:
    ///   - rows: the rows to keep, increasing; nil for all. The other parameters are of those rows only.
    ///   - splits: a number of `splitNames` for each sample; nil where there is one split.
    ///   - groups: nil where the samples are in none.
    /// - Returns: the dataset's fingerprint.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func finish(
        keeping rows: [Int]? = nil, ids: some RandomAccessCollection<String>, labels: [Int]?,
        classNames: [String]?, splits: [UInt8]?, splitNames: [String], provenance: JSONValue,
        groups: SampleGroups? = nil
    ) throws -> String {
        try finish(
            keeping: rows, ids: ids, labels: labels, classNames: classNames, splits: splits,
            splitNames: splitNames, provenance: provenance, groups: groups, export: nil)
    }

    /// Writes what belongs to the samples that came from an export.
    ///
    /// - Parameter export: what the export says; where all is as it was exported, the file gets its colour and its
    ///   provenance, and so its bytes.
    package func finish(
        keeping rows: [Int]? = nil, ids: some RandomAccessCollection<String>, labels: [Int]?,
        classNames: [String]?, splits: [UInt8]?, splitNames: [String], provenance: JSONValue,
        groups: SampleGroups?, export: ExportMark?
    ) throws -> String {
        let checksums = checksums.withLock { $0 }
        if let rows, rows.count < checksums.count {
            let smaller = try copy(rows)
            let fingerprint = try smaller.finish(
                ids: ids, labels: labels, classNames: classNames, splits: splits, splitNames: splitNames,
                provenance: provenance, groups: groups, export: export)
            output = smaller.output
            target.color = smaller.target.color
            return fingerprint
        }
        precondition(ids.count == checksums.count)
        precondition(labels.map { $0.count == ids.count } ?? true)
        precondition(splits.map { $0.count == ids.count } ?? true)
        precondition(groups.map { $0.numbers.count == ids.count } ?? true)
        let fingerprint = DatasetFingerprint.compute(
            ids: ids, labels: labels, imageShape: target.imageShape, checksums: checksums)
        let content = ExportMark.content(
            fingerprint: fingerprint, classNames: classNames, splits: splits, splitNames: splitNames,
            groups: groups)
        let restored = export?.provenance(of: content)
        if restored != nil { target.color = export?.color ?? target.color }
        try file.setAttribute("DIMENSION_LABELS", of: "/images", to: .strings(["N", "C", "H", "W"]))
        try file.setAttribute("color", of: "/images", to: .string(target.color))
        if let labels {
            try writeList("/labels", labels.map { Int64($0) })
            if let classNames {
                try file.setAttribute("class_names", of: "/labels", to: .strings(classNames))
            }
        }
        let length = ids.lazy.map(\.utf8.count).max() ?? 0
        let idList = try file.createDataset(
            "/ids", type: .fixedString(length: max(1, length)), shape: TensorShape([ids.count]))
        try idList.writeStrings(ids)
        if let splits {
            try writeList("/split", splits)
            try file.setAttribute("split_names", of: "/split", to: .strings(splitNames))
        }
        if let groups {
            try writeList("/group", groups.numbers.map { Int64($0) })
            if let names = groups.names {
                try file.setAttribute("group_names", of: "/group", to: .strings(names))
            }
        }
        try writeList("/checksum", checksums)
        try file.setAttribute("format", to: .string(FileFormat.dataset.rawValue))
        try file.setAttribute("format_version", to: .string(FileFormat.version))
        try file.setAttribute("creator", to: .string(Dataset.creator))
        try file.setAttribute("fingerprint", to: .string(fingerprint))
        try file.setAttribute("provenance", to: .string(restored ?? provenance.serialized()))
        try file.close()
        return fingerprint
    }

    /// What the file calls the channels: where an export was restored, what the exported dataset called them.
    package var color: String { target.color }

    /// Where the file is before `commit`; once it is finished, a dataset that can be opened.
    package var temporaryPath: String { output.temporaryPath }

    /// Puts the finished file in its place.
    ///
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    package func commit() throws { try output.commit() }

    private func writeList<Element: HDF5Element>(_ name: String, _ elements: [Element]) throws {
        let dataset = try file.createDataset(
            name, type: Element.storedType, shape: TensorShape([elements.count]))
        let result = elements.withUnsafeBufferPointer { elements in
            Result { try dataset.write(elements, rows: 0..<elements.count) }
        }
        try result.get()
    }

    /// A writer of some of the rows; room in a contiguous array cannot be given back.
    private func copy(_ rows: [Int]) throws -> DatasetWriter {
        let smaller = try DatasetWriter(target, sampleCount: rows.count)
        switch target.elementType {
        case .uint8: try copy(rows, to: smaller, as: UInt8.self)
        case .uint16: try copy(rows, to: smaller, as: UInt16.self)
        case .float32: try copy(rows, to: smaller, as: Float.self)
        }
        return smaller
    }

    private func copy<Element: HDF5Element>(
        _ rows: [Int], to smaller: DatasetWriter, as type: Element.Type
    ) throws {
        let size = target.imageShape.elementCount
        let largestRun = max(1, (32 << 20) / (size * MemoryLayout<Element>.size))
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(
            capacity: min(largestRun, rows.count) * size)
        defer { buffer.deallocate() }
        var position = 0
        while position < rows.count {
            // A run of neighbours is copied at once.
            var count = 1
            while count < largestRun, position + count < rows.count,
                rows[position + count] == rows[position] + count
            {
                count += 1
            }
            let run = rows[position]..<rows[position] + count
            let images = UnsafeMutableBufferPointer(rebasing: buffer[..<(count * size)])
            try self.images.read(rows: run, as: type, into: images)
            try smaller.write(
                images: UnsafeRawBufferPointer(images), rows: position..<position + count,
                checksums: checksums.withLock { Array($0[run]) })
            position += count
        }
    }
}

/// Where a dataset is to be written, and what its images are.
private struct DatasetTarget {
    let path: String
    let force: Bool
    let imageShape: ImageShape
    let elementType: ImageElementType
    var color: String
    let compression: Compression

    static let deflateLevel = 6

    /// In one piece, or compressed chunks of whole images.
    func storage(sampleCount: Int) -> HDF5Storage {
        guard compression == .deflate else { return .reserved }
        let rows = rowsPerChunk(sampleCount: sampleCount)
        return .chunked([rows] + imageShape.dimensions, deflateLevel: Self.deflateLevel)
    }

    /// Images of about 64 KB, one at least.
    ///
    /// Of 60,000 images of 28×28, chunks of 8, 32, 64, 256 and 1,024 KB make files of 39, 31, 28, 27 and 27 MB, and
    /// h5py fetches an image at random in 0.06, 0.16, 0.29, 1.5 and 6.9 ms, and all in order in 0.29, 0.23, 0.26,
    /// 0.70 and 1.1 s.
    func rowsPerChunk(sampleCount: Int) -> Int {
        let imageSize = imageShape.elementCount * elementType.size
        return min(sampleCount, max(1, 65_536 / imageSize))
    }
}
