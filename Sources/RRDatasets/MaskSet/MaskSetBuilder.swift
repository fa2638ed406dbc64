package import RRFormats
package import RRSchemas
package import RRTensor

/// Masks on their way into a mask set: in memory, in any order, or to a file as they come, so that memory does not grow
/// with their number.
///
/// Whichever the store, a mask is inverted, joined with an older one and counted here, and gets its row here.
package final class MaskSetBuilder {
    /// The shape `(C or 1, H, W)` of each mask.
    package let maskShape: ImageShape
    /// The masks that have a row, those of the older set included.
    package private(set) var annotatedCount = 0
    /// The masks that were added and mark nothing.
    package private(set) var emptyCount = 0
    /// The number of ones in all rows.
    package private(set) var oneCount = 0

    private let marks: MaskMarks
    private let empty: EmptyMasks
    private let union: MaskSet?
    private let file: MaskSetFile?
    /// The rows in the order of arrival; none where a file takes them.
    private var bits: MaskBits
    /// The row of each sample; −1 where it has none.
    private var rows: [Int]
    private var shares = 0.0
    /// The samples before this one have their older masks in the file.
    private var nextSample = 0
    /// A mask in the making, and the older one that it is joined with.
    private let mask: UnsafeMutableBufferPointer<UInt8>
    private let older: UnsafeMutableBufferPointer<UInt8>

    /// Gathers masks in memory, or writes them to a file in the order of arrival.
    ///
    /// - Parameters:
    ///   - path: where the file appears; nil for memory.
    ///   - force: whether a file that is there is replaced.
    ///   - capacity: the number of masks to make room for in memory.
    ///   - samples: those that masks may be added for, which sets aside room in the file.
    ///   - marks: what a 1 says in the masks that are added.
    ///   - empty: what a mask says that is all zero.
    ///   - union: masks of the same samples that the new ones are joined with, whose marks are `wrong` then and of which an
    ///     empty one is unannotated. Where there is a file, samples then come
    ///     in ascending order, and those that only the older set marks come between them.
    /// - Throws: `TensorError` where the masks have more elements than memory can address; `FormatError` with the code
    ///   `outputExists` or `cannotWrite`.
    package init(
        path: String? = nil, force: Bool = false, maskShape: ImageShape, sampleCount: Int, capacity: Int = 0,
        samples: some Collection<Int> = 0..<0, marks: MaskMarks = .wrong, empty: EmptyMasks = .unannotated,
        union: MaskSet? = nil
    ) throws {
        precondition(union == nil || (marks == .wrong && empty == .unannotated))
        if let path {
            var room = samples.count
            if let union {
                room = (0..<sampleCount).count { union.isAnnotated($0) }
                room += samples.count { !union.isAnnotated($0) }
            }
            file = try MaskSetFile(
                AtomicOutput(path: path, force: force), capacity: room, maskShape: maskShape)
        } else {
            file = nil
        }
        bits = try MaskBits(rowCount: 0, elementsPerRow: maskShape.elementCount)
        _ = try TensorShape([capacity + 1, maskShape.elementCount])
        bits.reserve(rowCount: capacity + 1)
        rows = Array(repeating: -1, count: sampleCount)
        self.maskShape = maskShape
        self.marks = marks
        self.empty = empty
        self.union = union
        mask = .allocate(capacity: maskShape.elementCount)
        mask.initialize(repeating: 0)
        older = .allocate(capacity: union == nil ? 0 : maskShape.elementCount)
        older.initialize(repeating: 0)
    }

    deinit {
        mask.deallocate()
        older.deallocate()
    }

    /// The mean share of the elements of a mask with a row that are 1; 0 where there is none.
    package var meanShare: Double { annotatedCount == 0 ? 0 : shares / Double(annotatedCount) }

    /// Adds a sample's mask.
    ///
    /// - Parameter mask: `maskShape.elementCount` bytes that are 0 or 1; they are used up.
    /// - Throws: `DatasetError` with the code `duplicateMask` where the sample has one already; `FormatError` where the
    ///   file cannot be written.
    package func add(_ mask: UnsafeMutableBufferPointer<UInt8>, for sample: Int) throws {
        if file != nil, union != nil {
            try addOlder(before: sample)
            nextSample = max(nextSample, sample + 1)
        }
        var ones = Self.count(mask)
        // A mask without a 1 says nothing, unless the user says that it does; then all of it is inverted.
        if marks == .right, ones > 0 || empty == .annotated {
            for position in mask.indices { mask[position] ^= 1 }
            ones = mask.count - ones
        }
        if ones == 0 { emptyCount += 1 }
        if let union, union.expandMask(ofSample: sample, channels: maskShape.channels, into: older) {
            for position in mask.indices { mask[position] |= older[position] }
            ones = Self.count(mask)
        }
        guard ones > 0 || empty == .annotated else { return }
        guard rows[sample] < 0 else {
            throw DatasetError(.duplicateMask, path: "masks", "sample \(sample) has a mask already")
        }
        if let file {
            _ = try file.addMask().update(fromContentsOf: mask)
        } else {
            bits.appendRow()
            bits.setRow(annotatedCount, from: UnsafeBufferPointer(mask))
        }
        rows[sample] = annotatedCount
        annotatedCount += 1
        oneCount += ones
        shares += Double(ones) / Double(mask.count)
    }

    /// Adds a sample's mask of one channel or as many as masks here have; the one is repeated for each.
    ///
    /// - Throws: as `add(_:for:)`.
    package func add(repeating channels: UnsafeBufferPointer<UInt8>, for sample: Int) throws {
        for start in stride(from: 0, to: mask.count, by: channels.count) {
            _ = UnsafeMutableBufferPointer(rebasing: mask[start..<start + channels.count])
                .update(fromContentsOf: channels)
        }
        try add(mask, for: sample)
    }

    /// Adds a sample's mask by its elements that are 1.
    ///
    /// - Throws: as `add(_:for:)`.
    package func add(elements: [Int], for sample: Int) throws {
        mask.update(repeating: 0)
        for element in elements { mask[element] = 1 }
        try add(mask, for: sample)
    }

    /// The rows in the order of the samples, with one of zeros after them, and the row of each sample.
    package func finish() throws -> (bits: MaskBits, rows: [Int]) {
        try addOlder(before: rows.count)
        var next = 0
        let arrivals = rows.filter { $0 >= 0 }
        var ordered = bits
        if zip(arrivals, arrivals.dropFirst()).contains(where: >) {
            ordered = try MaskBits(rowCount: 0, elementsPerRow: maskShape.elementCount)
            ordered.reserve(rowCount: annotatedCount + 1)
            for row in arrivals { ordered.append(rows: row..<row + 1, of: bits) }
        }
        bits = try MaskBits(rowCount: 0, elementsPerRow: maskShape.elementCount)
        ordered.appendRow()
        let numbers = rows.map { row in
            guard row >= 0 else { return annotatedCount }
            defer { next += 1 }
            return next
        }
        return (ordered, numbers)
    }

    /// Writes what is left, and puts the file in its place.
    ///
    /// - Parameter other: an output that appears with it.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    package func finish(
        datasetFingerprint: String, provenance: JSONValue, before other: AtomicOutput? = nil
    ) throws {
        try addOlder(before: rows.count)
        try file?.finish(
            rows: rows.map { Int64($0 < 0 ? annotatedCount : $0) }, datasetFingerprint: datasetFingerprint,
            provenance: provenance.serialized())
        try file?.output.commit(before: other)
    }

    /// Takes the masks of the older set for samples that have no other.
    private func addOlder(before end: Int) throws {
        guard let union, nextSample < end else { return }
        let samples = nextSample..<end
        nextSample = end
        for sample in samples where rows[sample] < 0 {
            guard union.expandMask(ofSample: sample, channels: maskShape.channels, into: older) else {
                continue
            }
            // Joined with itself, it stays what it is.
            try add(older, for: sample)
        }
    }

    private static func count(_ mask: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var sum = 0
        for byte in mask { sum += Int(byte) }
        return sum
    }
}

