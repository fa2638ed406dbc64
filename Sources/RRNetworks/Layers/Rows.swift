/// Loops over the rows of a row-major matrix whose columns are samples, or positions and samples.
enum Rows {
    /// Adds two matrices element by element; the result may be one of them.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        sumOf first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>,
        into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count { result[index] = first[index] + second[index] }
    }

    /// Adds one value a row to every element of the row.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func add<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, to matrix: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int
    ) {
        for row in 0..<rows {
            let value = values[row]
            let elements = matrix + row &* columns
            for column in 0..<columns { elements[column] += value }
        }
    }

    /// Adds the sum of each row to one value a row.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func addSums<Scalar: NetworkScalar>(
        of matrix: UnsafePointer<Scalar>, rows: Int, columns: Int, to values: UnsafeMutablePointer<Scalar>
    ) {
        for row in 0..<rows {
            let elements = matrix + row &* columns
            // Several sums in step: one alone would wait for each addition in turn.
            var sums = (Scalar.zero, Scalar.zero, Scalar.zero, Scalar.zero)
            var column = 0
            while column &+ 4 <= columns {
                sums.0 += elements[column]
                sums.1 += elements[column &+ 1]
                sums.2 += elements[column &+ 2]
                sums.3 += elements[column &+ 3]
                column &+= 4
            }
            while column < columns {
                sums.0 += elements[column]
                column &+= 1
            }
            values[row] += (sums.0 + sums.1) + (sums.2 + sums.3)
        }
    }
}
