import Synchronization
import Testing

@testable import RRExplanation

@Suite("The gradients of lanes")
struct LaneGradientsTests {
    /// The sum one after the other is another: 1 is lost beside 2⁵³, and 2 is not.
    private static let values = [0x1p53, 1, 1, 1, 1, 1, 1, 1]

    private func sum(laneCount: Int, order: [Int]) -> Double {
        let gradients = LaneGradients<Double>(count: 1)
        var result = Double.nan
        return withUnsafeMutablePointer(to: &result) { result in
            gradients.begin(laneCount: laneCount, ranges: [0..<1], into: result)
            for lane in order { gradients.add(lane: lane, at: nil) { $0[0] += Self.values[lane] } }
            return result[0]
        }
    }

    @Test("are added along one binary tree, whoever is ready first")
    func tree() {
        let values = Self.values
        let expected =
            ((values[0] + values[1]) + (values[2] + values[3]))
            + ((values[4] + values[5]) + (values[6] + values[7]))
        #expect(expected != values.reduce(0, +))
        for order in [[0, 1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1, 0], [3, 5, 0, 6, 1, 7, 2, 4]] {
            #expect(sum(laneCount: 8, order: order) == expected)
        }
    }

    @Test("of lanes that are absent are not added", arguments: 1...7)
    func absentLanes(laneCount: Int) {
        func node(_ first: Int, _ width: Int) -> Double? {
            guard first < laneCount else { return nil }
            guard width > 1 else { return Self.values[first] }
            guard let left = node(first, width / 2) else { return nil }
            return node(first + width / 2, width / 2).map { left + $0 } ?? left
        }
        #expect(sum(laneCount: laneCount, order: Array(0..<laneCount)) == node(0, 8))
        #expect(sum(laneCount: laneCount, order: (0..<laneCount).reversed()) == node(0, 8))
        // Not even as zeros: a sum of none but negative zeros is one.
        let gradients = LaneGradients<Double>(count: 1)
        var result = Double.nan
        withUnsafeMutablePointer(to: &result) { result in
            gradients.begin(laneCount: laneCount, ranges: [0..<1], into: result)
            for lane in 0..<laneCount { gradients.add(lane: lane, at: nil) { $0[0] = -0.0 } }
        }
        #expect(result.sign == .minus)
    }

    @Test("of many lanes one after the other need a copy for each level of the tree, not one for each lane")
    func copies() {
        let gradients = LaneGradients<Double>(count: 1)
        let places = Mutex(Set<Int>())
        var result = 0.0
        withUnsafeMutablePointer(to: &result) { result in
            gradients.begin(laneCount: 64, ranges: [0..<1], into: result)
            for lane in 0..<64 {
                gradients.add(lane: lane, at: nil) { place in
                    _ = places.withLock { $0.insert(Int(bitPattern: place)) }
                    place[0] += 1
                }
            }
        }
        #expect(result == 64)
        #expect(places.withLock(\.count) <= 7)
    }
}
