import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

/// A dataset of seven samples, `sample/0` to `sample/6`, and an import of masks for it.
struct MaskImportCase {
    let folder: TemporaryFolder
    let dataset: SampleDataset

    init(channels: Int = 1, height: Int = 5, width: Int = 7) throws {
        folder = try TemporaryFolder()
        dataset = try SampleDataset(folder, channels: channels, height: height, width: width)
        try dataset.write()
    }

    @discardableResult
    func run(
        _ source: String, _ change: (inout MaskImport.Options) -> Void = { _ in }
    ) throws -> MaskImportSummary {
        var options = MaskImport.Options()
        change(&options)
        return try MaskImport(
            source: source.hasPrefix("/") ? source : folder.path(source), dataset: folder.path("d.h5"),
            output: folder.path("m.h5"), options: options
        ).run()
    }

    /// Runs an import that must fail and leave nothing.
    func error(
        _ source: String, _ change: (inout MaskImport.Options) -> Void = { _ in }
    ) throws -> DatasetError? {
        let before = try folder.names()
        let error = #expect(throws: DatasetError.self) { try run(source, change) }
        #expect(try folder.names() == before)
        return error
    }

    /// The mask of each sample, zeros where it has none.
    func masks() throws -> [[UInt8]] {
        let masks = try set()
        let size = masks.maskShape.elementCount
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
        defer { buffer.deallocate() }
        return (0..<SampleDataset.count).map { index in
            _ = masks.expandMask(ofSample: index, channels: masks.maskShape.channels, into: buffer)
            return Array(buffer)
        }
    }

    /// The samples that have a row of their own, whatever it holds.
    func samplesWithRow() throws -> [Int] {
        let masks = try set()
        return masks.rows.indices.filter { masks.rows[$0] < masks.bits.rowCount - 1 }
    }

    private func set() throws -> MaskSet {
        try MaskSet(path: folder.path("m.h5"), for: Dataset(path: folder.path("d.h5")))
    }

    /// What the mask set says of its making.
    func provenance() throws -> HDF5Attribute? {
        try HDF5File(reading: folder.path("m.h5")).attribute("provenance")
    }
}
