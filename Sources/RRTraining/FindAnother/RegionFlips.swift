internal import RRDatasets
public import RRExplanation
internal import RRFormats
package import RRSchemas
internal import RRTensor

/// How often a round's model changes its mind when the region that a round's model looks at is swapped.
///
/// Masks of what a model looks at are a few elements, which a penalty empties of gradient while the model goes on with those
/// beside them: then the new masks lie outside the earlier ones and both models read the same region all the same. The
/// region of a mask is all pixels that it marks in any channel, and those no farther from one than a sixteenth of the
/// image's shorter side. What lies inside becomes that of other samples, as in `SwapTest`.
public struct RegionFlips: Equatable, Sendable {
    /// The round whose masks the region is of.
    public let round: Int
    /// The judged samples whose prediction changed with a donor of another place, and with one of the same.
    public let flips: PairedProportions

    /// The share that a donor of another place changes; nil without samples.
    public var byOther: Proportion { Proportion(flips.both + flips.firstOnly, of: flips.total) }
    public var bySame: Proportion { Proportion(flips.both + flips.secondOnly, of: flips.total) }

    /// Below that, a region says nothing of a model.
    static let smallestShare = 0.05

    /// Whether two models may read the same region: their shares of changed predictions lie within each other's chance, by
    /// intervals that overlap, and are not about 0.
    ///
    /// - Parameter own: of the model whose region it is.
    func agrees(with own: RegionFlips) -> Bool {
        guard let one = byOther.interval, let other = own.byOther.interval else { return false }
        return one.lower <= other.upper && other.lower <= one.upper && other.lower > Self.smallestShare
            && one.lower > Self.smallestShare
    }
}

extension RegionFlips {
    package var json: JSONValue {
        let interval = byOther.interval.map { [.number($0.lower), .number($0.upper)] as JSONValue }
        return [
            "round": .integer(round), "samples": .integer(flips.total),
            "flips_by_other": byOther.share.map { .number($0) } ?? .null,
            "flips_by_other_interval": interval ?? .null,
            "flips_by_same": bySame.share.map { .number($0) } ?? .null,
            "counts": [
                .integer(flips.both), .integer(flips.firstOnly), .integer(flips.secondOnly),
                .integer(flips.neither),
            ],
        ]
    }

    /// Reads the object of `find-another.json`; nil where a field is missing.
    init?(_ json: JSONValue) {
        guard let round = json["round"]?.integerValue,
            let counts = json["counts"]?.arrayValue?.compactMap(\.integerValue), counts.count == 4,
            counts.allSatisfy({ $0 >= 0 })
        else { return nil }
        self.init(
            round: round,
            flips: PairedProportions(
                both: counts[0], firstOnly: counts[1], secondOnly: counts[2], neither: counts[3]))
    }
}

extension MaskSet {
    /// The regions of some samples' masks: `(1, H, W)`, what is marked in any channel, and all pixels near to it.
    ///
    /// - Parameter distance: how far from a marked pixel others may be.
    /// - Throws: `TensorError` where there are too many pixels, `DatasetError` never.
    func regions(of samples: [Int], distance: Int) throws -> MaskSet {
        let pixelCount = maskShape.pixelCount
        let shape = try ImageShape(channels: 1, height: maskShape.height, width: maskShape.width)
        var nearest = NearestMarkedPixels(height: shape.height, width: shape.width)
        let marked = samples.filter(isAnnotated)
        var bits = try MaskBits(rowCount: marked.count + 1, elementsPerRow: pixelCount)
        var rows = Array(repeating: marked.count, count: sampleCount)
        for (row, sample) in marked.enumerated() {
            rows[sample] = row
            var plane = Array(repeating: UInt8(0), count: pixelCount)
            for element in 0..<maskShape.elementCount where self.bits[self.rows[sample], element] {
                plane[element % pixelCount] = 1
            }
            let near = plane.withUnsafeBufferPointer { plane in
                nearest.find(plane) { places in
                    (0..<pixelCount).map { pixel -> UInt8 in
                        let (y, x) = pixel.quotientAndRemainder(dividingBy: shape.width)
                        let (otherY, otherX) = Int(places[pixel]).quotientAndRemainder(
                            dividingBy: shape.width)
                        let square = (y - otherY) * (y - otherY) + (x - otherX) * (x - otherX)
                        return square <= distance * distance ? 1 : 0
                    }
                }
            }
            (near ?? plane).withUnsafeBufferPointer { bits.setRow(row, from: $0) }
        }
        return try MaskSet(
            bits: bits, rows: rows, maskShape: shape, datasetFingerprint: datasetFingerprint)
    }
}
