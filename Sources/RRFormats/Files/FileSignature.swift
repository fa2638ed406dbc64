/// What a file is, told by its content and not by its name.
package enum FileSignature: Sendable {
    case hdf5, npy, zip, gzip, idx, png, jpeg, safetensors

    /// Looks at the first bytes of a file, and where an HDF5 file's own may begin: at 0, or behind a block of the user's,
    /// as MATLAB writes one of 512 bytes.
    ///
    /// Source: "HDF5 File Format Specification", II.A: the superblock begins at 0, 512, 1024, 2048, … bytes.
    ///
    /// - Returns: nil for a file that is none of these.
    /// - Throws: `FormatError` with the code `notFound` or `cannotRead`.
    package static func of(_ path: String) throws(FormatError) -> FileSignature? {
        try of(.file(InputFile(reading: path, pipeLimit: .max)))
    }

    /// Looks at what may be a file's bytes, read already.
    ///
    /// - Throws: `FormatError` with the code `cannotRead`.
    static func of(_ file: ArrayBytes) throws(FormatError) -> FileSignature? {
        let start = try file.bytes(at: 0, count: min(9, file.count))
        // Before all others: the length that such a file begins with may be the first bytes of any of them.
        if beginsSafeTensors(start) { return .safetensors }
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return .png }
        if start.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if start.starts(with: [0x93, 0x4E, 0x55, 0x4D]) { return .npy }
        if start.starts(with: [0x50, 0x4B]) { return .zip }
        if start.starts(with: [0x1F, 0x8B]) { return .gzip }
        var offset = 0
        while offset <= 1 << 30, offset + hdf5Signature.count <= file.count {
            if try file.bytes(at: offset, count: hdf5Signature.count) == hdf5Signature { return .hdf5 }
            offset = offset == 0 ? 512 : offset * 2
        }
        return start.starts(with: [0, 0]) ? .idx : nil
    }

    /// Whether bytes begin as a safetensors file does: with the length of its header in eight bytes, and the header's `{`.
    ///
    /// The lengths that are read leave the last four of these bytes zero, where a ZIP file has its version, NPY, PNG and
    /// HDF5 their name, IDX an extent and gzip a time, and no text has a zero byte; none of them has a `{` behind.
    static func beginsSafeTensors(_ start: [UInt8]) -> Bool {
        guard start.count >= 9, start[8] == UInt8(ascii: "{") else { return false }
        let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return length > 0 && length <= UInt64(SafeTensorsFile.largestHeader)
    }

    private static let hdf5Signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
}
