internal import RRFormats
internal import RRTensor

/// Reads every image of a dataset, some megabytes at a time, and checks its bytes.
struct ImageCheck {
    let images: HDF5Dataset
    let checksums: [UInt32]?
    let facts: DatasetFacts

    /// What the floats of a dataset are like.
    private struct FloatRange {
        var notFinite = Examples()
        var largest: Float = 0
    }

    func run(into list: inout FindingList) {
        do throws(FormatError) {
            try images.checkSize()
        } catch {
            return list.fault(.unreadableArray, "/images", error.message)
        }
        guard images.shape.elementCount > 0 else { return }
        var mismatches = Examples()
        var failures = Examples()
        var floats = FloatRange()
        switch ImageElementType(images.elementType) {
        case .uint8: check(UInt8.self, &mismatches, &failures) { _, _ in }
        case .uint16: check(UInt16.self, &mismatches, &failures) { _, _ in }
        case .float32: check(Float.self, &mismatches, &failures) { measure($1, of: $0, into: &floats) }
        case nil: return
        }
        if failures.count > 0 {
            list.fault(.unreadableArray, "/images", failures.summary, remedy: "import the dataset anew")
        }
        if mismatches.count > 0 {
            list.fault(
                .checksumMismatch, "/images",
                "the bytes are not those that were imported: " + mismatches.summary,
                remedy: "import the dataset anew")
        }
        if floats.notFinite.count > 0 {
            list.fault(
                .notFinite, "/images", "not every value is a finite number: " + floats.notFinite.summary)
        }
        if floats.largest > 10 {
            list.warning(
                .largeValues, "/images", "values reach \(floats.largest) in size, outside [−10, 10]",
                remedy: "rrdata train --normalize auto")
        }
    }

    private func check<Element: HDF5Element>(
        _ type: Element.Type, _ mismatches: inout Examples, _ failures: inout Examples,
        inspect: (Int, UnsafeBufferPointer<Element>) -> Void
    ) {
        let size = images.elementsPerRow
        let rowsAtATime = max(1, (4 << 20) / max(1, size * MemoryLayout<Element>.stride))
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: rowsAtATime * size)
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
        var first = 0
        while first < images.shape[0] {
            let rows = first..<min(first + rowsAtATime, images.shape[0])
            first = rows.upperBound
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
