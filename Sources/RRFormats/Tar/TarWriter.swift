/// Writes a tar archive of files, member after member (POSIX.1-2017, pax, "ustar Interchange Format").
///
/// Members are plain files of mode 0644 without owner or time, so that the same content makes the same bytes. A name
/// that has more than 100 bytes, or a size of more than 33 bits, stands in an extended header before the member. These
/// are the bytes that Python's `tarfile` writes.
package final class TarWriter {
    private let file: SequentialFile
    /// The bytes of the archive so far.
    package private(set) var byteCount = 0

    private static let blockSize = 512

    /// Creates the archive, replacing what is at `writtenPath`.
    ///
    /// - Parameter path: the file that errors name.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(creating writtenPath: String, path: String) throws(FormatError) {
        file = try SequentialFile(creating: writtenPath, path: path)
    }

    /// Adds a file.
    ///
    /// - Parameter name: its path in the archive, which holds no zero byte and is not empty.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func add(_ name: String, _ bytes: [UInt8]) throws(FormatError) {
        try append(Self.memberHeader(name: name, size: bytes.count))
        try append(bytes)
        try append(Self.padding(after: bytes.count))
    }

    /// Writes the end of the archive, two blocks of zeros, and closes the file.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package func close() throws(FormatError) {
        try append(Self.end)
        try file.close()
    }
}

extension TarWriter {
    /// The two blocks of zeros that end an archive.
    package static var end: [UInt8] { Array(repeating: 0, count: 2 * blockSize) }

    /// What stands before the bytes of a file.
    ///
    /// - Parameter name: its path in the archive, which holds no zero byte and is not empty.
    package static func memberHeader(name: String, size: Int) -> [UInt8] {
        let utf8 = Array(name.utf8)
        precondition(!utf8.isEmpty && !utf8.contains(0))
        var records: [UInt8] = []
        if utf8.count > 100 { records += record("path", utf8) }
        if size > 0o777_7777_7777 { records += record("size", Array("\(size)".utf8)) }
        let own = header(name: Array(utf8.prefix(100)), size: size, type: "0")
        guard !records.isEmpty else { return own }
        let extended = header(name: Array("././@PaxHeader".utf8), size: records.count, type: "x", mode: 0)
        return extended + records + padding(after: records.count) + own
    }

    /// A header block.
    private static func header(
        name: [UInt8], size: Int, type: Character, mode: Int = 0o644
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
            for (position, byte) in bytes.enumerated() { block[offset + position] = byte }
        }
        func octal(_ number: Int, digits: Int) -> String.UTF8View {
            let text = String(number, radix: 8)
            return (String(repeating: "0", count: max(0, digits - text.count)) + text).utf8
        }
        put(name, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        // Where the size has more digits, the extended header has it.
        put(octal(size > 0o777_7777_7777 ? 0 : size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put(Array(repeating: UInt8(ascii: " "), count: 8), at: 148)
        put(String(type).utf8, at: 156)
        put("ustar".utf8, at: 257)
        put("00".utf8, at: 263)
        // The sum of all bytes of the block, its own field taken for spaces.
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6), at: 148)
        block[154] = 0
        return block
    }

    /// `25 path=…` and a line's end: the length of the record, itself included, then key and value.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = rest.count
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        return Array("\(length)".utf8) + rest
    }

    /// The zeros that fill the last block of a member.
    package static func padding(after count: Int) -> [UInt8] {
        Array(repeating: 0, count: (blockSize - count % blockSize) % blockSize)
    }

    private func append(_ bytes: [UInt8]) throws(FormatError) {
        try file.write(bytes)
        byteCount += bytes.count
    }
}
