import Foundation
import RRStreaming
import TestSupport
import Testing

@Suite struct KeyedPermutationTests {
    struct Vector: Decodable, CustomTestStringConvertible {
        let count: Int
        let seed: String
        let epoch: Int
        let positions: [Int]
        let indices: [Int]

        var testDescription: String { "N \(count), seed \(seed), epoch \(epoch)" }

        static func all() throws -> [Vector] {
            let data = try Data(contentsOf: URL(filePath: Fixtures.path("streaming/permutation.json")))
            return try JSONDecoder().decode([Vector].self, from: data)
        }
    }

    @Test("the order is the one that the Python implementation gives")
    func vectors() throws {
        let vectors = try Vector.all()
        #expect(vectors.count == 15)
        for vector in vectors {
            let order = KeyedPermutation(
                count: vector.count, seed: try #require(UInt64(vector.seed)), epoch: vector.epoch)
            #expect(vector.positions.map { order($0) } == vector.indices, "\(vector.testDescription)")
        }
    }

    @Test(
        "every index appears exactly once",
        arguments: Array(0...70) + [127, 128, 129, 1000, 4095, 4096, 4097, 16385, 60000, 65537, 300_000])
    func isPermutation(count: Int) {
        let order = KeyedPermutation(count: count, seed: 7, epoch: 1)
        #expect(order.count == count)
        var isSeen = Array(repeating: false, count: count)
        for position in 0..<count { isSeen[order(position)] = true }
        #expect(isSeen.allSatisfy { $0 })
    }

    @Test("a huge dataset has an order too", arguments: [1 << 40, 1 << 41 + 12345, Int.max])
    func huge(count: Int) {
        let order = KeyedPermutation(count: count, seed: 1, epoch: 0)
        let indices = (0..<1000).map { order($0) }
        #expect(Set(indices).count == 1000)
        #expect(indices.allSatisfy { $0 >= 0 && $0 < count })
        #expect(abs(indices.map { Double($0) / Double(count) }.reduce(0, +) / 1000 - 0.5) < 0.04)
    }

    @Test("another seed, epoch or count gives another order")
    func keys() {
        func order(_ count: Int, _ seed: UInt64, _ epoch: Int) -> [Int] {
            let order = KeyedPermutation(count: count, seed: seed, epoch: epoch)
            return (0..<100).map { order($0) }
        }
        let orders = [
            order(100, 0, 0), order(100, 1, 0), order(100, 0, 1), order(100, 1, 1), order(101, 0, 0),
            order(100, .max, 0), Array(0..<100),
        ]
        #expect(Set(orders).count == orders.count)
    }

    @Test("every order of a few positions is as likely as every other", arguments: [2, 3, 4])
    func fewPositions(count: Int) {
        let factorial = (1...count).reduce(1, *)
        let trials = 100 * factorial
        var counts: [[Int]: Int] = [:]
        for trial in 0..<trials {
            let order = KeyedPermutation(count: count, seed: UInt64(trial % 10), epoch: trial / 10)
            counts[(0..<count).map { order($0) }, default: 0] += 1
        }
        #expect(counts.count == factorial)
        #expect(isUniform(Array(counts.values), trials: trials, cells: factorial))
    }

    @Test("every index is as likely at every position, and so is every pair", arguments: [7, 16])
    func positionsAndPairs(count: Int) {
        let trials = 100 * count
        var atPosition = Array(repeating: 0, count: count * count)
        var pairs = Array(repeating: 0, count: count * count)
        for trial in 0..<trials {
            let order = KeyedPermutation(count: count, seed: 11, epoch: trial)
            for position in 0..<count { atPosition[position * count + order(position)] += 1 }
            pairs[order(0) * count + order(1)] += 1
        }
        for position in 0..<count {
            let row = Array(atPosition[position * count..<(position + 1) * count])
            #expect(isUniform(row, trials: trials, cells: count))
        }
        let possible = (0..<count * count).filter { $0 / count != $0 % count }.map { pairs[$0] }
        #expect(isUniform(possible, trials: trials, cells: count * (count - 1)))
    }

    @Test(
        "large orders look random: indices over positions, and neighbours over each other",
        arguments: [1000, 60_000, 1 << 20, 10_000_000])
    func large(count: Int) {
        let order = KeyedPermutation(count: count, seed: 3, epoch: 2)
        let bins = 8
        let trials = min(count - 1, 50_000)
        var overPositions = Array(repeating: 0, count: bins * bins)
        var overNeighbours = overPositions
        var product = 0.0
        for trial in 0..<trials {
            let position = trial * (count - 1) / trials
            let (index, next) = (order(position), order(position + 1))
            overPositions[position * bins / count * bins + index * bins / count] += 1
            overNeighbours[index * bins / count * bins + next * bins / count] += 1
            product += (Double(index) / Double(count) - 0.5) * (Double(next) / Double(count) - 0.5)
        }
        #expect(isUniform(overPositions, trials: trials, cells: bins * bins))
        #expect(isUniform(overNeighbours, trials: trials, cells: bins * bins))
        #expect(abs(product * 12 / Double(trials)) < 5 / Double(trials).squareRoot())
    }

    /// Pearson's chi-square within five standard deviations of its mean, which is a fixed outcome for fixed seeds.
    private func isUniform(_ counts: [Int], trials: Int, cells: Int) -> Bool {
        let expected = Double(trials) / Double(cells)
        let missing = Double(cells - counts.count) * expected
        let chiSquare = counts.reduce(missing) { $0 + pow(Double($1) - expected, 2) / expected }
        let freedom = Double(cells - 1)
        return abs(chiSquare - freedom) < 5 * (2 * freedom).squareRoot()
    }
}
