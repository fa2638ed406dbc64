import CConvolution
import Testing

@testable import RRNetworks

@Suite("Products of weights with maps, in every version that this processor has")
struct LinearKernelTests {
    /// Rows of every block, and depths of several parts and of none that fills a vector.
    static let extents = [(1, 1), (3, 17), (7, 97), (12, 31), (13, 200), (18, 5), (29, 64)]
    /// Full vectors, vectors that share columns, and several parts of columns.
    static let columnCounts = [8, 9, 15, 16, 17, 24, 33, 40, 49, 64, 98, 128, 203]

    /// Numbers that sums and products of are exact.
    private func values<Scalar: NetworkScalar>(_ count: Int, _ factor: Int) -> [Scalar] {
        (0..<count).map { Scalar($0 * factor % 13 - 6) }
    }

    @Test("multiply by a matrix and by its transpose", arguments: extents, columnCounts)
    func apply(extents: (Int, Int), columnCount: Int) {
        for version in ConvolutionKernelTests.versions {
            for isTransposed in [false, true] {
                checkApply(Float.self, version, extents, columnCount, isTransposed)
                checkApply(Double.self, version, extents, columnCount, isTransposed)
            }
        }
    }

    private func checkApply<Scalar: NetworkScalar>(
        _: Scalar.Type, _ version: rr_convolution_version, _ extents: (rows: Int, depth: Int),
        _ columnCount: Int, _ isTransposed: Bool
    ) {
        let (rows, depth) = extents
        // Matrices among others: their rows, or their columns, lie further apart than they are long.
        let (stride, mapStride) = ((isTransposed ? rows : depth) + 3, columnCount + 5)
        var map = rr_linear_map(
            version: version, rows: rows, depth: depth, columns: columnCount,
            row_step: isTransposed ? 1 : stride, depth_step: isTransposed ? stride : 1, map_step: mapStride)
        let weights: [Scalar] = values(stride * max(rows, depth), 5)
        let input: [Scalar] = values(depth * mapStride, 7)
        let bias: [Scalar]? = isTransposed ? nil : values(rows, 3)
        var output = [Scalar](repeating: 100, count: rows * mapStride)
        bias.withUnsafePointer { bias in
            Scalar.kernels.linear.apply(&map, weights, bias, input, &output)
        }
        let expected = output.indices.map { place in
            let (row, column) = (place / mapStride, place % mapStride)
            guard column < columnCount else { return Scalar(100) }
            return (0..<depth).reduce(bias?[row] ?? 0) {
                $0 + weights[row * map.row_step + $1 * map.depth_step] * input[$1 * mapStride + column]
            }
        }
        #expect(output == expected)
    }

    @Test("add the products of two maps, summed over columns", arguments: extents, columnCounts)
    func addGradient(extents: (Int, Int), columnCount: Int) {
        for version in ConvolutionKernelTests.versions {
            checkGradient(Float.self, version, extents, columnCount)
            checkGradient(Double.self, version, extents, columnCount)
        }
    }

    private func checkGradient<Scalar: NetworkScalar>(
        _: Scalar.Type, _ version: rr_convolution_version, _ extents: (rows: Int, depth: Int),
        _ columnCount: Int
    ) {
        let (rows, depth) = extents
        let (stride, mapStride) = (depth + 3, columnCount + 5)
        var map = rr_linear_map(
            version: version, rows: rows, depth: depth, columns: columnCount, row_step: stride, depth_step: 1,
            map_step: mapStride)
        // What lies beside the columns is no part of a sum.
        func isOutside(_ place: Int) -> Bool { place % mapStride >= columnCount }
        var left: [Scalar] = values(rows * mapStride, 5)
        var right: [Scalar] = values(depth * mapStride, 7)
        for place in left.indices where isOutside(place) { left[place] = .nan }
        for place in right.indices where isOutside(place) { right[place] = .nan }
        let before: [Scalar] = values(rows * stride, 3)
        var gradient = before
        Scalar.kernels.linear.addGradient(&map, left, right, &gradient)
        let expected = before.indices.map { place in
            let (row, feature) = (place / stride, place % stride)
            guard feature < depth else { return before[place] }
            return (0..<columnCount).reduce(before[place]) {
                $0 + left[row * mapStride + $1] * right[feature * mapStride + $1]
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

extension Optional {
    /// Calls with a pointer to the elements; nil where there are none.
    fileprivate func withUnsafePointer<Element>(_ body: (UnsafePointer<Element>?) -> Void)
    where Wrapped == [Element] {
        guard let self else { return body(nil) }
        self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
