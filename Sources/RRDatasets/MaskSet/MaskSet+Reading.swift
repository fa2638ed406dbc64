internal import RRFormats
internal import RRTensor

extension MaskSet {
    /// Opens a mask set file for a dataset.
    ///
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no mask
    ///   set, breaks its rules (`nonBinaryMask`, `rowOutOfRange`, `lastRowNotZero`, …) or is for another dataset
    ///   (`otherDataset`, `wrongMaskSize`).
    public convenience init(path: String, for dataset: Dataset) throws {
        let file = try HDF5File(reading: path)
        try FileFormat.masks.check(file)
        let reader = DatasetReader(file: file)
        let masks = try reader.masks()
        let rowList = try reader.require("/row")
        guard rowList.shape.rank == 1 else {
            throw DatasetError(
                .wrongShape, path: "\(path):/row", "the shape is \(rowList.shape), where (N) is needed")
        }
        // A mismatch is told before gigabytes of masks are read.
        let match = MaskMatch(
            sampleCount: rowList.shape[0], maskShape: Array(masks.shape.dimensions.dropFirst()),
            datasetFingerprint: reader.file.text("dataset_fingerprint"))
        try match.check(for: dataset, path: path)
        let fingerprint = try reader.string("dataset_fingerprint")
        let rows = try reader.list("/row", count: dataset.sampleCount, as: Int64.self).map { Int($0) }
        let shape = try ImageShape(channels: masks.shape[1], height: masks.shape[2], width: masks.shape[3])
        let bits = try MaskReading(array: HDF5Array(masks), shape: shape, path: path).bits()
        try self.init(
            bits: bits, rows: rows, maskShape: shape, datasetFingerprint: fingerprint, path: path,
            isFile: true,
            provenance: reader.file.text("provenance"))
    }
}

extension DatasetReader {
    /// `/A`, of four dimensions and uint8.
    fileprivate func masks() throws -> HDF5Dataset {
        let masks = try require("/A")
        guard masks.shape.rank == 4, masks.shape.elementCount > 0 else {
            throw DatasetError(
                .wrongShape, path: "\(file.path):/A",
                "the shape is \(masks.shape), where (M+1, C or 1, H, W) is needed")
        }
        guard masks.elementType == .uint8 else {
            throw DatasetError(
                .wrongType, path: "\(file.path):/A", "the type is \(masks.elementType), where uint8 is needed"
            )
        }
        try masks.checkSize()
        return masks
    }
}
