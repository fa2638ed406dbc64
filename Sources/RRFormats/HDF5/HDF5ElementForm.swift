internal import CHDF5
internal import RRTensor

/// How a dataset's elements stand in the file, and how they come into memory.
struct HDF5ElementForm {
    let type: ArrayElementType
    let isBigEndian: Bool
    /// Whether the stored bytes are those of memory but for their order; else libhdf5 converts.
    let isAsStored: Bool
    /// Whether libhdf5 reads bytes as they are stored, turned to little-endian, because it converts no further.
    let isBits: Bool
    /// The names of an enumeration's values; nil for other types.
    let valueNames: [Int64: String]?
}

extension HDF5ElementForm {
    init(of dataset: HDF5Dataset) {
        let stored = dataset.elementType
        let id = dataset.storedType.id
        let size = H5Tget_size(id)
        isBigEndian = size > 1 && H5Tget_order(id) == H5T_ORDER_BE
        let kind = H5Tget_class(id)
        if kind == H5T_BITFIELD {
            type = Self.unsigned(size) ?? .other("bit field of \(size) bytes")
            isAsStored = true
            isBits = true
            valueNames = nil
            return
        }
        if kind == H5T_ENUM, stored.kind != .bool, let (integer, names) = Self.enumeration(id, size) {
            // libhdf5 converts between enumerations of the same names only.
            type = integer
            isAsStored = true
            isBits = true
            valueNames = names
            return
        }
        valueNames = nil
        switch stored.kind {
        case .uint8: type = .uint8
        case .int8: type = .int8
        case .uint16: type = .uint16
        case .int16: type = .int16
        case .uint32: type = .uint32
        case .int32: type = .int32
        case .uint64: type = .uint64
        case .int64: type = .int64
        case .float16: type = .float16
        case .float32: type = .float32
        case .float64: type = .float64
        case .bool: type = .bool
        case .fixedString, .variableString: type = .text
        case .other(let words):
            // Integers of some bits of their bytes, as nbit stores them: libhdf5 widens them.
            let narrow =
                kind == H5T_INTEGER ? Self.integer(size, isSigned: H5Tget_sign(id) != H5T_SGN_NONE) : nil
            type = narrow ?? .other(words)
            isAsStored = false
            isBits = false
            return
        }
        isAsStored = stored.size != nil
        isBits = stored.kind == .bool || stored.kind == .float16
    }

    /// The integers of an enumeration, and the names of its values.
    private static func enumeration(_ id: hid_t, _ size: Int) -> (ArrayElementType, [Int64: String])? {
        guard let base = try? HDF5Handle(H5Tget_super(id), at: ""),
            H5Tget_precision(base.id) == size * 8
        else { return nil }
        let isSigned = H5Tget_sign(base.id) != H5T_SGN_NONE
        guard let type = integer(size, isSigned: isSigned) else { return nil }
        let isBigEndian = size > 1 && H5Tget_order(base.id) == H5T_ORDER_BE
        var names: [Int64: String] = [:]
        for number in 0..<UInt32(max(0, H5Tget_nmembers(id))) {
            var bytes = [UInt8](repeating: 0, count: size)
            guard let name = H5Tget_member_name(id, number), H5Tget_member_value(id, number, &bytes) >= 0
            else {
                return nil
            }
            defer { H5free_memory(name) }
            let bits = (isBigEndian ? bytes : bytes.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let unused = UInt64(64 - size * 8)
            let value =
                isSigned ? Int64(bitPattern: bits << unused) >> Int64(unused) : Int64(bitPattern: bits)
            names[value] = String(cString: name)
        }
        return (type, names)
    }

    private static func unsigned(_ size: Int) -> ArrayElementType? { integer(size, isSigned: false) }

    private static func integer(_ size: Int, isSigned: Bool) -> ArrayElementType? {
        switch size {
        case 1: isSigned ? .int8 : .uint8
        case 2: isSigned ? .int16 : .uint16
        case 4: isSigned ? .int32 : .uint32
        case 8: isSigned ? .int64 : .uint64
        default: nil
        }
    }

    /// libhdf5's type for the elements in memory.
    func makeMemoryType(for storedType: borrowing HDF5Handle, at location: String) throws(FormatError)
        -> HDF5Handle
    {
        guard !isBits else {
            let copy = try HDF5Handle(copyOf: storedType.id, at: location)
            // The order of an enumeration's bytes cannot be changed; its reader turns them round.
            if H5Tget_size(copy.id) > 1, valueNames == nil {
                try HDF5Library.check(H5Tset_order(copy.id, H5T_ORDER_LE), at: location)
            }
            return copy
        }
        let native: hid_t =
            switch type {
            case .uint8: UInt8.memoryType
            case .int8: Int8.memoryType
            case .uint16: UInt16.memoryType
            case .int16: Int16.memoryType
            case .uint32: UInt32.memoryType
            case .int32: Int32.memoryType
            case .uint64: UInt64.memoryType
            case .int64: Int64.memoryType
            case .float32: Float.memoryType
            default: Double.memoryType
            }
        return try HDF5Handle(copyOf: native, at: location)
    }
}

extension HDF5Dataset {
    /// Reads rows by libhdf5 into the form of memory.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `unsupported`.
    func read(
        rows: Range<Int>, form: HDF5ElementForm, into bytes: UnsafeMutableRawBufferPointer
    ) throws(FormatError) {
        try file.checkOpen()
        if let contained {
            return try contained.reader.ask(
                .storedElements(contained.number, rows: rows, byteCount: bytes.count), into: bytes)
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        try checkFilters()
        let memoryType = try form.makeMemoryType(for: storedType, at: location)
        let count = [hsize_t(bytes.count / max(1, H5Tget_size(memoryType.id)))]
        // A single element has no rows to select.
        let space =
            shape.rank == 0
            ? try HDF5Handle(H5Dget_space(handle.id), at: location, code: .malformed) : try select(rows)
        let memory = try HDF5Handle(H5Screate_simple(1, count, nil), at: location)
        try HDF5Library.check(
            H5Dread(handle.id, memoryType.id, memory.id, space.id, rr_h5p_default(), bytes.baseAddress),
            at: location, code: .malformed)
    }
}
