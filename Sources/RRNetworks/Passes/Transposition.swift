/// The way between samples in rows, as data comes and goes, and samples in columns, as a network computes.
package enum Transposition {
    /// Writes samples to the columns of a matrix (elements, columns), the last of them also to the columns left.
    ///
    /// - Parameters:
    ///   - batch: (samples of the batch, elements).
    ///   - samples: the rows of `batch` that are wanted, at least one.
    ///   - columnCount: a multiple of 8, or fewer columns than 8.
    @specialized(where Source == Float, Scalar == Float)
    @specialized(where Source == Float, Scalar == Double)
    @specialized(where Source == UInt8, Scalar == Float)
    @specialized(where Source == UInt8, Scalar == Double)
    package static func write<Source: ConvertibleElement, Scalar: NetworkScalar>(
        _ batch: UnsafeBufferPointer<Source>, elementCount: Int, samples: ArraySlice<Int>, columnCount: Int,
        into matrix: UnsafeMutablePointer<Scalar>
    ) {
        guard let batch = batch.baseAddress else { return }
        func row(_ column: Int) -> UnsafePointer<Source> {
            batch + samples[min(samples.startIndex + column, samples.endIndex - 1)] * elementCount
        }
        guard columnCount >= 8 else {
            for column in 0..<columnCount {
                let elements = row(column)
                var target = matrix + column
                for index in 0..<elementCount {
                    target[0] = elements[index].converted()
                    target += columnCount
                }
            }
            return
        }
        // Eight columns at a time: each line of the matrix is then met once, not once a sample.
        for start in stride(from: 0, to: columnCount, by: 8) {
            let rows = (
                row(start), row(start + 1), row(start + 2), row(start + 3), row(start + 4), row(start + 5),
                row(start + 6), row(start + 7)
            )
            var target = matrix + start
            for index in 0..<elementCount {
                target[0] = rows.0[index].converted()
                target[1] = rows.1[index].converted()
                target[2] = rows.2[index].converted()
                target[3] = rows.3[index].converted()
                target[4] = rows.4[index].converted()
                target[5] = rows.5[index].converted()
                target[6] = rows.6[index].converted()
                target[7] = rows.7[index].converted()
                target += columnCount
            }
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

/// An element of an image or a mask that a network can take.
package protocol ConvertibleElement: BitwiseCopyable {
    func converted<Scalar: NetworkScalar>() -> Scalar
}

extension Float: ConvertibleElement {
    package func converted<Scalar: NetworkScalar>() -> Scalar { Scalar(self) }
}

extension UInt8: ConvertibleElement {
    package func converted<Scalar: NetworkScalar>() -> Scalar { Scalar(self) }
}
