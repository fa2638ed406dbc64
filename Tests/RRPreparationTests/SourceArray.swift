import RRFormats
import RRTensor
import TestSupport

/// An array of any numbers for an HDF5 file that is to be imported.
struct SourceArray: Sendable {
    private let write: @Sendable (HDF5File) throws -> Void

    /// Creates an array that is stored in compressed chunks of about half its extents.
    init<Element: HDF5Element>(_ name: String, _ shape: [Int], _ elements: [Element]) {
        write = { file in
            let dataset = try file.createDataset(
                name, type: Element.storedType, shape: try TensorShape(shape),
                storage: .chunked(shape.map { max(1, ($0 + 1) / 2) }, deflateLevel: 1))
            try dataset.write(elements.span)
        }
    }

    func write(to file: HDF5File) throws {
        try write(file)
    }
}

extension TemporaryFolder {
    /// Writes `in.h5` with arrays.
    func makeSource(_ arrays: SourceArray...) throws {
        let file = try HDF5File(creating: path("in.h5"))
        for array in arrays { try array.write(to: file) }
        try file.close()
    }
}
