internal import CConvolution

/// The way between samples in rows, as data comes and goes, and samples in columns, as a network computes.
package enum Transposition {
    /// Writes images to the columns of a matrix (elements, columns), the last of them also to the columns left.
    ///
    /// - Parameters:
    ///   - images: (samples of the batch, elements).
    ///   - samples: the rows of `images` that are wanted, at least one.
    ///   - columnCount: at least as many.
    package static func write<Scalar: NetworkScalar>(
        images: UnsafeBufferPointer<Float>, elementCount: Int, samples: ArraySlice<Int>, columnCount: Int,
        into matrix: UnsafeMutablePointer<Scalar>
    ) {
        withRows(samples, columnCount: columnCount) { rows in
            Scalar.kernels.linear.writeImages(
                rr_convolution_best_version(), images.baseAddress, rows, columnCount, elementCount, matrix)
        }
    }

    /// Writes masks so.
    package static func write<Scalar: NetworkScalar>(
        masks: UnsafeBufferPointer<UInt8>, elementCount: Int, samples: ArraySlice<Int>, columnCount: Int,
        into matrix: UnsafeMutablePointer<Scalar>
    ) {
        withRows(samples, columnCount: columnCount) { rows in
            Scalar.kernels.linear.writeMasks(
                rr_convolution_best_version(), masks.baseAddress, rows, columnCount, elementCount, matrix)
        }
    }

    /// Gives the row of each column.
    private static func withRows(
        _ samples: ArraySlice<Int>, columnCount: Int, _ body: (UnsafePointer<Int>?) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: columnCount) { rows in
            for column in rows.indices {
                rows.initializeElement(
                    at: column, to: samples[min(samples.startIndex + column, samples.endIndex - 1)])
            }
            body(rows.baseAddress)
        }
    }

    /// Reads a column of a matrix with `columnCount` columns to one sample's elements.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package static func read<Scalar: NetworkScalar>(
        column: Int, of columnCount: Int, from matrix: UnsafePointer<Scalar>,
        into target: UnsafeMutableBufferPointer<Scalar>
    ) {
        var position = column
        for index in 0..<target.count {
            target[index] = matrix[position]
            position &+= columnCount
        }
    }
}