/// A mask set file that is written mask by mask, so that memory does not grow with their number.
final class MaskSetFile {
    /// Where the file appears once it is finished and the output is committed.
    private(set) var output: AtomicOutput

    private var file: HDF5File
    private var array: HDF5Dataset
    private let capacity: Int
    private let maskShape: ImageShape
    /// The last masks of those that were added.
    private let block: UnsafeMutableBufferPointer<UInt8>
    private var blockCount = 0
    /// The masks that were added.
    private var count = 0
    /// The CRC-32 of each mask that was written.
    private var checksums: [UInt32] = []

    private static let blockSize = 4 << 20

    /// Starts a file with room for masks.
    ///
    /// - Parameters:
    ///   - capacity: the most masks that will be added.
    ///   - maskShape: `(C or 1, H, W)`.
    /// - Throws: `FormatError` with the code `cannotWrite`; `TensorError` where the masks have more elements than memory
    ///   can address.
    init(_ output: AtomicOutput, capacity: Int, maskShape: ImageShape) throws {
        self.output = output
        self.capacity = capacity
        self.maskShape = maskShape
        let shape = try TensorShape([capacity + 1] + maskShape.dimensions)
        file = try output.whilePending { path throws(FormatError) in
            try HDF5File(creating: path, path: output.path)
        }
        array = try file.createDataset("/A", type: .uint8, shape: shape)
        let size = maskShape.elementCount
        block = .allocate(capacity: size * min(max(1, capacity), max(1, Self.blockSize / max(1, size))))
        block.initialize(repeating: 0)
    }

