internal import CHDF5

/// Lists of strings as libhdf5 reads them.
enum HDF5Strings {
    /// Reads all strings of a dataspace.
    ///
    /// - Parameters:
    ///   - fileSize: the size of the file in bytes, which bounds what is allocated.
    ///   - read: calls `H5Dread` or `H5Aread` with a memory type and a buffer.
    /// - Throws: `FormatError` with the code `malformed`.
    static func read(
        type: borrowing HDF5Handle, space: borrowing HDF5Handle, at location: String, fileSize: Int,
        read: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws(FormatError) -> [String] {
        let count = H5Sget_simple_extent_npoints(space.id)
        guard count >= 0 else { throw HDF5Library.failure(.malformed, at: location) }
        guard count > 0 else { return [] }
        let size = H5Tget_size(type.id)
        guard fits(count: Int(count), size: size, fileSize: fileSize) else {
            throw FormatError(
                .malformed, path: location, "\(count) strings of \(size) bytes cannot be in a file this small"
            )
        }
        let isVariable = H5Tis_variable_str(type.id) > 0
        return isVariable
            ? try readVariable(count: Int(count), type: type, space: space, at: location, read: read)
            : try readFixed(count: Int(count), size: size, type: type, at: location, read: read)
    }

    /// Whether strings can be in a file: deflate makes data at most 1,032 times smaller.
    static func fits(count: Int, size: Int, fileSize: Int) -> Bool {
        let (total, overflow) = size.multipliedReportingOverflow(by: count)
        return !overflow
            && total <= max(fileSize, fileSize.multipliedReportingOverflow(by: 1100).partialValue)
    }

    private static func readFixed(
        count: Int, size: Int, type: borrowing HDF5Handle, at location: String,
        read: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws(FormatError) -> [String] {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count * size, alignment: 1)
        defer { bytes.deallocate() }
        guard let base = bytes.baseAddress else { return [] }
        try HDF5Library.check(read(type.id, base), at: location, code: .malformed)
        return try split(
            UnsafeRawBufferPointer(bytes), size: size,
            isPaddedWithSpaces: H5Tget_strpad(type.id) == H5T_STR_SPACEPAD, at: location)
    }

    /// The strings that stand in as many bytes each.
    static func split(
        _ bytes: UnsafeRawBufferPointer, size: Int, isPaddedWithSpaces: Bool, at location: String
    ) throws(FormatError) -> [String] {
        let padding: UInt8? = isPaddedWithSpaces ? 0x20 : nil
        let count = bytes.count / size
        var strings: [String] = []
        strings.reserveCapacity(count)
        for position in 0..<count {
            var text = bytes[position * size..<(position + 1) * size].prefix { $0 != 0 }
            while let last = text.last, last == padding { text.removeLast() }
            strings.append(
                try decode(UnsafeRawBufferPointer(rebasing: text), position: position, at: location))
        }
        return strings
    }

    private static func readVariable(
        count: Int, type: borrowing HDF5Handle, space: borrowing HDF5Handle, at location: String,
        read: (hid_t, UnsafeMutableRawPointer) -> herr_t
    ) throws(FormatError) -> [String] {
        let pointers = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count)
        pointers.initialize(repeating: nil)
        defer { pointers.deallocate() }
        guard let base = pointers.baseAddress else { return [] }
        try HDF5Library.check(read(type.id, base), at: location, code: .malformed)
        defer { H5Dvlen_reclaim(type.id, space.id, rr_h5p_default(), base) }
        var strings: [String] = []
        strings.reserveCapacity(count)
        for position in 0..<count {
            guard let text = pointers[position] else {
                strings.append("")
                continue
            }
            let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
            strings.append(try decode(bytes, position: position, at: location))
        }
        return strings
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, position: Int, at location: String
    ) throws(FormatError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw FormatError(.malformed, path: location, "string \(position) is not UTF-8")
        }
        return text
    }
}
