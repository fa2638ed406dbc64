internal import CHDF5
internal import RRTensor

/// What is needed to decode a dataset's chunks without libhdf5: deflate, shuffle and fletcher32, in any order.
struct HDF5ChunkDecoder: Sendable {
    enum Filter: Hashable {
        case deflate
        case shuffle(elementSize: Int)
        case fletcher32
    }

    /// The extents of the dataset.
    let shape: [Int]
    /// The extents of a chunk.
    let extents: [Int]
    let elementSize: Int
    /// In the order of writing.
    let filters: [Filter]
    let fileSize: Int

    /// The bytes of a chunk after decoding.
    var chunkSize: Int { extents.reduce(elementSize, *) }

    /// Returns nil for a dataset whose filters or chunks are to be left to libhdf5.
    init?(of facts: HDF5DatasetFacts, extents: [Int], fileSize: Int) {
        let (shape, elementSize) = (facts.shape.dimensions, facts.elementSize)
        guard Chunks(shape: shape, extents: extents) != nil, let filters = facts.filters else { return nil }
        // The HDF5 format limits a chunk to 4 GB; rows to read are bounded elsewhere, but the other extents are not.
        var size = elementSize
        for extent in extents {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= HDF5Array.largestBlock else { return nil }
            size = product
        }
        self.shape = shape
        self.extents = extents
        self.elementSize = elementSize
        self.filters = filters
        self.fileSize = fileSize
    }

    /// The filters of a dataset of libhdf5 in the order of writing; nil where some are to be left to it.
    static func filters(of dataset: HDF5Dataset) -> [Filter]? {
        guard let creation = try? HDF5Handle(H5Dget_create_plist(dataset.handle.id), at: dataset.location)
        else {
            return nil
        }
        var filters: [Filter] = []
        for position in 0..<UInt32(max(0, H5Pget_nfilters(creation.id))) {
            var (flags, configuration): (UInt32, UInt32) = (0, 0)
            var values = [UInt32](repeating: 0, count: 8)
            var valueCount = values.count
            let number = H5Pget_filter2(
                creation.id, position, &flags, &valueCount, &values, 0, nil, &configuration)
            switch number {
            case H5Z_filter_t(H5Z_FILTER_DEFLATE): filters.append(.deflate)
            case H5Z_filter_t(H5Z_FILTER_SHUFFLE) where valueCount == 1 && values[0] > 0:
                filters.append(.shuffle(elementSize: Int(values[0])))
            case H5Z_filter_t(H5Z_FILTER_FLETCHER32): filters.append(.fletcher32)
            default: return nil
            }
        }
        return filters
    }

    /// The chunks that rows touch.
    func chunks(of rows: Range<Int>) -> Chunks {
        var first = extents.map { _ in 0 }
        var counts = zip(shape, extents).map(Chunks.count)
        first[0] = rows.lowerBound / extents[0]
        counts[0] = (rows.upperBound + extents[0] - 1) / extents[0] - first[0]
        return Chunks(first: first, counts: counts, extents: extents)
    }

    /// Chunks in a grid.
    struct Chunks: Sendable {
        let first: [Int]
        let counts: [Int]
        let extents: [Int]

        var count: Int { counts.reduce(1, *) }

        /// The number of chunks along a dimension.
        fileprivate static func count(_ extent: Int, _ chunk: Int) -> Int {
            extent == 0 ? 0 : (extent - 1) / chunk + 1
        }

        /// The element where a chunk begins.
        func offset(at position: Int) -> [Int] {
            var rest = position
            var offset = first
            for dimension in counts.indices.reversed() {
                offset[dimension] = (first[dimension] + rest % counts[dimension]) * extents[dimension]
                rest /= counts[dimension]
            }
            return offset
        }
    }
}

extension HDF5ChunkDecoder.Chunks {
    /// All chunks of an array; nil where it has none of this kind, or more than can be counted.
    init?(shape: [Int], extents: [Int]) {
        guard shape.count == extents.count, !shape.isEmpty, extents.allSatisfy({ $0 > 0 }) else { return nil }
        first = extents.map { _ in 0 }
        counts = zip(shape, extents).map(Self.count)
        self.extents = extents
        guard (try? TensorShape(counts)) != nil else { return nil }
    }
}
