internal import CHDF5
internal import CHDF5Filters
internal import RRTensor

extension HDF5Dataset {
    /// Reads rows along dimension 0.
    ///
    /// libhdf5 converts between numbers; a value that `Element` cannot hold is an error, not clamped.
    ///
    /// - Parameters:
    ///   - rows: rows of the dataset, whose rank is then at least 1; nil for all elements.
    ///   - buffer: as many elements as the rows have.
    /// - Throws: `FormatError` with the code `malformed` (damaged data, a value out of range) or `unsupported`
    ///   (elements that are no numbers, a filter that is not part of libhdf5).
    package func read<Element: HDF5Element>(
        rows: Range<Int>? = nil, as type: Element.Type, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(FormatError) {
        precondition(rows.map { shape.rank > 0 && $0.lowerBound >= 0 && $0.upperBound <= shape[0] } ?? true)
        precondition(buffer.count == rows.map { $0.count * elementsPerRow } ?? shape.elementCount)
        try file.checkOpen()
        guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
        // libhdf5 1.10 copies a whole chunk out of what deflate gives, however little that is.
        if file.readsPastLibrary, shape.rank > 0, elementType.size != nil {
            let rows = rows ?? 0..<shape[0]
            let isRead =
                elementType.kind == Element.storedType.kind
                ? try HDF5Array(self).readPastLibrary(rows: rows, into: UnsafeMutableRawBufferPointer(buffer))
                : try readConverting(rows, into: buffer)
            if isRead { return }
        }
        if let contained {
            guard elementType.size != nil else {
                throw FormatError(
                    .unsupported, path: location, "its elements are no numbers (\(elementType))")
            }
            return try contained.reader.ask(
                .elements(contained.number, rows: rows, as: Element.storedType),
                into: UnsafeMutableRawBufferPointer(buffer))
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        guard elementType.size != nil else {
            throw FormatError(
                .unsupported, path: location, "its elements are no numbers (\(elementType))")
        }
        try checkFilters()
        let space =
            if let rows {
                try select(rows)
            } else {
                try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed)
            }
        let memory = try HDF5Handle(H5Screate_simple(1, [hsize_t(buffer.count)], nil), at: location)
        guard elementType.kind == .bool else {
            let transfer = try HDF5Transfer(at: location)
            return try transfer.check(
                H5Dread(
                    handle.id, Element.memoryType, memory.id, space.id, transfer.properties.id, base),
                at: location, code: .malformed)
        }
        // libhdf5 does not convert truth values: their bytes are read as they are and widened here, from
        // the last to the first, within the same buffer.
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        try HDF5Library.check(
            H5Dread(handle.id, storedType.id, memory.id, space.id, rr_h5p_default(), base), at: location,
            code: .malformed)
        for position in buffer.indices.reversed() {
            buffer[position] = bytes[position] == 0 ? 0 : 1
        }
    }

    /// Reads rows of integers as another type, without libhdf5.
    ///
    /// - Returns: whether that was possible.
    private func readConverting<Element: HDF5Element>(
        _ rows: Range<Int>, into buffer: UnsafeMutableBufferPointer<Element>
    ) throws(FormatError) -> Bool {
        func convert<Stored: HDF5Element & FixedWidthInteger>(_: Stored.Type) throws(FormatError) -> Bool {
            let array = try HDF5Array(self)
            let stored = UnsafeMutableBufferPointer<Stored>.allocate(capacity: buffer.count)
            defer { stored.deallocate() }
            guard try array.readPastLibrary(rows: rows, into: UnsafeMutableRawBufferPointer(stored)) else {
                return false
            }
            for position in buffer.indices {
                guard let element = Element(converting: stored[position]) else {
                    throw FormatError(
                        .malformed, path: location,
                        "a value does not fit the type that it was to be converted to")
                }
                buffer[position] = element
            }
            return true
        }
        switch elementType.kind {
        case .uint8, .bool: return try convert(UInt8.self)
        case .int8: return try convert(Int8.self)
        case .uint16: return try convert(UInt16.self)
        case .int16: return try convert(Int16.self)
        case .uint32: return try convert(UInt32.self)
        case .int32: return try convert(Int32.self)
        case .uint64: return try convert(UInt64.self)
        case .int64: return try convert(Int64.self)
        default: return false
        }
    }

    /// Reads all elements in row-major order.
    ///
    /// - Throws: as `read(rows:as:into:)`, and `malformed` where the elements cannot be in the file.
    package func readAll<Element: HDF5Element>(as type: Element.Type) throws(FormatError) -> [Element] {
        try checkSize()
        guard shape.elementCount > 0 else { return [] }
        var failure: FormatError?
        let elements = [Element](unsafeUninitializedCapacity: shape.elementCount) { buffer, count in
            do throws(FormatError) {
                try read(
                    as: type, into: UnsafeMutableBufferPointer(rebasing: buffer.prefix(shape.elementCount)))
                count = shape.elementCount
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }

    /// The dataspace in the file with whole rows selected.
    func select(_ rows: Range<Int>) throws(FormatError) -> HDF5Handle {
        let space = try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed)
        var start = shape.dimensions.map { _ in hsize_t(0) }
        var count = shape.dimensions.map { hsize_t($0) }
        start[0] = hsize_t(rows.lowerBound)
        count[0] = hsize_t(rows.count)
        try HDF5Library.check(
            H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, count, nil), at: location)
        return space
    }

    /// Refuses filters that libhdf5 would look for among its plugins, and tells those of ours how much a chunk has.
    func checkFilters() throws(FormatError) {
        let creation = try HDF5Handle(H5Dget_create_plist(handle.id), at: location, code: .malformed)
        let filters = HDF5Layout.filters(of: creation)
        var chunkSize = 0
        // nbit and scale-offset, which may come before ours, make fewer bytes of a chunk.
        let keepSize = filters.allSatisfy {
            ![H5Z_FILTER_NBIT, H5Z_FILTER_SCALEOFFSET].contains(Int32($0.number))
        }
        if keepSize, case .chunked(let extents, _) = HDF5Layout(of: handle) {
            chunkSize = extents.reduce(H5Tget_size(storedType.id)) {
                $0.multipliedReportingOverflow(by: $1).partialValue
            }
        }
        rr_hdf5_expect_chunk(max(0, chunkSize))
        for filter in filters where H5Zfilter_avail(H5Z_filter_t(filter.number)) <= 0 {
            throw FormatError(
                .unsupported, path: location,
                "the data is compressed by \(filter.name), which needs a plugin of libhdf5; "
                    + "plugins are loaded only where \(option: .trustsLinks) says so. Store it anew with deflate (gzip)"
            )
        }
    }
}

/// How elements are converted as they are read or written: a value that the wanted type cannot hold ends the call.
struct HDF5Transfer: ~Copyable {
    let properties: HDF5Handle
    /// Set to another number than 0 by libhdf5 where a value did not fit.
    private let refused: UnsafeMutablePointer<Int32>

