import Testing

@testable import RRReports

@Suite("what is taken for what, of many classes")
struct ConfusionPartTests {
    @Test("neighbouring classes share a row and a column, and no sample is lost", arguments: [1, 3, 7, 10])
    func blocks(width: Int) {
        let counts = (0..<10).map { row in (0..<10).map { $0 == row ? 5 : ($0 + row) % 3 } }
        let blocks = ConfusionBlocks(counts, width: width)
        #expect(blocks.counts.count == (10 + width - 1) / width)
        #expect(blocks.counts.joined().reduce(0, +) == counts.joined().reduce(0, +))
        let corner = counts.prefix(width).reduce(0) { $0 + $1.prefix(width).reduce(0, +) }
        #expect(blocks.counts[0][0] == corner)
        #expect(blocks.filledCount <= blocks.counts.count * blocks.counts.count)
    }
}
