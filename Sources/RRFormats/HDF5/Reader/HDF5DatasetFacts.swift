internal import CHDF5
internal import RRTensor

/// What has to be known of a dataset to read it past libhdf5.
struct HDF5DatasetFacts: Sendable {
    let elementType: HDF5ElementType
    /// The bytes of an element as stored.
    let elementSize: Int
    /// Whether texts of fixed length end with spaces.
    let isPaddedWithSpaces: Bool
    let form: HDF5ElementForm
    let shape: TensorShape
    let layout: HDF5Layout
    /// The filters that chunks passed through, in the order of writing; nil where they are left to libhdf5.
    let filters: [HDF5ChunkDecoder.Filter]?
    /// Whether the dataset is in the file through which it was opened, not behind a link to another.
    let isInOwnFile: Bool
    /// Whether the elements are sequences of bytes of any length.
    let holdsByteSequences: Bool
}

extension HDF5DatasetFacts {
    /// The same dataset as bytes, with a last dimension of the bytes of an element; nil where there are too many.
    var asBytes: HDF5DatasetFacts? {
        guard elementSize > 0, shape.elementCount > 0,
            let shape = try? TensorShape(shape.dimensions + [elementSize])
        else { return nil }
        var layout = layout
        if case .chunked(let extents, let filters) = layout {
            layout = .chunked(extents + [elementSize], filters: filters)
        }
        return HDF5DatasetFacts(
            elementType: .uint8, elementSize: 1, isPaddedWithSpaces: false,
            form: HDF5ElementForm(
                type: .uint8, isBigEndian: false, isAsStored: true, isBits: false, valueNames: nil),
            shape: shape, layout: layout, filters: filters, isInOwnFile: isInOwnFile,
            holdsByteSequences: false)
    }
}
