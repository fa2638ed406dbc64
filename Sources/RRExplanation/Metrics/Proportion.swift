/// How many of some samples something was so for.
public struct Proportion: Equatable, Sendable {
    /// The samples that it was so for.
    public private(set) var count = 0
    /// The samples that were asked.
    public private(set) var total = 0

    public init() {}

    /// - Parameters:
    ///   - count: from 0 to `total`; what lies outside is brought inside.
    ///   - total: from 0 on.
    public init(_ count: Int, of total: Int) {
        self.total = max(total, 0)
        self.count = min(max(count, 0), self.total)
    }

    /// The share of the samples; nil without any.
    public var share: Double? { total == 0 ? nil : Double(count) / Double(total) }

    /// What the share of all samples of this kind may be, at a confidence of 95 %; nil without samples.
    ///
    /// With the share p of n samples and z = 1.95996, (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n): Wilson,
    /// "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
    /// Association 22, 1927. It is right for few samples and for shares of 0 and 1 too, where p ± z √(p(1 − p)/n) is not.
    /// It knows only the chance of drawing samples: not that several may be of one patient, nor that another training
    /// would have given another model.
    public var interval: ConfidenceInterval? {
        guard let share else { return nil }
        let (size, square) = (Double(total), ConfidenceInterval.deviations * ConfidenceInterval.deviations)
        let scale = 1 + square / size
        let centre = (share + square / (2 * size)) / scale
        let root = (share * (1 - share) / size + square / (4 * size * size)).squareRoot()
        let half = ConfidenceInterval.deviations * root / scale
        return ConfidenceInterval(
            lower: count == 0 ? 0 : centre - half, upper: count == total ? 1 : centre + half)
    }

    package mutating func add(_ isSo: Bool) {
        total += 1
        if isSo { count += 1 }
    }
}

/// The bounds between which a figure of all samples lies, at a confidence of 95 %.
public struct ConfidenceInterval: Equatable, Sendable {
    public let lower: Double
    public let upper: Double

    public init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// The standard deviations of a normal distribution between which 95 % lie.
    static let deviations = 1.959963984540054
}

/// Two questions that were asked of the same samples: how much more often the first is answered with yes.
public struct PairedProportions: Equatable, Sendable {
    /// The samples for which both were so, the first alone, the second alone, and neither.
    public private(set) var both = 0
    public private(set) var firstOnly = 0
    public private(set) var secondOnly = 0
    public private(set) var neither = 0

    public init() {}

    package init(both: Int, firstOnly: Int, secondOnly: Int, neither: Int) {
        self.both = both
        self.firstOnly = firstOnly
        self.secondOnly = secondOnly
        self.neither = neither
    }

    /// The samples that both were asked of.
    public var total: Int { both + firstOnly + secondOnly + neither }

    /// The share of the first minus that of the second; nil without samples.
    public var difference: Double? {
        total == 0 ? nil : Double(firstOnly - secondOnly) / Double(total)
    }

    /// What the difference for all samples of this kind may be, at a confidence of 95 %; nil without samples.
    ///
    /// Source: Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    /// data", Statistics in Medicine 17, 1998, method 10: from the Wilson intervals of both shares and their correlation,
    /// corrected for continuity. As those it knows only the chance of drawing samples.
    public var interval: ConfidenceInterval? {
        let (first, second) = (
            Proportion(both + firstOnly, of: total), Proportion(both + secondOnly, of: total)
        )
        guard let difference, let one = first.share, let other = second.share,
            let ofOne = first.interval, let ofOther = second.interval
        else { return nil }
        let (below, above) = (
            (one - ofOne.lower, other - ofOther.lower), (ofOne.upper - one, ofOther.upper - other)
        )
        func length(_ first: Double, _ second: Double) -> Double {
            max(0, first * first - 2 * correlation * first * second + second * second).squareRoot()
        }
        return ConfidenceInterval(
            lower: difference - length(below.0, above.1), upper: difference + length(above.0, below.1))
    }

    private var correlation: Double {
        let (both, first) = (Double(both), Double(firstOnly))
        let (second, neither, total) = (Double(secondOnly), Double(neither), Double(total))
        let product = (both + first) * (second + neither) * (both + second) * (first + neither)
        guard product > 0 else { return 0 }
        let excess = both * neither - first * second
        return (excess > 0 ? max(excess - total / 2, 0) : excess) / product.squareRoot()
    }

    package mutating func add(_ first: Bool, _ second: Bool) {
        switch (first, second) {
        case (true, true): both += 1
        case (true, false): firstOnly += 1
        case (false, true): secondOnly += 1
        case (false, false): neither += 1
        }
    }
}
