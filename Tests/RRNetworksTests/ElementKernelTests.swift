import Testing

@testable import RRNetworks

@Suite("What is done element by element")
struct ElementKernelTests {
    /// Numbers that sums and products of are exact.
    private func values<Scalar: NetworkScalar>(_ count: Int, _ factor: Int) -> [Scalar] {
        (0..<count).map { Scalar($0 * factor % 13 - 6) }
    }

    @Test(
        "products with factors of a span, and their sums over it", arguments: [1, 2, 3, 4, 5, 8, 16, 24],
        [1, 7, 49])
    func spans(sampleCount: Int, span: Int) {
        check(Float.self, sampleCount, span)
        check(Double.self, sampleCount, span)
    }

    private func check<Scalar: NetworkScalar>(_: Scalar.Type, _ sampleCount: Int, _ span: Int) {
        // Of four factors the second and the third.
        let (product, range) = (HadamardProduct(span: span, factorCount: 4), 1..<3)
        let (rowCount, count) = (4 * sampleCount, 4 * span * sampleCount)
        let (maps, factors): ([Scalar], [Scalar]) = (values(count, 5), values(rowCount, 7))
        let others: [Scalar] = values(count, 11)
        func isChosen(_ row: Int) -> Bool { range.contains(row / sampleCount) }
        /// The place of the factor of an element.
        func row(of element: Int) -> Int {
            element / (span * sampleCount) * sampleCount + element % sampleCount
        }
        for adds in [false, true] {
            var products = others
            product.multiply(maps, by: factors, into: &products, range, sampleCount: sampleCount, adds: adds)
            let expected = (0..<count).map { element in
                let before = adds || !isChosen(row(of: element)) ? others[element] : 0
                return before + (isChosen(row(of: element)) ? maps[element] * factors[row(of: element)] : 0)
            }
            #expect(products == expected)

            var sums = factors
            product.sumProducts(maps, others, into: &sums, range, sampleCount: sampleCount, adds: adds)
            let expectedSums = (0..<rowCount).map { place in
                guard isChosen(place) else { return factors[place] }
                return (0..<count).filter { row(of: $0) == place }.reduce(adds ? factors[place] : 0) {
                    $0 + maps[$1] * others[$1]
                }
            }
            #expect(sums == expectedSums)
        }
        // In the place of the values.
        var inPlace = maps
        inPlace.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            product.multiply(
                UnsafePointer(start), by: factors, into: start, 0..<4, sampleCount: sampleCount)
        }
        #expect(inPlace == (0..<count).map { maps[$0] * factors[row(of: $0)] })
    }

    @Test("a gate lets its value through, above 0 and where it is not a number", arguments: [1, 15, 16, 100])
    func rectifier(count: Int) {
        var values: [Float] = values(count, 5)
        var gates: [Float] = self.values(count, 3)
        gates[count / 2] = .nan
        let before = values
        values.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            Float.kernels.elements.rectify(start, gates, start, count)
        }
        #expect(values == zip(before, gates).map { $1 > 0 || $1.isNaN ? $0 : 0 })
        // What a closed gate has before it does not come through.
        var result = Array(repeating: Float(1), count: count)
        Float.kernels.elements.rectify(
            Array(repeating: .nan, count: count), Array(repeating: 0, count: count), &result, count)
        #expect(result == Array(repeating: 0, count: count))
    }

    @Test(
        "what a mask leaves of values, and its squares in each column",
        arguments: [1, 2, 4, 7, 8, 16, 24, 40],
        [1, 2, 9, 50])
    func masks(columnCount: Int, rowCount: Int) {
        checkMask(Float.self, columnCount, rowCount)
        checkMask(Double.self, columnCount, rowCount)
    }

    private func checkMask<Scalar: NetworkScalar>(_: Scalar.Type, _ columnCount: Int, _ rowCount: Int) {
        let count = columnCount * rowCount
        let masks: [Scalar] = (0..<count).map { $0 % 3 == 0 ? 0 : 1 }
        var values: [Scalar] = values(count, 5)
        // What is not finite stays outside.
        for place in stride(from: 0, to: count, by: 6) { values[place] = place % 12 == 0 ? .nan : .infinity }
        let before = (0..<columnCount).map { Double($0) }
        var (result, sums) = ([Scalar](repeating: -1, count: count), before)
        Scalar.kernels.elements.mask(values, masks, 3, &result, &sums, rowCount, columnCount)
        #expect(result == zip(values, masks).map { $1 == 0 ? 0 : 3 * $0 })
        let expected = before.indices.map { column in
            stride(from: column, to: count, by: columnCount).reduce(before[column]) {
                $0 + (masks[$1] == 0 ? 0 : Double(values[$1]) * Double(values[$1]))
            }
        }
        #expect(sums == expected)
    }
}
