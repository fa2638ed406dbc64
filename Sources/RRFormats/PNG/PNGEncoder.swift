internal import CLibDeflate

/// Samples to PNG files; each thread has its own encoder.
///
/// Rows are filtered as the standard advises and compressed in one piece by libdeflate. The same image gives the same
/// bytes under one release of libdeflate.
package final class PNGEncoder {
    private let compressor: OpaquePointer?
    /// Filtered rows, each after the number of its filter.
    private var filtered: [UInt8] = []

    /// - Parameter level: libdeflate's, 1 (fastest) to 12 (smallest).
    package init(level: Int = 6) {
        compressor = libdeflate_alloc_compressor(Int32(level))
    }

    deinit {
        if let compressor { libdeflate_free_compressor(compressor) }
    }

    /// Encodes one image.
    ///
    /// - Throws: as `encode(_:of:)`.
    package static func encode(_ image: PNGImage) throws(FormatError) -> [UInt8] {
        let header = PNGHeader(
            width: image.width, height: image.height, channels: image.channels, bitDepth: image.bitDepth)
        let encoder = PNGEncoder()
        let result: Result<[UInt8], FormatError> = image.samples.withUnsafeBytes { samples in
            do throws(FormatError) {
                return .success(try encoder.encode(samples, of: header))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Encodes an image of 8 or 16 bits a sample.
    ///
    /// - Parameter samples: `(H, W, C)`; 16-bit samples are little-endian.
    /// - Throws: `FormatError` with the code `unsupported` where the samples do not fill the extents, or there is
    ///   no PNG of such extents, channels and bits.
    package func encode(
        _ samples: UnsafeRawBufferPointer, of header: PNGHeader
    ) throws(FormatError) -> [UInt8] {
        guard 1...4 ~= header.channels, header.bitDepth == 8 || header.bitDepth == 16,
            Self.isServed(width: header.width, height: header.height),
            header.height * header.width <= PNGHeader.largestByteCount / (header.channels * 2),
            samples.count == header.byteCount, let base = samples.bindMemory(to: UInt8.self).baseAddress
        else {
            throw FormatError(
                .unsupported, path: "PNG image",
                "\(samples.count) bytes are no \(header.bitDepth)-bit image of "
                    + "\(header.width)×\(header.height) (width × height) with \(header.channels) channels")
        }
        let distance = header.channels * header.bitDepth / 8
        let rowSize = header.width * distance
        filter(rows: header.height, rowSize: rowSize, distance: distance) { row, target in
            let source = base + row * rowSize
            guard header.bitDepth == 16 else { return target.update(from: source, count: rowSize) }
            for position in stride(from: 0, to: rowSize, by: 2) {
                target[position] = source[position + 1]
                target[position + 1] = source[position]
            }
        }
        return try finish(
            width: header.width, height: header.height, bitDepth: UInt8(header.bitDepth),
            colorType: [0, 4, 2, 6][header.channels - 1])
    }

    /// Encodes a mask as 1-bit gray: black for 0, white for everything else.
    ///
    /// - Parameter pixels: `(H, W)`, a byte a pixel.
    /// - Throws: as `encode(_:of:)`.
    package func encodeMask(
        _ pixels: UnsafeBufferPointer<UInt8>, width: Int, height: Int
    ) throws(FormatError) -> [UInt8] {
        guard Self.isServed(width: width, height: height), pixels.count == width * height else {
            throw FormatError(
                .unsupported, path: "PNG mask",
                "\(pixels.count) pixels are no mask of \(width)×\(height) (width × height)")
        }
        let rowSize = 1 + (width + 7) / 8
        filtered = Array(repeating: 0, count: height * rowSize)
        // Filters work on bytes, and seldom help where a byte is eight pixels: rows stay as they are.
        for row in 0..<height {
            for column in 0..<width where pixels[row * width + column] != 0 {
                filtered[row * rowSize + 1 + column >> 3] |= 0x80 >> UInt8(column & 7)
            }
        }
        return try finish(width: width, height: height, bitDepth: 1, colorType: 0)
    }

    private static func isServed(width: Int, height: Int) -> Bool {
        1...PNGHeader.largestExtent ~= width && 1...PNGHeader.largestExtent ~= height
            && width * height <= PNGHeader.largestByteCount
    }
}

extension PNGEncoder {
    /// Fills `filtered` with every row under the filter that suits it best.
    private func filter(
        rows: Int, rowSize: Int, distance: Int, copy: (Int, UnsafeMutablePointer<UInt8>) -> Void
    ) {
        filtered = Array(repeating: 0, count: rows * (rowSize + 1))
        // Two rows with zeros before them, and a row for the filter that is tried.
        let stride = distance + rowSize
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * stride + rowSize)
        memory.initialize(repeating: 0, count: 2 * stride + rowSize)
        defer { memory.deallocate() }
        let trial = memory + 2 * stride
        filtered.withUnsafeMutableBufferPointer { filtered in
            guard var target = filtered.baseAddress else { return }
            for row in 0..<rows {
                let current = memory + (row & 1) * stride + distance
                let above = memory + (1 - row & 1) * stride + distance
                copy(row, current)
                var best = Int.max
                for filter in PNGEncodingFilter.allCases {
                    let sum = filter.apply(
                        to: current, above: above, count: rowSize, distance: distance, into: trial)
                    guard sum < best else { continue }
                    best = sum
                    target[0] = filter.rawValue
                    (target + 1).update(from: trial, count: rowSize)
                }
                target += rowSize + 1
            }
        }
    }

    /// Compresses `filtered` and puts the chunks around it.
    private func finish(
        width: Int, height: Int, bitDepth: UInt8, colorType: UInt8
    ) throws(FormatError) -> [UInt8] {
        guard let compressor else {
            throw FormatError(.cannotWrite, path: "PNG image", "there is not enough memory to compress")
        }
        // Signature and IHDR 33 bytes, head and end of IDAT 12, IEND 12.
        let bound = libdeflate_zlib_compress_bound(compressor, filtered.count)
        let file = [UInt8](unsafeUninitializedCapacity: 57 + bound) { file, count in
            let size = filtered.withUnsafeBytes { source in
                file.baseAddress.map {
                    libdeflate_zlib_compress(compressor, source.baseAddress, source.count, $0 + 41, bound)
                } ?? 0
            }
            var writer = ChunkWriter(file: file)
            writer.write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            writer.write(chunk: "IHDR", dataCount: 13) {
                $0.write(UInt32(width))
                $0.write(UInt32(height))
                $0.write([bitDepth, colorType, 0, 0, 0])
            }
            writer.write(chunk: "IDAT", dataCount: size) { $0.count += size }
            writer.write(chunk: "IEND", dataCount: 0) { _ in }
            count = writer.count
        }
        // The length of a chunk has 31 bits.
        guard file.count - 57 <= Int(Int32.max) else {
            throw FormatError(.unsupported, path: "PNG image", "the image is too large for one chunk of PNG")
        }
        return file
    }
}

/// Writes chunks into memory that has room for them.
private struct ChunkWriter {
    let file: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func write(_ bytes: [UInt8]) {
        for byte in bytes {
            file[count] = byte
            count += 1
        }
    }

    /// Writes a number, most significant byte first.
    mutating func write(_ number: UInt32) {
        for shift: UInt32 in [24, 16, 8, 0] {
            file[count] = UInt8(truncatingIfNeeded: number >> shift)
            count += 1
        }
    }

    /// Writes a chunk: the length of its data, its type, the data, the checksum of type and data.
    mutating func write(chunk type: String, dataCount: Int, data: (inout ChunkWriter) -> Void) {
        write(UInt32(truncatingIfNeeded: dataCount))
        let start = count
        write(Array(type.utf8))
        data(&self)
        write(
            CRC32.checksum(of: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(file)[start..<count])))
    }
}

/// The filters that make a row of bytes smaller to compress (W3C, Portable Network Graphics, section 9).
enum PNGEncodingFilter: UInt8, CaseIterable {
    case none = 0
    case sub = 1
    case up = 2
    case average = 3
    case paeth = 4

    /// Filters a row.
    ///
    /// The sum of the bytes' sizes as signed numbers, least where a row compresses best, is the choice that the
    /// standard advises (section 12.7).
    ///
    /// - Parameters:
    ///   - row: the bytes of the row; `distance` bytes before it are zero.
    ///   - above: the row above, zeros for the first row, with as many zeros before it.
    ///   - distance: the bytes from a pixel to the next, at least 1.
    /// - Returns: the sum over `target`.
    func apply(
        to row: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, count: Int, distance: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let left = row - distance
        let aboveLeft = above - distance
        switch self {
        case .none: return Self.fill(target, count) { row[$0] }
        case .sub: return Self.fill(target, count) { row[$0] &- left[$0] }
        case .up: return Self.fill(target, count) { row[$0] &- above[$0] }
        case .average:
            return Self.fill(target, count) {
                row[$0] &- UInt8(truncatingIfNeeded: (UInt16(left[$0]) &+ UInt16(above[$0])) >> 1)
            }
        case .paeth:
            return Self.fill(target, count) {
                row[$0] &- Self.predict(left: left[$0], above: above[$0], aboveLeft: aboveLeft[$0])
            }
        }
    }

    /// Fills bytes and sums their sizes as signed numbers.
    @inline(__always)
    private static func fill(
        _ target: UnsafeMutablePointer<UInt8>, _ count: Int, _ byte: (Int) -> UInt8
    ) -> Int {
        var sum: UInt32 = 0
        for position in 0..<count {
            let value = byte(position)
            target[position] = value
            sum &+= UInt32(min(value, 0 &- value))
        }
        return Int(sum)
    }

    /// Paeth's predictor: of three neighbours the one that is nearest to left + above − above left.
    @inline(__always)
    private static func predict(left: UInt8, above: UInt8, aboveLeft: UInt8) -> UInt8 {
        let (a, b, c) = (Int16(left), Int16(above), Int16(aboveLeft))
        let (toLeft, toAbove) = (abs(b &- c), abs(a &- c))
        let toAboveLeft = abs(a &+ b &- c &- c)
        let nearer = toAbove <= toAboveLeft ? above : aboveLeft
        return toLeft <= toAbove && toLeft <= toAboveLeft ? left : nearer
    }
}
