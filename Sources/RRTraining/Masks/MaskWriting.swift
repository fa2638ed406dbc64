internal import RRDatasets
internal import RRExplanation
internal import RRSchemas
package import RRTensor

/// What was written to a mask set file.
package struct WrittenMasks: Sendable {
    /// The shape of one mask; one channel where channels were summed.
    package let maskShape: ImageShape
    /// The samples that were looked at.
    package internal(set) var sampleCount = 0
    /// Of those, the samples whose input gradient is zero throughout and which got no mask for it.
    package internal(set) var zeroGradientCount = 0
    /// The samples of the dataset with a mask, those of the union included.
    package internal(set) var annotatedCount = 0
    /// The number of ones in all masks together.
    package internal(set) var oneCount = 0
}

/// Masks on their way to a file, joined with those of an older mask set; samples come in the order of the dataset.
final class MaskWriting {
    /// The shape of a mask as it is added, before it is joined with a mask of more channels.
    let maskShape: ImageShape

    private let dataset: Dataset
    private let union: MaskSet?
    private let file: MaskSetFile
    private var rows: [Int?] = []
    private var written: WrittenMasks
    /// A mask as it is written, and the older one that it is joined with.
    private var mask: [UInt8]
    private var older: [UInt8]

    /// - Throws: `FormatError` with the code `outputExists` or `cannotWrite`; `DatasetError` with the code
    ///   `unknownSplit`; `TensorError` where the masks have more elements than memory can address.
    init(_ making: MaskMaking, path: String, force: Bool) throws {
        dataset = making.dataset
        union = making.union
        let shapes = try MaskCollection.shapes(
            of: dataset, isPerPixel: making.isPerPixel, union: making.union)
        maskShape = shapes.added
        written = WrittenMasks(maskShape: shapes.written)
        mask = Array(repeating: 0, count: shapes.written.elementCount)
        older = mask
        let chosen = try making.dataset.indices(inSplit: making.split)
        var capacity = chosen.count
        if let union {
            capacity = (0..<dataset.sampleCount).count { union.isAnnotated($0) }
            capacity += chosen.count { !union.isAnnotated($0) }
        }
        file = try MaskSetFile(path: path, force: force, capacity: capacity, maskShape: shapes.written)
    }

    /// Adds the masks of a batch.
    ///
    /// - Throws: `ExplanationError` with the code `gradientNotFinite`, naming the sample; `FormatError` where the file
    ///   cannot be written.
    func add(_ masks: [UInt8], _ outcomes: [MaskOutcome], indices: [Int64]) throws {
        let size = maskShape.elementCount
        for (position, outcome) in outcomes.enumerated() {
            let index = Int(indices[position])
            try addOlder(before: index)
            written.sampleCount += 1
            switch outcome {
            case .zeroGradient: written.zeroGradientCount += 1
            case .notFinite: throw try MaskCollection.notFinite(sample: index, of: dataset)
            case .mask: break
            }
            for start in stride(from: 0, to: mask.count, by: size) {
                for element in 0..<size { mask[start + element] = masks[position * size + element] }
            }
            try addMask(of: index)
        }
    }

    /// Takes the masks of the union alone for the samples that come before one.
    private func addOlder(before index: Int) throws {
        while rows.count < index {
            if union == nil {
                rows.append(nil)
            } else {
                for element in mask.indices { mask[element] = 0 }
                try addMask(of: rows.count)
            }
        }
    }

    /// Joins the mask of the next sample with its older one, and writes it unless it is all zero.
    private func addMask(of index: Int) throws {
        if let union {
            let isAnnotated = older.withUnsafeMutableBufferPointer {
                union.expandMask(ofSample: index, channels: written.maskShape.channels, into: $0)
            }
            if isAnnotated { for element in mask.indices { mask[element] |= older[element] } }
        }
        let ones = mask.reduce(into: 0) { $0 += Int($1) }
        rows.append(ones == 0 ? nil : file.count)
        guard ones > 0 else { return }
        written.annotatedCount += 1
        written.oneCount += ones
        try file.append(mask)
    }

    /// Writes what is left, and puts the file in its place.
    func finish(provenance: JSONValue) throws -> WrittenMasks {
        try addOlder(before: dataset.sampleCount)
        try file.finish(rows: rows, datasetFingerprint: try dataset.fingerprint, provenance: provenance)
        try file.commit()
        return written
    }
}
