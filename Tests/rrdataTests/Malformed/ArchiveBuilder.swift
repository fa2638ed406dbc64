import RRFormats

/// Makes archives and their parts byte by byte, also such as no program writes.
enum ArchiveBuilder {
    /// An integer in as many bytes, the lowest first.
    static func little(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// An integer in as many bytes, the highest first.
    static func big(_ value: Int, _ size: Int) -> [UInt8] { little(value, size).reversed() }

    /// An NPY file of the version 1.
    static func npy(_ header: String, elements: [UInt8] = []) -> SourceBytes {
        let text = Array(header.utf8)
        return .bytes([0x93] + Array("NUMPY".utf8) + [1, 0] + little(text.count, 2) + text + elements)
    }

    /// An NPY file of bytes in a shape.
    static func npy(shape: String, elements: [UInt8] = []) -> SourceBytes {
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': \(shape), }", elements: elements)
    }

    /// An IDX file of bytes.
    static func idx(_ extents: [Int], elements: [UInt8] = []) -> SourceBytes {
        .bytes([0, 0, 8, UInt8(extents.count)] + extents.flatMap { big($0, 4) } + elements)
    }

    /// A safetensors file, whose header may be padded to a length by spaces.
    static func safeTensors(_ header: String, data: [UInt8] = [], length: Int? = nil) -> SourceBytes {
        SourceBytes {
            var text = Array(header.utf8)
            if let length { text += [UInt8](repeating: 0x20, count: length - text.count) }
            return little(text.count, 8) + text + data
        }
    }

    /// A gzip file in blocks that are not compressed.
    static func storedGzip(_ bytes: SourceBytes) -> SourceBytes {
        SourceBytes {
            let bytes = try bytes.make()
            let checksum = bytes.withUnsafeBytes { CRC32.checksum(of: $0) }
            var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
            for start in stride(from: 0, to: bytes.count, by: 65_535) {
                let block = bytes[start..<min(start + 65_535, bytes.count)]
                file +=
                    [block.endIndex == bytes.count ? 1 : 0] + little(block.count, 2) + little(~block.count, 2)
                    + block
            }
            return file + little(Int(checksum), 4) + little(bytes.count, 4)
        }
    }

    /// A chunk of a PNG file.
    static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let content = Array(type.utf8) + data
        let checksum = content.withUnsafeBytes { CRC32.checksum(of: $0) }
        return big(data.count, 4) + content + big(Int(checksum), 4)
    }

    /// A PNG file of gray images that states a size and has other data.
    static func png(
        width: Int, height: Int, bits: UInt8 = 8, color: UInt8 = 0, method: UInt8 = 0, chunks: [UInt8] = [],
        data: [UInt8] = zlibOfZeros(1000)
    ) -> SourceBytes {
        .bytes(
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
                + chunk("IHDR", big(width, 4) + big(height, 4) + [bits, color, method, 0, 0]) + chunks
                + chunk("IDAT", data) + chunk("IEND", []))
    }

    /// A zlib stream of so many zeros (RFC 1950).
    static func zlibOfZeros(_ count: Int) -> [UInt8] {
        // Of zeros, one of the two sums is 1 and the other their number.
        [0x78, 0x01] + deflatedZeros(count) + big((count % 65_521) << 16 | 1, 4)
    }

    /// A deflate stream of so many zeros, at least one (RFC 1951): a zero, copies of 258 of what was last, and the zeros that are
    /// left, in one block of fixed codes.
    static func deflatedZeros(_ count: Int) -> [UInt8] {
        var (bytes, bits, bitCount): ([UInt8], UInt32, UInt32) = ([], 0, 0)
        func put(_ value: UInt32, _ count: UInt32) {
            bits |= value << bitCount
            bitCount += count
            while bitCount >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: bits))
                (bits, bitCount) = (bits >> 8, bitCount - 8)
            }
        }
        // Codes stand with their first bit lowest: that of a zero, of a length of 258 with the distance 1, and of the end.
        let (zero, copy, end): (UInt32, UInt32, UInt32) = (0b0000_1100, 0b0_0000_1010_0011, 0b000_0000)
        let copyCount = (count - 1) / 258
        put(0b011, 3)
        put(zero, 8)
        for _ in 0..<copyCount { put(copy, 13) }
        for _ in 0..<count - 1 - copyCount * 258 { put(zero, 8) }
        put(end, 7)
        put(0, 7)
        return bytes
    }

    /// A member of a ZIP file, as its own header and the directory say.
    struct Member {
        var name = "a.npy"
        var method = 0
        var stored: [UInt8] = []
        var size: Int?
        /// The stored bytes that it claims to have; nil for those that it has.
        var claimed: Int?
        var checksum: UInt32?
        var flags = 0
        /// Where the directory says that it is; nil for where it is.
        var offset: Int?
        /// Whether its bytes are in the file; else it is in the directory alone.
        var isThere = true
    }

    /// A ZIP file of members, and of as many as its end says.
    static func zip(_ members: [Member], count: Int? = nil) -> SourceBytes {
        var (file, directory): ([UInt8], [UInt8]) = ([], [])
        for member in members {
            let start = file.count
            let checksum = member.checksum ?? member.stored.withUnsafeBytes { CRC32.checksum(of: $0) }
            let common =
                little(20, 2) + little(member.flags, 2) + little(member.method, 2) + little(0, 4)
                + little(Int(checksum), 4) + little(member.claimed ?? member.stored.count, 4)
                + little(member.size ?? member.stored.count, 4) + little(member.name.utf8.count, 2)
            let name = Array(member.name.utf8)
            if member.isThere {
                file += little(0x0403_4B50, 4) + common + little(0, 2) + name + member.stored
            }
            directory += little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 12)
            directory += little(member.offset ?? start, 4) + name
        }
        let count = count ?? members.count
        return .bytes(
            file + directory + little(0x0605_4B50, 4) + little(0, 4) + little(count, 2) + little(count, 2)
                + little(directory.count, 4) + little(file.count, 4) + little(0, 2))
    }
}
