import CConvolution
import Testing

@testable import RRNetworks

@Suite("Products whose vectors run over samples, in every version that this processor has")
struct LinearKernelTests {
    /// Rows of every block, and depths of several parts and of none that fills a vector.
    static let extents = [(1, 1), (3, 17), (7, 97), (12, 31), (13, 200), (18, 5), (29, 64)]
    static let sampleCounts = [8, 16, 24, 32, 40, 72, 104, 128]

    /// Numbers that sums and products of are exact.
    private func values<Scalar: NetworkScalar>(_ count: Int, _ factor: Int) -> [Scalar] {
        (0..<count).map { Scalar($0 * factor % 13 - 6) }
    }

    @Test("multiply by a matrix and by its transpose", arguments: extents, sampleCounts)
    func apply(extents: (Int, Int), sampleCount: Int) {
        for version in ConvolutionKernelTests.versions {
            for isTransposed in [false, true] {
                checkApply(Float.self, version, extents, sampleCount, isTransposed)
                checkApply(Double.self, version, extents, sampleCount, isTransposed)
            }
        }
    }

    private func checkApply<Scalar: NetworkScalar>(
        _: Scalar.Type, _ version: rr_convolution_version, _ extents: (rows: Int, depth: Int),
        _ sampleCount: Int, _ isTransposed: Bool
    ) {
        let (rows, depth) = extents
        // A matrix among others: its rows, or its columns, lie further apart than they are long.
        let stride = (isTransposed ? rows : depth) + 3
        var map = rr_linear_map(
            version: version, rows: rows, depth: depth, samples: sampleCount,
            row_step: isTransposed ? 1 : stride, depth_step: isTransposed ? stride : 1)
        let weights: [Scalar] = values(stride * max(rows, depth), 5)
        let input: [Scalar] = values(depth * sampleCount, 7)
        var output = [Scalar](repeating: 100, count: (rows + 1) * sampleCount)
        Scalar.kernels.linear.apply(&map, weights, input, &output)
        let expected = (0..<rows * sampleCount).map { place in
            let (row, sample) = (place / sampleCount, place % sampleCount)
            return (0..<depth).reduce(Scalar(0)) {
                $0 + weights[row * map.row_step + $1 * map.depth_step] * input[$1 * sampleCount + sample]
            }
        }
        #expect(output == expected + Array(repeating: 100, count: sampleCount))
    }

    @Test("add the products of two maps, summed over samples", arguments: extents, sampleCounts)
    func addGradient(extents: (Int, Int), sampleCount: Int) {
        for version in ConvolutionKernelTests.versions {
            checkGradient(Float.self, version, extents, sampleCount)
            checkGradient(Double.self, version, extents, sampleCount)
        }
    }

    private func checkGradient<Scalar: NetworkScalar>(
        _: Scalar.Type, _ version: rr_convolution_version, _ extents: (rows: Int, depth: Int),
        _ sampleCount: Int
    ) {
        let (rows, depth) = extents
        let stride = depth + 3
        var map = rr_linear_map(
            version: version, rows: rows, depth: depth, samples: sampleCount, row_step: stride, depth_step: 1)
        let left: [Scalar] = values(rows * sampleCount, 5)
        let right: [Scalar] = values(depth * sampleCount, 7)
        let before: [Scalar] = values(rows * stride, 3)
        var gradient = before
        Scalar.kernels.linear.addGradient(&map, left, right, &gradient)
        let expected = before.indices.map { place in
            let (row, column) = (place / stride, place % stride)
            guard column < depth else { return before[place] }
            return (0..<sampleCount).reduce(before[place]) {
                $0 + left[row * sampleCount + $1] * right[column * sampleCount + $1]
            }
        }
        #expect(gradient == expected)
    }

    @Test(
        "write rows of a batch as columns, the last of them again and again",
        arguments: [1, 2, 7, 8, 16, 24, 40], [1, 15, 16, 17, 100])
    func columns(columnCount: Int, elementCount: Int) {
        checkColumns(Float.self, columnCount, elementCount)
        checkColumns(Double.self, columnCount, elementCount)
    }

    private func checkColumns<Scalar: NetworkScalar>(
        _: Scalar.Type, _ columnCount: Int, _ elementCount: Int
    ) {
        let rowCount = 11
        let images: [Float] = values(rowCount * elementCount, 5)
        let masks = (0..<rowCount * elementCount).map { UInt8($0 * 7 % 256) }
        // One sample is at hand for two columns or three.
        let samples = ArraySlice((0..<max(columnCount / 2, 1)).map { $0 * 3 % rowCount })
        for version in ConvolutionKernelTests.versions {
            let rows = (0..<columnCount).map { samples[min($0, samples.count - 1)] }
            var matrix = [Scalar](repeating: -1, count: columnCount * elementCount)
            Scalar.kernels.linear.writeImages(version, images, rows, columnCount, elementCount, &matrix)
            let places = (0..<elementCount).flatMap { element in rows.map { $0 * elementCount + element } }
            #expect(matrix == places.map { Scalar(images[$0]) })
            Scalar.kernels.linear.writeMasks(version, masks, rows, columnCount, elementCount, &matrix)
            #expect(matrix == places.map { Scalar(masks[$0]) })
        }
        var matrix = [Scalar](repeating: -1, count: columnCount * elementCount)
        images.withUnsafeBufferPointer {
            Transposition.write(
                images: $0, elementCount: elementCount, samples: samples, columnCount: columnCount,
                into: &matrix)
        }
        let last = samples.count - 1
        #expect(
            matrix
                == (0..<elementCount).flatMap { element in
                    (0..<columnCount).map { Scalar(images[samples[min($0, last)] * elementCount + element]) }
                })
    }
}