    init(at location: String) throws(FormatError) {
        properties = try HDF5Handle(H5Pcreate(rr_h5p_dataset_xfer()), at: location)
        refused = .allocate(capacity: 1)
        refused.initialize(to: 0)
        rr_h5_set_refusal_of_lossy_values(properties.id, refused)
    }

    deinit { refused.deallocate() }

    /// Throws where the call failed that has just been made with these properties.
    func check(_ status: herr_t, at location: String, code: FormatError.Code) throws(FormatError) {
        guard status < 0 else { return }
        guard refused.pointee == 0 else {
            throw FormatError(
                code == .cannotWrite ? .unsupported : code, path: location,
                "a value does not fit the type that it was to be converted to")
        }
        throw HDF5Library.failure(code, at: location)
    }
}

// Strings.
extension HDF5Dataset {
    /// Reads all strings, of fixed or variable length.
    ///
    /// - Throws: `FormatError` with the code `malformed`, also for text that is not UTF-8, or `unsupported` where
    ///   the elements are no strings.
    package func readStrings() throws(FormatError) -> [String] {
        try file.checkOpen()
        switch elementType.kind {
        case .fixedString(let length):
            if let strings = try readFixedStrings(length: length) { return strings }
        case .variableString: break
        default:
            throw FormatError(
                .unsupported, path: location, "its elements are no strings (\(elementType))")
        }
        if let contained {
            let (most, overflow) = shape.elementCount.multipliedReportingOverflow(by: 9)
            guard !overflow else {
                throw FormatError(.malformed, path: location, "the shape \(shape) has too many strings")
            }
            // Each has its length; variable ones may share the bytes of the file that they name.
            let size = try file.fileSize()
            let limit = max(size, size.multipliedReportingOverflow(by: 1100).partialValue)
            return try contained.reader.ask(.strings(contained.number), largest: limit + most + (64 << 20)) {
                answer throws(HDF5BrokenRecord) in
                try answer.list { answer throws(HDF5BrokenRecord) in try answer.text() }
            }
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        try checkFilters()
        let space = try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed)
        return try HDF5Strings.read(
            type: storedType, space: space, at: location, fileSize: file.fileSize()
        ) { type, buffer in
            H5Dread(handle.id, type, rr_h5s_all(), rr_h5s_all(), rr_h5p_default(), buffer)
        }
    }

    /// Reads strings of fixed length without libhdf5; nil where that is not possible.
    private func readFixedStrings(length: Int) throws(FormatError) -> [String]? {
        guard file.readsPastLibrary, shape.rank > 0, facts.asBytes != nil,
            try HDF5Strings.fits(count: shape.elementCount, size: length, fileSize: file.fileSize())
        else { return nil }
        let array = try HDF5Array(self, textAsBytes: true)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: shape.elementCount * length, alignment: 1)
        defer { buffer.deallocate() }
        guard try array.readPastLibrary(rows: 0..<shape[0], into: buffer) else { return nil }
        return try HDF5Strings.split(
            UnsafeRawBufferPointer(buffer), size: length, isPaddedWithSpaces: facts.isPaddedWithSpaces,
            at: location)
    }
}
