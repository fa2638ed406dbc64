import RRDatasets
import RRTensor
import Testing

@Suite("Joining mask sets")
struct MaskSetUnionTests {
    /// Masks of 2×3 for four samples: of each row of `masks` the elements that are set.
    func set(
        _ masks: [[Int]], rows: [Int], width: Int = 3, fingerprint: String = "a"
    ) throws -> MaskSet {
        let shape = try ImageShape(channels: 1, height: 2, width: width)
        var bits = try MaskBits(rowCount: masks.count + 1, elementsPerRow: shape.elementCount)
        for (row, mask) in masks.enumerated() {
            for element in mask { bits[row, element] = true }
        }
        return try MaskSet(bits: bits, rows: rows, maskShape: shape, datasetFingerprint: fingerprint)
    }

    func elements(_ masks: MaskSet) -> [[Int]] {
        masks.rows.map { row in (0..<6).filter { masks.bits[row, $0] } }
    }

    @Test("a 1 in either is a 1, samples without any have no row, and shared rows stay apart")
    func union() throws {
        // Samples 0 and 2 share a row of the first set; sample 3 has a row of zeros there.
        let first = try set([[0, 5], []], rows: [0, 2, 0, 1])
        let second = try set([[1], [5, 3]], rows: [2, 0, 1, 2])
        let union = try first.union(second)
        #expect(elements(union) == [[0, 5], [1], [0, 3, 5], []])
        #expect(union.annotatedCount == 3 && union.bits.rowCount == 4)
        #expect(try elements(second.union(first)) == elements(union))
        #expect(first.oneCount == 4 && second.oneCount == 3)
        #expect(try first.commonOneCount(with: second) == 1)
        #expect(try union.commonOneCount(with: second) == 3)
    }

    @Test("sets for different datasets or of different shapes are refused")
    func mismatch() throws {
        let set = try set([[0]], rows: [0, 1, 1, 1])
        for (other, code) in try [
            (self.set([[0]], rows: [0, 1, 1, 1], fingerprint: "b"), DatasetError.Code.otherDataset),
            (self.set([[0]], rows: [0, 1, 1]), .otherDataset),
            (self.set([[0]], rows: [0, 1, 1, 1], width: 4), .wrongMaskSize),
        ] {
            #expect(#expect(throws: DatasetError.self) { try set.union(other) }?.code == code)
            #expect(#expect(throws: DatasetError.self) { try set.commonOneCount(with: other) }?.code == code)
        }
    }
}
