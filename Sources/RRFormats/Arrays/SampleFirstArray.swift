package import RRTensor
internal import Synchronization

/// An array whose last dimension counts samples, with that dimension first: (H, W, C, N) as (N, H, W, C).
///
/// The samples of such an array do not stand together in the file, so that all of it is read into memory at the first use.
///
/// Unchecked: `elements` is written under `lock`, once, and only read after.
package final class SampleFirstArray: ArraySource, @unchecked Sendable {
    package let shape: TensorShape
    private let array: any ArraySource
    private let lock = Mutex(())
    private var elements: [UInt8]?

    /// 16 GB.
    private static let largestByteCount = 1 << 34

    package var location: String { array.location }
    package var elementType: ArrayElementType { array.elementType }
    package var rowsPerBlock: Int { 1 }
    package var note: String? {
        let size = "\(location): samples are along the last dimension, so that all of it is held in memory"
        return [size, array.note].compactMap(\.self).joined(separator: "; ")
    }

    /// - Throws: `FormatError` with the code `unsupported` where there is one dimension, or there are no numbers.
    package init(_ array: any ArraySource) throws(FormatError) {
        guard let count = array.shape.dimensions.last, array.shape.rank > 1, array.elementType.size != nil
        else {
            throw FormatError(
                .unsupported, path: array.location,
                "the array is \(array.elementType) \(array.shape), which cannot have samples along its last dimension"
            )
        }
        do {
            shape = try TensorShape([count] + array.shape.dimensions.dropLast())
        } catch {
            throw FormatError(.unsupported, path: array.location, error.message)
        }
        self.array = array
    }

    package func checkSize() throws(FormatError) { try array.checkSize() }

    package func read(rows: Range<Int>, into bytes: UnsafeMutableRawBufferPointer) throws(FormatError) {
        let elements = try turned()
        elements.withUnsafeBytes { elements in
            bytes.copyMemory(
                from: UnsafeRawBufferPointer(
                    rebasing: elements[rows.lowerBound * bytesPerRow..<rows.upperBound * bytesPerRow]))
        }
    }

    package func texts() throws(FormatError) -> [String] {
        throw FormatError(.unsupported, path: location, "the elements are no text but \(elementType)")
    }

    private func turned() throws(FormatError) -> [UInt8] {
        try lock.withLockTyped { () throws(FormatError) in
            if let elements { return elements }
            let elements = try turn()
            self.elements = elements
            return elements
        }
    }

    /// Reads the array in its own order, and brings the samples to the front.
    private func turn() throws(FormatError) -> [UInt8] {
        try array.checkSize()
        let (size, count) = (elementType.size ?? 1, shape[0])
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: size)
        guard !overflow, byteCount <= Self.largestByteCount else {
            throw FormatError(
                .unsupported, path: location,
                "the array is \(shape) with samples last, too large to be held in memory; store samples first"
            )
        }
        var turned = [UInt8](repeating: 0, count: byteCount)
        let rowCount = array.shape[0]
        var row = [UInt8](repeating: 0, count: array.bytesPerRow)
        let runCount = array.elementsPerRow / max(1, count)
        for number in 0..<rowCount where !row.isEmpty {
            let result: Result<Void, FormatError> = row.withUnsafeMutableBytes { bytes in
                do throws(FormatError) {
                    return .success(try array.read(rows: number..<number + 1, into: bytes))
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
            turned.withUnsafeMutableBytes { target in
                row.withUnsafeBytes { source in
                    for run in 0..<runCount {
                        for sample in 0..<count {
                            let to = (sample * rowCount * runCount + number * runCount + run) * size
                            let from = (run * count + sample) * size
                            for byte in 0..<size { target[to + byte] = source[from + byte] }
                        }
                    }
                }
            }
        }
        return turned
    }
}
