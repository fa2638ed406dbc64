import RRDatasets
import RRExplanation
import RRSchemas
import RRTensor
import Testing

@testable import RRTraining

@Suite("Whether two models may read the same region")
struct RegionFlipsTests {
    private func flips(_ changed: Int, of total: Int, round: Int = 1) -> RegionFlips {
        RegionFlips(
            round: round,
            flips: PairedProportions(both: 0, firstOnly: changed, secondOnly: 0, neither: total - changed))
    }

    @Test(
        "they may where as many predictions of either change, and where many do",
        arguments: [
            (86, 80, 100, true), (86, 24, 100, false), (86, 0, 100, false), (2, 2, 100, false),
            (3, 2, 4, true), (0, 0, 0, false),
        ])
    func agreement(own: Int, new: Int, total: Int, isShared: Bool) {
        #expect(flips(new, of: total).agrees(with: flips(own, of: total)) == isShared)
    }

    @Test("the figures of a region are read as they were written, and damaged ones are none")
    func json() throws {
        let flips = RegionFlips(
            round: 3, flips: PairedProportions(both: 4, firstOnly: 5, secondOnly: 6, neither: 7))
        #expect(RegionFlips(flips.json) == flips)
        #expect(
            flips.json["flips_by_other"] == .number(9 / 22) && flips.json["flips_by_same"] == .number(10 / 22)
        )
        #expect(RegionFlips(["round": 3, "counts": [1, 2, 3]]) == nil)
        #expect(RegionFlips(["round": 3, "counts": [1, 2, 3, -4]]) == nil)
    }

    @Test("a region has the pixels that any channel marks, and those that are near", arguments: [0, 1])
    func regions(distance: Int) throws {
        let shape = try ImageShape(channels: 2, height: 3, width: 4)
        var bits = try MaskBits(rowCount: 3, elementsPerRow: 24)
        bits[0, 0] = true
        bits[1, 12 + 6] = true
        let masks = try MaskSet(
            bits: bits, rows: [1, 2, 0, 1], maskShape: shape,
            datasetFingerprint: String(repeating: "0", count: 64))
        let regions = try masks.regions(of: [0, 1, 2], distance: distance)
        #expect(regions.maskShape.dimensions == [1, 3, 4])
        // Sample 3 is not asked for.
        #expect((0..<4).map(regions.isAnnotated) == [true, false, true, false])
        func marked(_ sample: Int) -> [Int] { (0..<12).filter { regions.bits[regions.rows[sample], $0] } }
        #expect(marked(0) == (distance == 0 ? [6] : [2, 5, 6, 7, 10]))
        #expect(marked(2) == (distance == 0 ? [0] : [0, 1, 4]))
    }
}
