internal import RRTensor

/// Arrays in NPY files (NumPy Enhancement Proposal 1), of the versions 1 to 3.
package enum NPYArray {
    /// The longest header that is read, in bytes, which version 1 has room for; NumPy itself stops at 10,000 unless told
    /// otherwise.
    static let largestHeader = 1 << 16
    /// The bytes in which the longest header that is read ends.
    static let largestBeginning = 12 + largestHeader

    /// Opens a file.
    ///
    /// - Throws: `FormatError` with the code `notFound`, `cannotRead`, `malformed` (also where the elements do not
    ///   fill the shape), or `unsupported` for objects, records and other elements that are no numbers or text.
    package static func open(_ path: String) throws(FormatError) -> StoredArray {
        try open(.open(path), location: path)
    }

    /// The size of the file that the first bytes of an NPY file state; nil where they are not enough, or of no such file.
    ///
    /// - Throws: `FormatError` with the code `malformed` or `unsupported` where its header is damaged.
    static func fileSize(statedBy start: [UInt8], path: String) throws(FormatError) -> Int? {
        guard start.count >= 12, start[..<6].elementsEqual([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) else {
            return nil
        }
        let lengthSize = start[6] == 1 ? 2 : 4
        let length = start[8..<8 + lengthSize].reversed().reduce(0) { $0 << 8 | Int($1) }
        let offset = 8 + lengthSize + length
        guard 1...3 ~= start[6], length <= largestHeader, start.count >= offset else { return nil }
        let description = try NPYDescription(Array(start[(8 + lengthSize)..<offset]), location: path)
        var size = description.elementSize
        for extent in description.shape {
            let (product, isMore) = size.multipliedReportingOverflow(by: max(0, extent))
            size = isMore ? .max : product
        }
        return size.addingReportingOverflow(offset).overflow ? .max : size + offset
    }

    /// Opens an array in bytes.
    ///
    /// - Parameters:
    ///   - start: where the array begins; it ends where the bytes end, unless `length` says otherwise.
    ///   - note: what a user should know of where the bytes come from.
    /// - Throws: as `open(_:)`.
    static func open(
        _ bytes: ArrayBytes, at start: Int = 0, length: Int? = nil, location: String, note: String? = nil
    ) throws(FormatError) -> StoredArray {
        let length = length ?? bytes.count - start
        let beginning = try bytes.bytes(at: start, count: min(length, 12))
        guard beginning.count == 12, beginning[..<6].elementsEqual([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59])
        else {
            throw FormatError(.malformed, path: location, "this is not an NPY file")
        }
        let version = beginning[6]
        guard 1...3 ~= version else {
            throw FormatError(.unsupported, path: location, "the NPY version \(version) is not known")
        }
        let lengthSize = version == 1 ? 2 : 4
        let headerLength = beginning[8..<8 + lengthSize].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard headerLength <= largestHeader else {
            throw FormatError(
                .malformed, path: location,
                "the header claims \(headerLength) bytes; a header of more than \(largestHeader) is not read")
        }
        let offset = 8 + lengthSize + headerLength
        guard offset <= length else {
            throw FormatError(.malformed, path: location, "the header is cut short")
        }
        let header = try bytes.bytes(at: start + 8 + lengthSize, count: headerLength)
        let description = try NPYDescription(header, location: location)
        guard description.shape.count <= ArrayFile.largestRank else {
            throw ArrayFile.tooManyDimensions(description.shape.count, at: location)
        }
        let shape: TensorShape
        do {
            shape = try TensorShape(description.shape)
        } catch {
            throw FormatError(.malformed, path: location, error.message)
        }
        return try StoredArray(
            bytes, at: start + offset, end: start + length, type: description.type,
            isBigEndian: description.isBigEndian, isFortranOrder: description.isFortranOrder,
            textEncoding: description.textEncoding, shape: shape, location: location, note: note)
    }
}
