/// Files that gzip (RFC 1952) has compressed.
enum GzipFile {
    static let signature: [UInt8] = [0x1F, 0x8B]

    /// Inflates a whole file, of one member or several.
    ///
    /// Memory is bounded by what deflate can make of the file's bytes.
    ///
    /// - Throws: `FormatError` with the code `malformed`, or `cannotRead`.
    static func inflate(_ file: RandomAccessFile) throws(FormatError) -> [UInt8] {
        let compressed = try file.bytes(at: 0, count: file.size)
        guard let inflater = Inflater() else {
            throw FormatError(.cannotRead, path: file.path, "there is no memory to inflate it")
        }
        guard compressed.count >= 18, compressed.starts(with: signature) else {
            throw FormatError(.malformed, path: file.path, "the gzip file is cut short")
        }
        // The last four bytes are the last member's size, modulo 2^32: nearly always that of the whole.
        let claimed = compressed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        let limit = compressed.count * Inflater.largestRatio
        var inflated = [UInt8](repeating: 0, count: min(limit, claimed))
        var (position, count) = (0, 0)
        while position < compressed.count {
            let outcome = compressed.withUnsafeBytes { source in
                inflated.withUnsafeMutableBytes { target in
                    inflater.inflate(
                        .init(rebasing: source[position...]), .gzip, into: .init(rebasing: target[count...]))
                }
            }
            switch outcome {
            case .done(let read, let written):
                position += read
                count += written
                // Tapes and some programs pad the file with zeros.
                if compressed[position...].allSatisfy({ $0 == 0 }) { position = compressed.count }
            case .targetFull where inflated.count < limit:
                let more = min(limit, max(1 << 16, inflated.count * 2)) - inflated.count
                inflated.append(contentsOf: repeatElement(0, count: more))
            case .targetFull, .damaged:
                throw FormatError(.malformed, path: file.path, "the gzip file is damaged or cut short")
            }
        }
        inflated.removeLast(inflated.count - count)
        return inflated
    }
}
