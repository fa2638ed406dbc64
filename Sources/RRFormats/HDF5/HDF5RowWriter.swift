internal import CHDF5
internal import Glibc
internal import RRTensor
internal import Synchronization

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
            throw FormatError(.cannotWrite, path: dataset.file.path, SystemFailure.message(errno))
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
                let failure = FormatError(
                    .cannotWrite, path: dataset.file.path, SystemFailure.message(errno))
                try lock.withLockTyped { () throws(FormatError) in try dataset.file.giveUp(failure) }
            }
        }
    }
}
