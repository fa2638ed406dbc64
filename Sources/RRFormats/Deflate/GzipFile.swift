/// Files that gzip (RFC 1952) has compressed.
enum GzipFile {
    static let signature: [UInt8] = [0x1F, 0x8B]

    /// The least size of a file: a header of ten bytes and an end of eight.
    private static let leastSize = 18

    /// The size that a file states at its end, of its last member and modulo 2³²; nil where it is cut short.
    static func statedSize(of compressed: [UInt8]) -> UInt32? {
        guard compressed.count >= leastSize else { return nil }
        return compressed.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Inflates the beginning of a file.
    ///
    /// - Returns: `count` bytes where the file has as many.
    /// - Throws: `FormatError` with the code `malformed`, or `cannotRead`.
    static func beginning(
        of compressed: [UInt8], count: Int, path: String
    ) throws(FormatError) -> [UInt8] {
        let inflater = try inflater(for: compressed, path: path)
        var beginning: [UInt8] = []
        var position = 0
        while beginning.count < count, position < compressed.count {
            let (bytes, end) = compressed.withUnsafeBytes { source in
                inflater.beginning(
                    of: .init(rebasing: source[position...]), .gzip, count: count - beginning.count)
            }
            beginning += bytes
            guard let end else { break }
            position += end
        }
        guard !beginning.isEmpty else { throw damaged(path) }
        return beginning
    }

    /// Inflates a whole file, of one member or several, which together have a stated size.
    ///
    /// - Parameter size: the bytes that the file is said to hold. Memory grows with what there is, never beyond.
    /// - Returns: as many bytes, or fewer where there are no more.
    /// - Throws: `FormatError` with the code `malformed`, also where there is more, or `cannotRead`.
    static func inflate(
        _ compressed: [UInt8], size: Int, path: String
    ) throws(FormatError) -> [UInt8] {
        let inflater = try inflater(for: compressed, path: path)
        guard size / Inflater.largestRatio <= compressed.count else {
            throw FormatError(
                .malformed, path: path,
                "\(compressed.count) bytes cannot inflate to the \(size) that the header states")
        }
        var inflated = [UInt8](
            repeating: 0, count: Inflater.firstRoom(for: size, compressed: compressed.count))
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
            case .targetFull where inflated.count < size:
                var larger = [UInt8](repeating: 0, count: min(size, inflated.count * 2))
                larger.replaceSubrange(..<count, with: inflated[..<count])
                inflated = larger
            case .targetFull:
                throw FormatError(
                    .malformed, path: path,
                    "the gzip file holds more than the \(size) bytes that its header states")
            case .damaged: throw damaged(path)
            }
        }
        inflated.removeLast(inflated.count - count)
        return inflated
    }

    private static func inflater(for compressed: [UInt8], path: String) throws(FormatError) -> Inflater {
        guard let inflater = Inflater() else {
            throw FormatError(.cannotRead, path: path, "there is no memory to inflate it")
        }
        guard compressed.count >= leastSize, compressed.starts(with: signature) else {
            throw FormatError(.malformed, path: path, "the gzip file is cut short")
        }
        return inflater
    }

    private static func damaged(_ path: String) -> FormatError {
        FormatError(.malformed, path: path, "the gzip file is damaged or cut short")
    }
}
