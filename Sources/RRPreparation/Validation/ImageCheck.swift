internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Reads images of a dataset, some megabytes at a time, and checks their bytes.
struct ImageCheck {
    let images: HDF5Dataset
    let checksums: [UInt32]?
    let facts: DatasetFacts
    /// The bytes that are read at most; of larger datasets blocks that are spread evenly.
    let byteLimit: Int

    /// What the floats of a dataset are like.
    private struct FloatRange {
        var notFinite = Examples()
        var largest: Float = 0
    }

    /// - Returns: the number of images that were read.
    func run(into list: inout FindingList) -> Int {
        do throws(FormatError) {
            try images.checkSize()
        } catch {
            list.fault(.unreadableArray, "/images", error.message)
            return 0
        }
        guard images.shape.elementCount > 0 else { return 0 }
        var mismatches = Examples()
        var failures = Examples()
        var floats = FloatRange()
        switch ImageElementType(images.elementType) {
        case .uint8: check(UInt8.self, &mismatches, &failures) { _, _ in }
        case .uint16: check(UInt16.self, &mismatches, &failures) { _, _ in }
        case .float32: check(Float.self, &mismatches, &failures) { measure($1, of: $0, into: &floats) }
        case nil: return 0
        }
        if failures.count > 0 {
            list.fault(
                .unreadableArray, "/images", Message(failures.summary), repair: .importDatasetAnew)
        }
        if mismatches.count > 0 {
            list.fault(
                .checksumMismatch, "/images",
                "the bytes are not those that were imported: " + mismatches.summary,
                repair: .importDatasetAnew)
        }
        if floats.notFinite.count > 0 {
            list.fault(
                .notFinite, "/images", "not every value is a finite number: " + floats.notFinite.summary)
        }
        if floats.largest > 10 {
            list.warning(
                .largeValues, "/images", "values reach \(floats.largest) in size, outside [−10, 10]",
                repair: .normalizeInputs)
        }
        return blocks().reduce(0) { $0 + $1.count }
    }

    /// The rows that are read, some megabytes at a time.
    private func blocks() -> [Range<Int>] {
        let rowSize = max(1, images.elementsPerRow * (images.elementType.size ?? 1))
        let rowsAtATime = max(1, min(4 << 20, byteLimit / 64) / rowSize)
        let all = stride(from: 0, to: images.shape[0], by: rowsAtATime).map { first in
            first..<min(first + rowsAtATime, images.shape[0])
        }
        let count = max(1, byteLimit / (rowsAtATime * rowSize))
        guard all.count > count else { return all }
        return (0..<count).map { all[$0 * (all.count - 1) / max(1, count - 1)] }
    }

    private func check<Element: HDF5Element>(
        _ type: Element.Type, _ mismatches: inout Examples, _ failures: inout Examples,
        inspect: (Int, UnsafeBufferPointer<Element>) -> Void
    ) {
        let size = images.elementsPerRow
        let blocks = blocks()
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(
            capacity: (blocks.map(\.count).max() ?? 0) * size)
        defer { buffer.deallocate() }
        func read(_ rows: Range<Int>) -> FormatError? {
            do throws(FormatError) {
                try images.read(rows: rows, as: type, into: .init(rebasing: buffer.prefix(rows.count * size)))
                return nil
            } catch {
                return error
            }
        }
        func inspectRow(_ row: Int, at position: Int) {
            let image = UnsafeBufferPointer(rebasing: buffer[position * size..<(position + 1) * size])
            inspect(row, image)
            guard let checksums, CRC32.checksum(of: UnsafeRawBufferPointer(image)) != checksums[row] else {
                return
            }
            mismatches.add(facts.name(of: row))
        }
        for rows in blocks {
            guard read(rows) != nil else {
                for row in rows { inspectRow(row, at: row - rows.lowerBound) }
                continue
            }
            // The rows are read one by one, to tell the damaged from the sound.
            for row in rows {
                if let error = read(row..<row + 1) {
                    failures.add("\(facts.name(of: row)): \(error.message)")
                } else {
                    inspectRow(row, at: 0)
                }
            }
        }
    }

    private func measure(_ image: UnsafeBufferPointer<Float>, of row: Int, into range: inout FloatRange) {
        var largest: Float = 0
        var isFinite = true
        for value in image {
            largest = max(largest, abs(value))
            isFinite = isFinite && value.isFinite
        }
        if isFinite {
            range.largest = max(range.largest, largest)
        } else {
            range.notFinite.add(facts.name(of: row))
        }
    }
}
