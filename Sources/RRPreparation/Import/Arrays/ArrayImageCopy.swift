internal import RRDatasets
internal import RRFormats
internal import RRTensor
internal import Synchronization

/// Copies an array of any numbers into a dataset, on several threads.
struct ArrayImageCopy {
    let array: any ArraySource
    let arrangement: ArrayArrangement
    /// The number of threads; it has no effect on the result.
    let threadCount: Int
    private let magnitude = LargestMagnitude()

    /// The largest distance of a pixel from 0, once floating-point numbers were copied; nil for others.
    var largestMagnitude: Float? { magnitude.value }

    init(array: any ArraySource, arrangement: ArrayArrangement, threadCount: Int) {
        (self.array, self.arrangement, self.threadCount) = (array, arrangement, threadCount)
    }

    /// Whether the integers are 0 and 1 alone, as far as their type or a look at all of them says.
    var isBinary: Bool { array.elementType == .bool || magnitude.areBinary }

    /// Gathers what several threads find.
    private final class LargestMagnitude: Sendable {
        private let largest = Mutex<Float?>(nil)
        private let binary = Mutex(false)

        var areBinary: Bool {
            get { binary.withLock { $0 } }
            set { binary.withLock { $0 = newValue } }
        }

        var value: Float? { largest.withLock { $0 } }

        func include(_ found: Float) { largest.withLock { $0 = max($0 ?? 0, found) } }
    }

    /// The type that holds every element. Integers other than uint8 and uint16 are read once to find out.
    ///
    /// - Throws: `DatasetError` with the code `wrongType` or `valueOutOfRange`; `FormatError`.
    func elementType() throws -> ImageElementType {
        switch array.elementType {
        case .uint8, .bool: return .uint8
        case .uint16: return .uint16
        case .float16, .float32, .float64: return .float32
        case .int8: return try scan(as: Int8.self)
        case .int16: return try scan(as: Int16.self)
        case .int32: return try scan(as: Int32.self)
        case .int64: return try scan(as: Int64.self)
        case .uint32: return try scan(as: UInt32.self)
        case .uint64: return try scan(as: UInt64.self)
        case .text, .other:
            throw DatasetError(
                .wrongType, path: array.location, "the elements are no numbers but \(array.elementType)")
        }
    }

    private func scan<Integer: FixedWidthInteger & BitwiseCopyable>(
        as type: Integer.Type
    ) throws -> ImageElementType {
        var largest: Integer = 0
        try array.forEachBlock { rows, bytes in
            let block = bytes.assumingMemoryBound(to: type)
            var (low, high): (Integer, Integer) = (0, 0)
            for value in block {
                if value < low { low = value }
                if value > high { high = value }
            }
            largest = max(largest, high)
            guard low < 0 || high > 65_535 else { return }
            let position = block.firstIndex { $0 < 0 || $0 > 65_535 } ?? 0
            throw DatasetError(
                .valueOutOfRange, path: array.location,
                "row \(rows.lowerBound + position / array.elementsPerRow) has the value \(block[position]); "
                    + "integers from 0 to 65535 can be stored as pixels. Convert the array to float32")
        }
        magnitude.areBinary = largest == 1
        return largest <= 255 ? .uint8 : .uint16
    }

