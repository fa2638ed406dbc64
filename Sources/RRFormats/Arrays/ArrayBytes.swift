/// The bytes that an array's elements stand in: a file's, or memory that a file was inflated into.
package enum ArrayBytes: Sendable {
    case file(InputFile)
    case memory([UInt8])
    case deferred(DeferredBytes)

    /// Opens a file, or reads what a pipe brings: `-` is standard input.
    ///
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    static func open(_ path: String) throws(FormatError) -> ArrayBytes {
        guard path != PipedBytes.standardInput else {
            return .memory(try PipedBytes.readStandardInput())
        }
        return .file(try InputFile(reading: path, pipeLimit: .max))
    }

    package var count: Int {
        switch self {
        case .file(let file): file.size
        case .memory(let bytes): bytes.count
        case .deferred(let bytes): bytes.size
        }
    }

    /// Fills a buffer with the bytes from an offset on.
    ///
    /// - Throws: `FormatError` with the code `malformed` where they end before, or `cannotRead`.
    func read(
        at offset: Int, into target: UnsafeMutableRawBufferPointer, location: String
    ) throws(FormatError) {
        switch self {
        case .file(let file): try file.read(at: offset, into: target, location: location)
        case .memory(let bytes): try Self.copy(bytes, from: offset, into: target, location: location)
        case .deferred(let bytes):
            try Self.copy(bytes.inflated(), from: offset, into: target, location: location)
        }
    }

    private static func copy(
        _ bytes: [UInt8], from offset: Int, into target: UnsafeMutableRawBufferPointer, location: String
    ) throws(FormatError) {
        guard offset >= 0, target.count <= bytes.count - offset else {
            throw FormatError(.malformed, path: location, "the data is cut short")
        }
        bytes.withUnsafeBytes { source in
            target.copyMemory(from: .init(rebasing: source[offset..<offset + target.count]))
        }
    }

    /// The bytes from an offset on, of which there may be fewer.
    ///
    /// - Throws: `FormatError` with the code `cannotRead`.
    func bytes(at offset: Int, count: Int) throws(FormatError) -> [UInt8] {
        switch self {
        case .file(let file): try file.bytes(at: offset, count: count)
        case .memory(let bytes): Array(bytes.dropFirst(offset).prefix(count))
        case .deferred(let bytes): Array(try bytes.bytes(at: offset, count: count))
        }
    }
}
