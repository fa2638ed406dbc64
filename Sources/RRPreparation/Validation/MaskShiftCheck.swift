internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Whether masks fit the image before or after their own better than their own.
///
/// Along the edge of a mask, an image that the mask was drawn on changes more than any other image does. The contrast
/// across the edge is compared, sample by sample, with that in the neighbouring images; only a difference that chance
/// cannot make is told.
struct MaskShiftCheck {
    /// The samples that are looked at.
    private static let sampleLimit = 256
    /// Fewer tell nothing.
    private static let leastSamples = 16
    /// The difference in standard errors of its mean.
    private static let leastSignificance = 6.0
    /// The contrast in comparison to that in the mask's own image.
    private static let leastRatio = 1.2

    let images: HDF5Dataset
    /// `(H, W)`
    let extents: [Int]

    /// Opens the images of a dataset; nil where they cannot be read, or have no height and width.
    init?(_ facts: DatasetFacts) {
        guard let shape = facts.imageShape, shape.count == 3, let file = try? HDF5File(reading: facts.path),
            let images = try? file.dataset("/images"), images.elementType.size != nil,
            (try? images.checkSize()) != nil
        else { return nil }
        self.images = images
        extents = Array(shape[1...])
    }

    /// Finds by how many samples masks are shifted: −1 or 1, nil where they are not or it cannot be told.
    ///
    /// - Parameters:
    ///   - annotated: the samples with a mask.
    ///   - mask: gives the mask of a sample, `(H, W)`, 0 for pixels that are not masked; nil where it cannot.
    func run(annotated: [Int], mask: (Int) -> [UInt8]?) -> Int? {
        let inside = annotated.filter { $0 > 0 && $0 + 1 < images.shape[0] }
        guard inside.count >= Self.leastSamples else { return nil }
        let count = min(Self.sampleLimit, inside.count)
        let chosen = (0..<count).map { inside[$0 * inside.count / count] }
        var contrasts: [[Double]] = []
        for sample in chosen {
            guard let mask = mask(sample), let row = contrast(of: mask, around: sample) else { continue }
            contrasts.append(row)
        }
        guard contrasts.count >= Self.leastSamples else { return nil }
        return [-1, 1].first { isBetter($0, contrasts) }
    }

    private func isBetter(_ shift: Int, _ contrasts: [[Double]]) -> Bool {
        let count = Double(contrasts.count)
        let differences = contrasts.map { $0[1 + shift] - $0[1] }
        let mean = differences.reduce(0, +) / count
        let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
        let own = contrasts.reduce(0) { $0 + $1[1] } / count
        return mean > 0 && mean >= Self.leastSignificance * (variance / count).squareRoot()
            && own + mean >= Self.leastRatio * own
    }

    /// The mean change across the edge of a mask in the images before, at and after a sample.
    private func contrast(of mask: [UInt8], around sample: Int) -> [Double]? {
        let (height, width) = (extents[0], extents[1])
        guard mask.count == height * width else { return nil }
        var pairs: [(Int, Int)] = []
        for pixel in mask.indices {
            let isMasked = mask[pixel] != 0
            if pixel % width + 1 < width, (mask[pixel + 1] != 0) != isMasked {
                pairs.append((pixel, pixel + 1))
            }
            if pixel + width < mask.count, (mask[pixel + width] != 0) != isMasked {
                pairs.append((pixel, pixel + width))
            }
        }
        guard !pairs.isEmpty else { return nil }
        let size = images.elementsPerRow
        var pixels = [Float](repeating: 0, count: 3 * size)
        let isRead = pixels.withUnsafeMutableBufferPointer { pixels in
            (try? images.read(rows: sample - 1..<sample + 2, as: Float.self, into: pixels)) != nil
        }
        guard isRead else { return nil }
        return (0..<3).map { image in
            var sum = 0.0
            for start in stride(from: image * size, to: (image + 1) * size, by: mask.count) {
                for (first, second) in pairs {
                    sum += Double((pixels[start + first] - pixels[start + second]).magnitude)
                }
            }
            return sum / Double(pairs.count)
        }
    }
}