    /// Copies all rows.
    ///
    /// Rows are cut into pieces that fit a processor's cache; each thread takes pieces in turn, and reads,
    /// rearranges, checksums and writes them. What cannot be read in small pieces is read in blocks before.
    ///
    /// - Parameter progress: called with the number of rows done.
    /// - Throws: `DatasetError` with the code `valueOutOfRange` for NaN, infinity, or a number beyond float32, that
    ///   of the first such row; `FormatError`.
    func copy(as type: ImageElementType, to writer: DatasetWriter, progress: (Int) -> Void) throws {
        try array.checkSize()
        let count = array.shape[0]
        let rowSize = array.bytesPerRow
        guard array.rowsPerBlock > 1 else {
            let rows = max(1, (256 << 20) / rowSize)
            for start in stride(from: 0, to: count, by: rows) {
                let round = start..<min(start + rows, count)
                try copyPieces(of: round, block: nil, as: type, to: writer)
                progress(round.upperBound)
            }
            return
        }
        let rows = array.rowsInBlock
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * rowSize, alignment: 64)
        defer { block.deallocate() }
        for start in stride(from: 0, to: count, by: rows) {
            let round = start..<min(start + rows, count)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: block[..<(round.count * rowSize)])
            try array.read(rows: round, into: bytes)
            try copyPieces(of: round, block: UnsafeRawBufferPointer(bytes), as: type, to: writer)
            progress(round.upperBound)
        }
    }

    /// Copies rows piece by piece.
    ///
    /// - Parameter block: the rows' bytes; nil where each piece is to be read by itself.
    private func copyPieces(
        of rows: Range<Int>, block: UnsafeRawBufferPointer?, as type: ImageElementType,
        to writer: DatasetWriter
    ) throws {
        let rowSize = array.bytesPerRow
        let storedRowSize = arrangement.imageShape.elementCount * type.size
        // Compressed chunks are made of whole pieces.
        let chunkRows = writer.rowsPerChunk
        let wanted = max(1, (1 << 20) / max(rowSize, storedRowSize))
        let pieceRows = (wanted + chunkRows - 1) / chunkRows * chunkRows
        let pieceCount = (rows.count + pieceRows - 1) / pieceRows
        nonisolated(unsafe) let block = block
        try Workers(count: threadCount).run(
            parts: 0..<pieceCount,
            makeState: {
                PieceMemory(
                    sourceSize: block == nil ? pieceRows * rowSize : 0,
                    targetSize: isStoredAsRead(type) ? 0 : pieceRows * storedRowSize)
            }
        ) { memory, piece in
            let start = rows.lowerBound + piece * pieceRows
            let own = start..<min(start + pieceRows, rows.upperBound)
            let bytes: UnsafeRawBufferPointer
            if let block {
                let begin = (start - rows.lowerBound) * rowSize
                bytes = UnsafeRawBufferPointer(rebasing: block[begin..<begin + own.count * rowSize])
            } else {
                let room = UnsafeMutableRawBufferPointer(rebasing: memory.source[..<(own.count * rowSize)])
                try array.read(rows: own, into: room)
                bytes = UnsafeRawBufferPointer(room)
            }
            try store(bytes, rows: own, as: type, by: memory.target, to: writer)
        }
    }

    /// One worker's memory: a piece as it is read, and as it is stored.
    private final class PieceMemory {
        let source: UnsafeMutableRawBufferPointer
        let target: UnsafeMutableRawBufferPointer

        init(sourceSize: Int, targetSize: Int) {
            source = .allocate(byteCount: sourceSize, alignment: 64)
            target = .allocate(byteCount: targetSize, alignment: 64)
        }

        deinit {
            source.deallocate()
            target.deallocate()
        }
    }

    /// Whether an image's bytes are stored as they are read.
    private func isStoredAsRead(_ type: ImageElementType) -> Bool {
        guard arrangement.isInOrder else { return false }
        return switch (type, array.elementType) {
        case (.uint8, .uint8), (.uint8, .bool), (.uint16, .uint16), (.float32, .float32): true
        default: false
        }
    }

    private func store(
        _ bytes: UnsafeRawBufferPointer, rows: Range<Int>, as type: ImageElementType,
        by target: UnsafeMutableRawBufferPointer, to writer: DatasetWriter
    ) throws {
        let size = array.bytesPerRow
        let storedSize = arrangement.imageShape.elementCount * type.size
        var images = bytes
        if !isStoredAsRead(type) {
            for position in 0..<rows.count {
                convert(
                    UnsafeRawBufferPointer(rebasing: bytes[position * size..<(position + 1) * size]),
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: target[position * storedSize..<(position + 1) * storedSize]), as: type)
            }
            images = UnsafeRawBufferPointer(rebasing: target[..<(rows.count * storedSize)])
        }
        var checksums: [UInt32] = []
        checksums.reserveCapacity(rows.count)
        var largest: Float = 0
        for position in 0..<rows.count {
            let image = UnsafeRawBufferPointer(
                rebasing: images[position * storedSize..<(position + 1) * storedSize])
            if type == .float32 {
                largest = max(largest, try checkFinite(image, row: rows.lowerBound + position))
            }
            checksums.append(CRC32.checksum(of: image))
        }
        if type == .float32 { magnitude.include(largest) }
        try writer.write(images: images, rows: rows, checksums: checksums)
    }

    /// Brings one image into the form in which it is stored.
    private func convert(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer,
        as type: ImageElementType
    ) {
        switch (type, array.elementType) {
        case (.uint8, .uint8), (.uint8, .bool): moveBytes(source, into: target)
        case (.uint8, .int8): narrow(source, of: Int8.self, into: target, UInt8.self)
        case (.uint8, .int16): narrow(source, of: Int16.self, into: target, UInt8.self)
        case (.uint8, .int32): narrow(source, of: Int32.self, into: target, UInt8.self)
        case (.uint8, .int64): narrow(source, of: Int64.self, into: target, UInt8.self)
        case (.uint8, .uint32): narrow(source, of: UInt32.self, into: target, UInt8.self)
        case (.uint8, _): narrow(source, of: UInt64.self, into: target, UInt8.self)
        case (.uint16, .uint16): narrow(source, of: UInt16.self, into: target, UInt16.self)
        case (.uint16, .int16): narrow(source, of: Int16.self, into: target, UInt16.self)
        case (.uint16, .int32): narrow(source, of: Int32.self, into: target, UInt16.self)
        case (.uint16, .int64): narrow(source, of: Int64.self, into: target, UInt16.self)
        case (.uint16, .uint32): narrow(source, of: UInt32.self, into: target, UInt16.self)
        case (.uint16, _): narrow(source, of: UInt64.self, into: target, UInt16.self)
        case (.float32, .float16): move(source, of: Float16.self, into: target) { Float($0) }
        case (.float32, .float64): move(source, of: Double.self, into: target) { Float($0) }
        case (.float32, _): move(source, of: Float.self, into: target) { (value) -> Float in value }
        }
    }

    private func moveBytes(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        let shape = arrangement.imageShape
        guard arrangement.layout == .nhwc else {
            return move(source, of: UInt8.self, into: target) { (value) -> UInt8 in value }
        }
        precondition(source.count == shape.elementCount && target.count == shape.elementCount)
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        PixelPlanes.separate(
            from.assumingMemoryBound(to: UInt8.self), channels: shape.channels, count: shape.pixelCount,
            into: to.assumingMemoryBound(to: UInt8.self), planeSize: shape.pixelCount)
    }

    private func narrow<Source: FixedWidthInteger, Target: FixedWidthInteger>(
        _ source: UnsafeRawBufferPointer, of type: Source.Type, into target: UnsafeMutableRawBufferPointer,
        _ targetType: Target.Type
    ) {
        move(source, of: type, into: target) { Target(truncatingIfNeeded: $0) }
    }

    private func move<Source, Target>(
        _ source: UnsafeRawBufferPointer, of type: Source.Type, into target: UnsafeMutableRawBufferPointer,
        _ convert: (Source) -> Target
    ) {
        arrangement.rearrange(
            source.assumingMemoryBound(to: type), into: target.assumingMemoryBound(to: Target.self), convert)
    }

    /// - Returns: the largest distance of a pixel from 0.
    private func checkFinite(_ image: UnsafeRawBufferPointer, row: Int) throws(DatasetError) -> Float {
        let pixels = image.assumingMemoryBound(to: Float.self)
        // Without the sign, bit patterns are in the order of the numbers; infinities and NaN come last.
        var largest: UInt32 = 0
        for pixel in pixels { largest = max(largest, pixel.bitPattern & 0x7FFF_FFFF) }
        let magnitude = Float(bitPattern: largest)
        guard !magnitude.isFinite, let pixel = pixels.first(where: { !$0.isFinite }) else { return magnitude }
        throw DatasetError(
            .valueOutOfRange, path: array.location,
            "row \(row) has a pixel that is \(pixel) as float32; pixels are finite numbers")
    }
}
