internal import CHDF5
internal import RRTensor

extension HDF5Dataset {
    /// Whether the elements are sequences of bytes of any length, as encoded files are kept.
    package var holdsByteSequences: Bool {
        if let contained { return contained.facts.holdsByteSequences }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        return rr_h5t_is_bytes_of_variable_length(storedType.id) != 0
    }

    /// Reads the sequences of rows, one in each.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `unsupported`.
    func readByteSequences(rows: Range<Int>) throws(FormatError) -> [[UInt8]] {
        precondition(shape.rank > 0 && rows.lowerBound >= 0 && rows.upperBound <= shape[0])
        try file.checkOpen()
        let fileSize = try file.fileSize()
        if let contained {
            let sequences = try contained.reader.ask(
                .byteSequences(contained.number, rows: rows), largest: fileSize + 16 * (rows.count + 1)
            ) { answer throws(HDF5BrokenRecord) in
                try answer.list { answer throws(HDF5BrokenRecord) in try answer.block() }
            }
            guard sequences.count == rows.count else {
                throw FormatError(
                    .malformed, path: location, "the rows that were read are not those that are there")
            }
            return sequences
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        try checkFilters()
        let space = try select(rows)
        let count = [hsize_t(rows.count)]
        let memory = try HDF5Handle(H5Screate_simple(1, count, nil), at: location)
        let sequences = UnsafeMutableBufferPointer<hvl_t>.allocate(capacity: rows.count)
        sequences.initialize(repeating: hvl_t())
        defer { sequences.deallocate() }
        guard let base = sequences.baseAddress else { return [] }
        try HDF5Library.check(
            H5Dread(handle.id, storedType.id, memory.id, space.id, rr_h5p_default(), base), at: location,
            code: .malformed)
        defer { H5Dvlen_reclaim(storedType.id, memory.id, rr_h5p_default(), base) }
        var found: [[UInt8]] = []
        for (position, sequence) in sequences.enumerated() {
            guard sequence.len <= fileSize else {
                throw FormatError(
                    .malformed, path: location,
                    "row \(rows.lowerBound + position) claims \(sequence.len) bytes of a file of \(fileSize)"
                )
            }
            found.append(Array(UnsafeRawBufferPointer(start: sequence.p, count: sequence.len)))
        }
        return found
    }
}
