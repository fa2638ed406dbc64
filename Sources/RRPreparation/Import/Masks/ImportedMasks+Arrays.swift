internal import RRDatasets
internal import RRFormats
internal import RRTensor

extension ImportedMasks {
    /// Reads masks from an array in an HDF5, NPY, NPZ or IDX file, for the samples that another array names or for all
    /// of them in order.
    ///
    /// - Throws: `FormatError` where a file or an array is missing, damaged or not served; `DatasetError` with the
    ///   code `wrongShape`, `wrongMaskSize`, `wrongType`, `ambiguousLayout`, `invalidOption`, `nonBinaryMask`,
    ///   `indexOutOfRange` or `duplicateId`.
    init(arraysIn path: String, for dataset: Dataset, options: MaskImport.Options) throws {
        let file = try ArrayFile(path: path)
        /// An array of the same file, or where a file is one array another file.
        func array(_ name: String) throws -> any ArraySource {
            if file.format == .hdf5 || file.format == .npz { return try file.array(name) }
            return try ArrayFile(path: name).array(nil)
        }
        let masks = try file.array(options.masks)
        let images = try ArrayArrangement(
            .nchw, of: TensorShape([dataset.sampleCount] + dataset.imageShape.dimensions))
        let reading = try ArrayArrangement.ofMasks(
            masks.shape, layout: options.masksLayout, images: images, at: masks.location)
        try masks.checkSize()
        let basis: MaskedSamples.Basis =
            if let rows = options.rows {
                .rows(try array(rows))
            } else if let ids = options.ids {
                .ids(try array(ids))
            } else if let flags = options.flags {
                .flags(try array(flags))
            } else {
                .order
            }
        let samples = try MaskedSamples(
            basis, maskCount: masks.shape[0], sampleCount: dataset.sampleCount, ids: dataset.ids,
            location: masks.location)
        let result = try ArrayMaskReader(
            array: masks, reading: reading, rule: options.maskRule, marks: options.marks,
            empty: options.emptyMasks
        ).read(samples, sampleCount: dataset.sampleCount)
        bits = result.bits
        rows = result.rows
        shape = result.shape
        meanShare = result.meanShare
        suppliedCount = samples.ofRows.count { $0 != nil }
        emptyCount = result.emptyCount
        tally = MaskTally()
    }
}
