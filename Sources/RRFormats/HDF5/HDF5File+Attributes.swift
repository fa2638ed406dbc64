internal import CHDF5

extension HDF5File {
    /// Reads an attribute of an object; nil where the object has none of this name.
    ///
    /// - Throws: `FormatError` with the code `notFound` for the object, `unsupported` or `malformed`.
    package func attribute(
        _ name: String, of objectPath: String = "/"
    ) throws(FormatError) -> HDF5Attribute? {
        if let reader {
            return try reader.ask(.attribute(name: name, objectPath: objectPath), largest: largestAttribute) {
                answer throws(HDF5BrokenRecord) in
                try answer.optional { answer throws(HDF5BrokenRecord) in try answer.attribute() }
            }
        }
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        let location = location(of: objectPath) + "@" + name
        let object = try open(objectPath)
        let exists = H5Aexists(object.id, name)
        try HDF5Library.check(herr_t(exists), at: location, code: .malformed)
        guard exists > 0 else { return nil }
        let attribute = try HDF5Handle(
            H5Aopen(object.id, name, rr_h5p_default()), at: location, code: .malformed)
        let type = try HDF5Handle(H5Aget_type(attribute.id), at: location, code: .malformed)
        let space = try HDF5Handle(H5Aget_space(attribute.id), at: location, code: .malformed)
        let extent = H5Sget_simple_extent_type(space.id)
        let elementType = HDF5ElementType(of: type)
        switch elementType.kind {
        case .fixedString, .variableString:
            guard extent != H5S_NULL else { return .other }
            let strings = try HDF5Strings.read(
                type: type, space: space, at: location, fileSize: fileSize()
            ) {
                H5Aread(attribute.id, $0, $1)
            }
            return extent == H5S_SCALAR ? strings.first.map { .string($0) } : .strings(strings)
        default:
            guard extent == H5S_SCALAR, elementType.isInteger, elementType.kind != .bool else {
                return .other
            }
            return try readInteger(attribute, type: elementType, at: location)
        }
    }

    /// An attribute that is text; nil also where it is something else, or cannot be read.
    package func text(_ name: String, of objectPath: String = "/") -> String? {
        (try? attribute(name, of: objectPath))?.text
    }

    /// An attribute that is a list of texts; nil also where it is something else, or cannot be read.
    package func names(_ name: String, of objectPath: String) -> [String]? {
        (try? attribute(name, of: objectPath))?.texts
    }

    /// The most bytes of an attribute that are taken from a process: the file holds each text, and each has its length.
    private var largestAttribute: Int {
        (input?.size ?? 0).multipliedReportingOverflow(by: 2).partialValue + (64 << 20)
    }

    private func readInteger(
        _ attribute: borrowing HDF5Handle, type: HDF5ElementType, at location: String
    ) throws(FormatError) -> HDF5Attribute {
        var value: Int64 = 0
        if type.kind == .uint64 {
            var unsigned: UInt64 = 0
            try HDF5Library.check(
                H5Aread(attribute.id, UInt64.memoryType, &unsigned), at: location, code: .malformed)
            return Int(exactly: unsigned).map { .integer($0) } ?? .other
        }
        try HDF5Library.check(H5Aread(attribute.id, Int64.memoryType, &value), at: location, code: .malformed)
        return .integer(Int(value))
    }

    /// The size of the file in bytes.
    func fileSize() throws(FormatError) -> Int {
        if let input { return input.size }
        var size: hsize_t = 0
        let errors = HDF5Library.silenceErrors()
        defer { errors.restore() }
        let status = H5Fget_filesize(handle.id, &size)
        try HDF5Library.check(status, at: path)
        return Int(clamping: size)
    }
}

/// The value of an attribute.
package enum HDF5Attribute: Hashable, Sendable {
    case string(String)
    case strings([String])
    case integer(Int)
    /// Anything else: numbers with a fraction, arrays of numbers, compounds. It is not written.
    case other

    /// The value where it is a text.
    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The value where it is a list of texts.
    package var texts: [String]? {
        guard case .strings(let texts) = self else { return nil }
        return texts
    }
}
