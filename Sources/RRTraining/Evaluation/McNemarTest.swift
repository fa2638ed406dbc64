internal import Glibc

/// Whether two models that were asked about the same samples are right about them equally often.
///
/// Only samples that one of them is right about and the other is not say anything: were the models equally good, each would
/// be as likely to be the right one. McNemar, "Note on the sampling error of the difference between correlated proportions or
/// percentages", Psychometrika 12, 1947.
///
/// It misleads where it is asked of many pairs, of which some differ by chance, and it knows the chance of drawing samples
/// alone: two trainings of one model with other seeds may differ as clearly.
public struct McNemarTest: Equatable, Sendable {
    /// How the probability was found.
    public enum Method: String, Sendable {
        /// By the binomial distribution with p = ½, both sides: up to 1,000 samples.
        case exact
        /// By the χ² distribution with one degree of freedom of (|b − c| − 1)² / (b + c), corrected for continuity as
        /// Edwards (1948) has it.
        case chiSquare = "chi-square"
    }

    /// The samples that the first model alone is right about, b.
    public let firstOnly: Int
    /// The samples that the second model alone is right about, c.
    public let secondOnly: Int
    public let method: Method
    /// The probability of a difference this large or larger between models that are equally good.
    public let probability: Double

    static let largestExactCount = 1000

    public init(firstOnly: Int, secondOnly: Int) {
        self.firstOnly = firstOnly
        self.secondOnly = secondOnly
        let count = firstOnly + secondOnly
        method = count <= Self.largestExactCount ? .exact : .chiSquare
        probability =
            switch method {
            case .exact: Self.exact(min(firstOnly, secondOnly), of: count)
            case .chiSquare: Self.corrected(firstOnly, secondOnly)
            }
    }

    /// min(1, 2 Σ C(n, k) 2⁻ⁿ for k up to a number).
    static func exact(_ number: Int, of count: Int) -> Double {
        // 2⁻¹⁰⁰⁰ is a number of full precision.
        var term = exp2(-Double(count))
        var sum = 0.0
        for successes in 0...max(number, 0) {
            sum += term
            term *= Double(count - successes) / Double(successes + 1)
        }
        return min(1, 2 * sum)
    }

    static func corrected(_ first: Int, _ second: Int) -> Double {
        guard first + second > 0 else { return 1 }
        let excess = max(Double(abs(first - second)) - 1, 0)
        return erfc((excess * excess / Double(first + second) / 2).squareRoot())
    }
}
