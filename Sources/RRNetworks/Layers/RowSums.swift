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