    deinit { block.deallocate() }

    /// Adds a mask as the next row of A.
    ///
    /// - Returns: the memory for its `maskShape.elementCount` bytes, each to be set to 0 or 1 before the next call.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    func addMask() throws -> UnsafeMutableBufferPointer<UInt8> {
        precondition(count < capacity)
        let size = maskShape.elementCount
        if (blockCount + 1) * size > block.count { try flush() }
        let start = blockCount * size
        blockCount += 1
        count += 1
        return UnsafeMutableBufferPointer(rebasing: block[start..<start + size])
    }

    private func flush() throws {
        let masks = block
        let size = maskShape.elementCount
        for start in stride(from: 0, to: blockCount * size, by: max(1, size)) {
            let mask = UnsafeBufferPointer(rebasing: masks[start..<start + size])
            checksums.append(CRC32.checksum(of: UnsafeRawBufferPointer(mask)))
        }
        try array.write(
            masks.span.extracting(first: blockCount * size), rows: count - blockCount..<count)
        blockCount = 0
    }

    /// Writes the last row of A, which is all zero, and what belongs to the samples, and closes the file.
    ///
    /// - Parameter rows: the number of each sample's mask in the order of adding; their count for an unannotated one.
    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`.
    func finish(rows: [Int64], datasetFingerprint: String, provenance: String) throws {
        try flush()
        if count < capacity { try shrink() }
        let zeros = Array(repeating: UInt8(0), count: maskShape.elementCount)
        try array.write(zeros.span, rows: count..<count + 1)
        checksums.append(zeros.withUnsafeBytes { CRC32.checksum(of: $0) })
        var content = ContentWriter(file)
        content.note(array)
        try content.write(rows, as: "/row")
        try content.write(checksums, as: "/checksum")
        try content.set("dataset_fingerprint", to: datasetFingerprint)
        try content.set("provenance", to: provenance)
        try content.finish(.masks)
        try file.close()
    }

    /// Copies the masks to a file of their number: room in a contiguous array cannot be given back.
    private func shrink() throws {
        let smaller = try MaskSetFile(
            AtomicOutput(path: output.path, force: output.force), capacity: count, maskShape: maskShape)
        let size = maskShape.elementCount
        let rowsAtATime = block.count / max(1, size)
        for start in stride(from: 0, to: count, by: rowsAtATime) {
            let rows = start..<min(start + rowsAtATime, count)
            let part = UnsafeMutableBufferPointer(rebasing: block[..<(rows.count * size)])
            try array.read(rows: rows, as: UInt8.self, into: part)
            try smaller.array.write(part.span, rows: rows)
        }
        (output, file, array) = (smaller.output, smaller.file, smaller.array)
    }
}
