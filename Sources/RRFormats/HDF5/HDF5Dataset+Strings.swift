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
    /// - Parameter strings: as many as the dataset has elements; none has more bytes than its elements.
    /// - Throws: `FormatError` with the code `unsupported` for text that holds a zero character, or `cannotWrite`.
    package func writeStrings(_ strings: [String]) throws(FormatError) {
        guard case .fixedString(let length) = elementType.kind else {
            throw FormatError(.unsupported, path: location, "only strings of fixed length are written")
        }
        precondition(strings.count == shape.elementCount)
        guard !strings.isEmpty else { return }
        var bytes = [UInt8](repeating: 0, count: strings.count * length)
        for (position, string) in strings.enumerated() {
            guard !string.utf8.contains(0) else {
                throw FormatError(.unsupported, path: location, "text with a zero character cannot be stored")
            }
            guard string.utf8.count <= length else {
                throw FormatError(.cannotWrite, path: location, "“\(string)” has more than \(length) bytes")
            }
            var offset = position * length
            for byte in string.utf8 {
                bytes[offset] = byte
                offset += 1
            }
        }
        try file.write { () throws(FormatError) in
            try HDF5Library.check(
                H5Dwrite(handle.id, storedType.id, rr_h5s_all(), rr_h5s_all(), rr_h5p_default(), bytes),
                at: location, code: .cannotWrite)
        }
    }
}
