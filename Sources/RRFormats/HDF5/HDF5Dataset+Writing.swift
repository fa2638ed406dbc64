internal import CHDF5
internal import Glibc
internal import RRTensor
internal import Synchronization

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
        var position = offset + rows.lowerBound * rowSize
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = pwrite(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, position)
            if count >= 0 {
                position += count
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let failure = FormatError(writing: dataset.file.path, failure: errno)
                try lock.withLockTyped { () throws(FormatError) in try dataset.file.giveUp(failure) }
            }
        }
        Durability.beginSync(descriptor, offset: position - bytes.count, count: bytes.count)
    }
}
