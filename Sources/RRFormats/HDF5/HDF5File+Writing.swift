internal import CHDF5
internal import Glibc
internal import RRTensor
internal import Synchronization

// Attributes.
extension HDF5File {
    /// Writes an attribute of an object, replacing one of the same name.
    ///
    /// Strings have variable length: h5py does not read fixed-length ones as `DIMENSION_LABELS`. A list that
    /// fills more than 64 KB (4,096 strings) is stored outside the object's header, by libhdf5's own choice.
    ///
    /// - Throws: `FormatError` with the code `unsupported` for `other` and for text that holds a zero
    ///   character, or `cannotWrite`.
    package func setAttribute(
        _ name: String, of objectPath: String = "/", to value: HDF5Attribute
    ) throws(FormatError) {
        try write { () throws(FormatError) in
            let location = location(of: objectPath) + "@" + name
            let object = try open(objectPath)
            if H5Aexists(object.id, name) > 0 {
                try HDF5Library.check(H5Adelete(object.id, name), at: location, code: .cannotWrite)
            }
            let texts: [String]
            var count: [hsize_t]?
            switch value {
            case .string(let text): texts = [text]
            case .strings(let list): (texts, count) = (list, [hsize_t(list.count)])
            case .integer(let number): return try write(number, as: name, of: object, at: location)
            case .other:
                throw FormatError(.unsupported, path: location, "an attribute of this kind is not written")
            }
            // As C has them: each ends with a zero byte.
            var bytes: [UInt8] = []
            var offsets: [Int] = []
            for text in texts {
                guard !text.utf8.contains(0) else {
                    throw FormatError(
                        .unsupported, path: location, "text with a zero character cannot be stored")
                }
                offsets.append(bytes.count)
                bytes.append(contentsOf: text.utf8)
                bytes.append(0)
            }
            let space = try HDF5Handle(
                count.map { H5Screate_simple(1, $0, nil) } ?? H5Screate(H5S_SCALAR), at: location,
                code: .cannotWrite)
            let type = try HDF5ElementType.variableString.makeStoredType(at: location)
            let attribute = try createAttribute(name, of: object, type: type, space: space, at: location)
            // Without elements nothing may be written, not even nothing.
            guard !texts.isEmpty else { return }
            let (attributeID, typeID) = (attribute.id, type.id)
            let status = bytes.withUnsafeBufferPointer { bytes in
                H5Awrite(attributeID, typeID, offsets.map { bytes.baseAddress?.advanced(by: $0) })
            }
            try HDF5Library.check(status, at: location, code: .cannotWrite)
        }
    }

    private func write(
        _ number: Int, as name: String, of object: borrowing HDF5Handle, at location: String
    ) throws(FormatError) {
        let type = try HDF5ElementType.int64.makeStoredType(at: location)
        let space = try HDF5Handle(H5Screate(H5S_SCALAR), at: location, code: .cannotWrite)
        let attribute = try createAttribute(name, of: object, type: type, space: space, at: location)
        var stored = Int64(number)
        try HDF5Library.check(
            H5Awrite(attribute.id, Int64.memoryType, &stored), at: location, code: .cannotWrite)
    }

    private func createAttribute(
        _ name: String, of object: borrowing HDF5Handle, type: borrowing HDF5Handle,
        space: borrowing HDF5Handle, at location: String
    ) throws(FormatError) -> HDF5Handle {
        try HDF5Handle(
            H5Acreate2(object.id, name, type.id, space.id, rr_h5p_default(), rr_h5p_default()),
            at: location, code: .cannotWrite)
    }
}

// Rows and texts.
extension HDF5Dataset {
    /// Writes rows along dimension 0.
    ///
    /// - Parameter rows: nil for all.
    /// - Throws: `FormatError` with the code `cannotWrite`, or `unsupported` where the stored type cannot hold a value.
    package func write<Element: HDF5Element>(
        _ elements: Span<Element>, rows: Range<Int>? = nil
    ) throws(FormatError) {
        precondition(shape.rank > 0)
        let rows = rows ?? 0..<shape[0]
        precondition(rows.lowerBound >= 0 && rows.upperBound <= shape[0])
        precondition(elements.count == rows.count * elementsPerRow)
        guard !elements.isEmpty else { return }
        try elements.withUnsafeBufferPointer { elements throws(FormatError) in
            try file.write { () throws(FormatError) in
                let space = try select(rows)
                let count = [hsize_t(elements.count)]
                let memory = try HDF5Handle(H5Screate_simple(1, count, nil), at: location)
                let transfer = try HDF5Transfer(at: location)
                try transfer.check(
                    H5Dwrite(
                        handle.id, Element.memoryType, memory.id, space.id, transfer.properties.id,
                        elements.baseAddress), at: location, code: .cannotWrite)
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
        // Block by block: padded, the strings can take many times their own memory.
        let blockSize = max(1, (1 << 20) / length) * length
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(blockSize, shape[0] * length))
        for index in 0..<shape[0] {
            let string = string(index)
            guard !string.utf8.contains(0) else {
                throw FormatError(.unsupported, path: location, "text with a zero character cannot be stored")
            }
            guard string.utf8.count <= length else {
                throw FormatError(.cannotWrite, path: location, "“\(string)” has more than \(length) bytes")
            }
            bytes.append(contentsOf: string.utf8)
            bytes.append(contentsOf: repeatElement(0, count: length - string.utf8.count))
            guard bytes.count == blockSize || index == shape[0] - 1 else { continue }
            try file.write { () throws(FormatError) in
                let count = bytes.count / length
                let space = try select(index + 1 - count..<index + 1)
                let memory = try HDF5Handle(H5Screate_simple(1, [hsize_t(count)], nil), at: location)
                try HDF5Library.check(
                    H5Dwrite(handle.id, storedType.id, memory.id, space.id, rr_h5p_default(), bytes),
                    at: location, code: .cannotWrite)
            }
            bytes.removeAll(keepingCapacity: true)
        }
    }
}

/// Writes rows of a dataset that lies in one piece, past libhdf5, from any number of threads.
///
/// Unchecked: libhdf5 is called under `lock` only.
package final class HDF5RowWriter: @unchecked Sendable {
    private let dataset: HDF5Dataset
    private let descriptor: Int32
    private let offset: Int
    private let rowSize: Int
    private let lock = Mutex(())

    /// Opens the file of a dataset that was created with the storage `reserved`.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package init(_ dataset: HDF5Dataset) throws(FormatError) {
        guard case .contiguous(let offset?) = dataset.layout else {
            throw FormatError(.cannotWrite, path: dataset.location, "the array has no place in the file")
        }
        self.dataset = dataset
        self.offset = offset
        rowSize = dataset.elementsPerRow * (dataset.elementType.size ?? 0)
        descriptor = open(dataset.file.writtenPath, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FormatError(writing: dataset.file.path, failure: errno)
        }
    }

    deinit { close(descriptor) }

    /// Writes the bytes of rows, as they are to stand in the file.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`, after which the file is of no more use.
    package func write(_ bytes: UnsafeRawBufferPointer, rows: Range<Int>) throws(FormatError) {
        precondition(bytes.count == rows.count * rowSize && rows.upperBound <= dataset.shape[0])
        let position = offset + rows.lowerBound * rowSize
        do throws(FormatError) {
            try FileBytes.write(bytes, to: descriptor, at: position, path: dataset.file.path)
        } catch {
            try lock.withLockTyped { () throws(FormatError) in try dataset.file.giveUp(error) }
        }
        Durability.beginSync(descriptor, offset: position, count: bytes.count)
    }
}
