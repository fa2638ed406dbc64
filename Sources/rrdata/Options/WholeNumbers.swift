internal import ArgumentParser

/// Whole numbers with commas between: `2,3`.
struct WholeNumbers: ExpressibleByArgument {
    let numbers: [Int]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let known = parts.compactMap { $0 }
        guard !known.isEmpty, known.count == parts.count else { return nil }
        numbers = known
    }
}
