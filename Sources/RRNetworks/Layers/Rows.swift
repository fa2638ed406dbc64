/// Loops over the rows of a row-major matrix whose columns are samples, or positions and samples.
enum Rows {
    /// Writes one value to every element of a row.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        _ value: Scalar, into result: UnsafeMutablePointer<Scalar>, count: Int
    ) {
        for index in 0..<count { result[index] = value }
    }

    /// Multiplies a row by one value.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        _ values: UnsafePointer<Scalar>, times factor: Scalar, into result: UnsafeMutablePointer<Scalar>,
        count: Int
    ) {
        for index in 0..<count { result[index] = factor * values[index] }
    }

    /// The sum of the products of two rows, in double.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func sumOfProducts<Scalar: NetworkScalar>(
        _ first: UnsafePointer<Scalar>, _ second: UnsafePointer<Scalar>, count: Int
    ) -> Double {
        var sums = SIMD4<Double>.zero
        var index = 0
        while index &+ 4 <= count {
            for lane in 0..<4 { sums[lane] += Double(first[index &+ lane] * second[index &+ lane]) }
            index &+= 4
        }
        var sum = sums.sum()
        while index < count {
            sum += Double(first[index] * second[index])
            index &+= 1
        }
        return sum
    }

    /// Writes the sum of each row, which is taken in double.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    static func write<Scalar: NetworkScalar>(
        sumsOf matrix: UnsafePointer<Scalar>, rows: Int, columns: Int,
        into values: UnsafeMutablePointer<Scalar>
    ) {
        for row in 0..<rows {
            let elements = matrix + row &* columns
            var sums = SIMD8<Double>.zero
            var column = 0
            while column &+ 8 <= columns {
                sums += SIMD8<Double>(
                    UnsafeRawPointer(elements + column).loadUnaligned(as: SIMD8<Scalar>.self))
                column &+= 8
            }
            var sum = sums.sum()
            while column < columns {
                sum += Double(elements[column])
                column &+= 1
            }
            values[row] = Scalar(sum)
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

/// Eight samples of a matrix whose columns are samples, to be read row by row.
///
/// Where the matrix has fewer columns, what lies beside them is read as zero and never written.
struct SampleRows<Scalar: NetworkScalar> {
    typealias Lanes = SIMD8<Scalar>

    private let start: UnsafeRawPointer
    private let stride: Int
    /// The samples that there are.
    private let count: Int

    /// - Parameter first: the first of the eight samples.
    @inline(__always)
    init(_ matrix: UnsafePointer<Scalar>, sampleCount: Int, first: Int) {
        start = UnsafeRawPointer(matrix + first)
        stride = sampleCount &* MemoryLayout<Scalar>.stride
        count = min(sampleCount &- first, 8)
    }

    @inline(__always)
    subscript(row: Int) -> Lanes {
        if count == 8 { return place(of: row).loadUnaligned(as: Lanes.self) }
        let samples = place(of: row).assumingMemoryBound(to: Scalar.self)
        var lanes = Lanes.zero
        for sample in 0..<count { lanes[sample] = samples[sample] }
        return lanes
    }

    @inline(__always)
    fileprivate func write(_ lanes: Lanes, row: Int) {
        // The matrix came as one that may be written.
        let place = UnsafeMutableRawPointer(mutating: place(of: row))
        if count == 8 { return place.storeBytes(of: lanes, as: Lanes.self) }
        let samples = place.assumingMemoryBound(to: Scalar.self)
        for sample in 0..<count { samples[sample] = lanes[sample] }
    }

    @inline(__always)
    private func place(of row: Int) -> UnsafeRawPointer { start + row &* stride }
}

/// Eight samples of a matrix whose columns are samples, to be written row by row.
struct MutableSampleRows<Scalar: NetworkScalar> {
    private let rows: SampleRows<Scalar>

    @inline(__always)
    init(_ matrix: UnsafeMutablePointer<Scalar>, sampleCount: Int, first: Int) {
        rows = SampleRows(matrix, sampleCount: sampleCount, first: first)
    }

    @inline(__always)
    subscript(row: Int) -> SIMD8<Scalar> {
        get { rows[row] }
        nonmutating set { rows.write(newValue, row: row) }
    }
}

/// Sums over rows, for eight samples.
enum RowSums {
    typealias Totals = SIMD8<Double>

    /// A normalised group may have many thousands of elements: as many are summed in the number type at hand before the
    /// sum goes on in double.
    private static var partialCount: Int { 32 }

    /// The sums of two terms of each row.
    @inline(__always)
    static func pair<Scalar: NetworkScalar>(
        _ rows: Range<Int>, _ terms: (_ row: Int) -> (SIMD8<Scalar>, SIMD8<Scalar>)
    ) -> (Totals, Totals) {
        var totals = (Totals.zero, Totals.zero)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let end = min(row &+ partialCount, rows.upperBound)
            var partial = (SIMD8<Scalar>.zero, SIMD8<Scalar>.zero)
            while row < end {
                let (first, second) = terms(row)
                partial.0 += first
                partial.1 += second
                row &+= 1
            }
            totals.0 += Totals(partial.0)
            totals.1 += Totals(partial.1)
        }
        return totals
    }

    /// The sum of one term of each row.
    @inline(__always)
    static func single<Scalar: NetworkScalar>(
        _ rows: Range<Int>, _ term: (_ row: Int) -> SIMD8<Scalar>
    ) -> Totals {
        var total = Totals.zero
        var row = rows.lowerBound
        while row < rows.upperBound {
            let end = min(row &+ partialCount, rows.upperBound)
            var partial = SIMD8<Scalar>.zero
            while row < end {
                partial += term(row)
                row &+= 1
            }
            total += Totals(partial)
        }
        return total
    }
}
