internal import RRFormats
internal import RRTensor

/// Copies an array of any numbers into a dataset.
struct HDF5ImageReader {
    let dataset: HDF5Dataset
    let reading: ArrayReading

    /// The type that holds every element. Integers other than uint8 and uint16 are read once to find out.
    ///
    /// - Throws: `DatasetError` with the code `wrongType` or `valueOutOfRange`; `FormatError`.
    func elementType() throws -> ImageElementType {
        switch dataset.elementType.kind {
        case .uint8, .bool: return .uint8
        case .uint16: return .uint16
        case .float16, .float32, .float64: return .float32
        case .uint64: return try scan(as: UInt64.self)
        case .int8, .int16, .int32, .int64, .uint32: return try scan(as: Int64.self)
        case .fixedString, .variableString, .other:
            throw DatasetError(
                .wrongType, path: dataset.location, "the elements are no numbers but \(dataset.elementType)")
        }
    }

    private func scan<Integer: HDF5Element & FixedWidthInteger>(
        as type: Integer.Type
    ) throws -> ImageElementType {
        var largest: Integer = 0
        try dataset.forEachBlock(as: type) { rows, block in
            guard let low = block.min(), let high = block.max() else { return }
            largest = max(largest, high)
            guard low < 0 || high > 65_535 else { return }
            let position = block.firstIndex { $0 < 0 || $0 > 65_535 } ?? 0
            throw DatasetError(
                .valueOutOfRange, path: dataset.location,
                "row \(rows.lowerBound + position / dataset.elementsPerRow) has the value \(block[position]); "
                    + "integers from 0 to 65535 can be stored as pixels. Convert the array to float32")
        }
        return largest <= 255 ? .uint8 : .uint16
    }

    /// Copies all rows.
    ///
    /// - Parameter progress: called with the number of rows done.
    /// - Throws: `DatasetError` with the code `valueOutOfRange` for NaN, infinity, or a number beyond float32;
    ///   `FormatError`.
    func copy(as type: ImageElementType, to writer: DatasetWriter, progress: (Int) -> Void) throws {
        switch (type, dataset.elementType.kind) {
        case (.uint8, .uint8), (.uint8, .bool):
            try copy(from: UInt8.self, to: writer, progress: progress) { $0 }
        case (.uint8, _):
            try copy(from: Int64.self, to: writer, progress: progress) { UInt8(truncatingIfNeeded: $0) }
        case (.uint16, .uint16):
            try copy(from: UInt16.self, to: writer, progress: progress) { $0 }
        case (.uint16, _):
            try copy(from: Int64.self, to: writer, progress: progress) { UInt16(truncatingIfNeeded: $0) }
        case (.float32, .float64):
            try copy(from: Double.self, to: writer, progress: progress) { Float($0) }
        case (.float32, _):
            try copy(from: Float.self, to: writer, progress: progress) { $0 }
        }
    }

    private func copy<Source: HDF5Element, Target: HDF5Element>(
        from source: Source.Type, to writer: DatasetWriter, progress: (Int) -> Void,
        convert: (Source) -> Target
    ) throws {
        let size = reading.imageShape.elementCount
        var target: [Target] = []
        try dataset.forEachBlock(as: source) { rows, block in
            if target.count != block.count { target = Array(repeating: 0, count: block.count) }
            var checksums: [UInt32] = []
            try target.withUnsafeMutableBufferPointer { target in
                for start in stride(from: 0, to: block.count, by: size) {
                    let image = UnsafeMutableBufferPointer(rebasing: target[start..<start + size])
                    let stored = UnsafeBufferPointer(rebasing: block[start..<start + size])
                    reading.rearrange(stored, into: image, convert)
                    try checkFinite(image, row: rows.lowerBound + start / size)
                    checksums.append(CRC32.checksum(of: UnsafeRawBufferPointer(image)))
                }
                try writer.write(images: UnsafeRawBufferPointer(target), rows: rows, checksums: checksums)
            }
            progress(rows.upperBound)
        }
    }

    private func checkFinite<Target>(_ image: UnsafeMutableBufferPointer<Target>, row: Int) throws {
        guard Target.self == Float.self else { return }
        let pixels = UnsafeRawBufferPointer(image).assumingMemoryBound(to: Float.self)
        guard let pixel = pixels.first(where: { !$0.isFinite }) else { return }
        throw DatasetError(
            .valueOutOfRange, path: dataset.location,
            "row \(row) has a pixel that is \(pixel) as float32; pixels are finite numbers")
    }
}
