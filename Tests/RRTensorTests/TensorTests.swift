import RRTensor
import Testing

@Suite("Shapes and tensors")
struct TensorTests {
    @Test("a shape counts its elements", arguments: [([], 1), ([0, 3], 0), ([2, 3, 4], 24)])
    func elementCount(dimensions: [Int], count: Int) throws {
        let shape = try TensorShape(dimensions)
        #expect(shape.elementCount == count)
        #expect(shape.rank == dimensions.count)
    }

    @Test("a negative extent is an error")
    func negativeExtent() {
        let error = #expect(throws: TensorError.self) { try TensorShape([2, -1]) }
        #expect(error?.code == .negativeExtent)
    }

    @Test("a shape whose element count overflows is an error, not a trap")
    func tooManyElements() {
        let error = #expect(throws: TensorError.self) { try TensorShape([1 << 40, 1 << 40]) }
        #expect(error?.code == .tooManyElements)
        #expect(throws: TensorError.self) { try ImageShape(channels: 1 << 40, height: 1 << 40, width: 1) }
        #expect(throws: TensorError.self) { try MaskBits(rowCount: 1 << 40, elementsPerRow: 1 << 40) }
    }

    @Test(
        "so is one without elements whose rows would overflow",
        arguments: [
            [0, 1 << 40, 1 << 40], [1 << 40, 0, 1 << 40], [0, Int.max], [1 << 59, 0, 3, 4],
        ])
    func tooManyBesideZero(dimensions: [Int]) {
        let error = #expect(throws: TensorError.self) { try TensorShape(dimensions) }
        #expect(error?.code == .tooManyElements)
    }

    @Test(
        "the bytes of a row that is not there can be counted",
        arguments: [[0, 1 << 58], [1 << 20, 0, 1 << 30]])
    func besideZero(dimensions: [Int]) throws {
        #expect(try TensorShape(dimensions).elementCount == 0)
    }

    @Test("elements that do not fill a shape are an error")
    func countMismatch() throws {
        let shape = try TensorShape([2, 2])
        let error = #expect(throws: TensorError.self) { try Tensor(shape: shape, elements: [1, 2, 3]) }
        #expect(error?.code == .countMismatch)
        #expect(try Tensor(shape: shape, elements: [1, 2, 3, 4]).elements == [1, 2, 3, 4])
    }
}

@Suite("Mask bits")
struct MaskBitsTests {
    @Test("rows of any width come back as they went in", arguments: [1, 63, 64, 65, 784])
    func roundTrip(width: Int) throws {
        var generator = SplitMix64(seed: UInt64(width))
        var bits = try MaskBits(rowCount: 3, elementsPerRow: width)
        let rows = (0..<3).map { _ in (0..<width).map { _ in UInt8(generator.next() & 1) } }
        for (row, bytes) in rows.enumerated() { bytes.withUnsafeBufferPointer { bits.setRow(row, from: $0) } }
        for (row, bytes) in rows.enumerated() {
            var expanded = Array(repeating: UInt8(9), count: width)
            expanded.withUnsafeMutableBufferPointer { bits.expandRow(row, into: $0) }
            #expect(expanded == bytes)
            #expect(bits.count(row: row) == bytes.count { $0 == 1 })
            #expect((0..<width).allSatisfy { bits[row, $0] == (bytes[$0] == 1) })
        }
    }

    @Test("setting and clearing one bit leaves the others")
    func subscripts() throws {
        var bits = try MaskBits(rowCount: 2, elementsPerRow: 70)
        bits[1, 69] = true
        bits[1, 3] = true
        bits[1, 69] = false
        #expect(bits[1, 3] && !bits[1, 69])
        #expect(bits.count(row: 0) == 0 && bits.count(row: 1) == 1)
    }

    @Test("a union sets what either row has")
    func union() throws {
        var left = try MaskBits(rowCount: 1, elementsPerRow: 4)
        var right = try MaskBits(rowCount: 2, elementsPerRow: 4)
        left[0, 0] = true
        right[1, 3] = true
        left.formUnion(row: 0, with: right, row: 1)
        #expect((0..<4).map { left[0, $0] } == [true, false, false, true])
    }

    @Test("rows that are removed from the end leave the others")
    func truncation() throws {
        var bits = try MaskBits(rowCount: 3, elementsPerRow: 70)
        for row in 0..<3 { bits[row, 66 + row] = true }
        bits.truncate(toRowCount: 2)
        var expected = try MaskBits(rowCount: 2, elementsPerRow: 70)
        (expected[0, 66], expected[1, 67]) = (true, true)
        #expect(bits == expected)
        bits.truncate(toRowCount: 0)
        #expect(bits.rowCount == 0)
    }
}

@Suite("SplitMix64")
struct SplitMix64Tests {
    // Computed by the reference implementation in C of Sebastiano Vigna, splitmix64.c, for the seed 1234567.
    @Test("the sequence is that of the reference implementation")
    func sequence() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in generator.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("units lie in [0, 1) and fill it evenly")
    func units() {
        var generator = SplitMix64(seed: 0)
        var counts = Array(repeating: 0, count: 10)
        for _ in 0..<10_000 { counts[Int(generator.nextUnit() * 10)] += 1 }
        #expect(counts.allSatisfy { (900...1100).contains($0) })
    }
}
