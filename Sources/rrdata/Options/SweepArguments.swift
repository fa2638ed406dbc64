internal import ArgumentParser
import Glibc
import RRReports
import RRTraining

/// Weights as `--lambda1` of a sweep names them: `0.001:1000`, `0.01:1:2`, `0.1,1,10`.
struct SweepWeights: ExpressibleByArgument {
    let values: [Double]

    private static let mostPerDecade = 100

    init?(argument: String) {
        let separator: Character = argument.contains(":") ? ":" : ","
        let parts = argument.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard numbers.count == parts.count else { return nil }
        guard separator == ":" else {
            values = numbers
            return
        }
        guard 2...3 ~= numbers.count, numbers[0] > 0, numbers[0] <= numbers[1], numbers[1].isFinite,
            let perDecade = numbers.count == 3 ? Int(exactly: numbers[2]) : 1,
            1...Self.mostPerDecade ~= perDecade
        else { return nil }
        values = Self.geometric(from: numbers[0], to: numbers[1], perDecade: perDecade)
    }

    /// Numbers of four digits, each 10^(1/n) times the one before it.
    private static func geometric(from low: Double, to high: Double, perDecade: Int) -> [Double] {
        let count = Int((log10(high / low) * Double(perDecade) + 1e-9).rounded(.down))
        return (0...count).map { step in
            let value = low * pow(10, Double(step) / Double(perDecade))
            return Double(Figure.text(value)) ?? value
        }
    }
}

/// Ways with commas between them: `swap,consistency`.
struct SweepWays: ExpressibleByArgument {
    let values: [SweepWay]

    init?(argument: String) {
        let names = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = names.compactMap { SweepWay(rawValue: String($0)) }
        guard values.count == names.count, !values.contains(.plain) else { return nil }
    }
}

/// Seeds with commas between them, or from one to another: `0,1,2`, `0:4`.
struct SeedList: ExpressibleByArgument {
    let values: [UInt64]

    private static let mostSeeds: UInt64 = 1000

    init?(argument: String) {
        let ends = argument.split(separator: ":", omittingEmptySubsequences: false).compactMap { UInt64($0) }
        if argument.contains(":") {
            guard ends.count == 2, ends[0] <= ends[1], ends[1] - ends[0] < Self.mostSeeds else { return nil }
            values = Array(ends[0]...ends[1])
            return
        }
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { UInt64($0) }
        guard values.count == parts.count else { return nil }
    }
}
