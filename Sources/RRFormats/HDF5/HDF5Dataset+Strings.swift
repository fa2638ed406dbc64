internal import CHDF5
internal import RRTensor

extension HDF5Dataset {
    /// Reads all strings, of fixed or variable length.
    ///
    /// - Throws: `FormatError` with the code `malformed`, also for text that is not UTF-8, or `unsupported` where
    ///   the elements are no strings.
    package func readStrings() throws(FormatError) -> [String] {
        try file.checkOpen()
        return try HDF5Library.quietly { () throws(FormatError) in
            switch elementType.kind {
            case .fixedString, .variableString: break
            default:
                throw FormatError(
                    .unsupported, path: location, "its elements are no strings (\(elementType))")
            }
            try checkFilters()
            let space = try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed)
            return try HDF5Strings.read(
                type: storedType, space: space, at: location, fileSize: file.fileSize()
            ) { type, buffer in
                H5Dread(handle.id, type, rr_h5s_all(), rr_h5s_all(), rr_h5p_default(), buffer)
            }
        }
    }

    /// Writes all strings of a dataset whose elements are strings of fixed length, in UTF-8 padded with zeros.
    ///
    /// - Parameter string: the string of each element; none has more bytes than that.
    /// - Throws: `FormatError` with the code `unsupported` for text that holds a zero character, or `cannotWrite`.
    package func writeStrings(_ string: (_ index: Int) -> String) throws(FormatError) {
        guard case .fixedString(let length) = elementType.kind else {
            throw FormatError(.unsupported, path: location, "only strings of fixed length are written")
        }
        precondition(shape.rank == 1)
        let count = shape[0]
        // Block by block: padded, the strings can take many times their own memory.
        let blockSize = max(1, (1 << 20) / length)
        var bytes = [UInt8](repeating: 0, count: min(blockSize, count) * length)
        var (first, filled) = (0, 0)
        for index in 0..<count {
            try pad(string(index), to: length, at: filled * length, of: &bytes)
            filled += 1
            guard filled == blockSize || first + filled == count else { continue }
            try write(bytes, rows: first..<first + filled)
            (first, filled) = (first + filled, 0)
        }
    }

    private func pad(
        _ string: String, to length: Int, at start: Int, of bytes: inout [UInt8]
    ) throws(FormatError) {
        var offset = start
        for byte in string.utf8 {
            guard byte != 0 else {
                throw FormatError(.unsupported, path: location, "text with a zero character cannot be stored")
            }
            guard offset < start + length else {
                throw FormatError(.cannotWrite, path: location, "“\(string)” has more than \(length) bytes")
            }
            bytes[offset] = byte
            offset += 1
        }
        while offset < start + length {
            bytes[offset] = 0
            offset += 1
        }
    }

    private func write(_ bytes: [UInt8], rows: Range<Int>) throws(FormatError) {
        try file.write { () throws(FormatError) in
            let space = try select(rows)
            let memory = try HDF5Handle(H5Screate_simple(1, [hsize_t(rows.count)], nil), at: location)
            try HDF5Library.check(
                H5Dwrite(handle.id, storedType.id, memory.id, space.id, rr_h5p_default(), bytes),
                at: location, code: .cannotWrite)
        }
    }
}
