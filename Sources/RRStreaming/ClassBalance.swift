/// How often samples of each class are drawn.
public enum ClassBalance: Hashable, Sendable {
    /// As often from each class that has samples.
    case equal
    /// In proportion to a weight for each class, by label; 0 leaves a class out.
    case weights([Double])

    /// Reads `equal` or weights with commas between them: `1,1,0.5`.
    ///
    /// - Returns: nil where the text is neither, or a weight is negative or not finite, or all are 0.
    public init?(_ text: String) {
        if text == "equal" {
            self = .equal
            return
        }
        let weights = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        let known = weights.compactMap { $0 }
        guard known.count == weights.count, Self.areUsable(known) else { return nil }
        self = .weights(known)
    }

    /// The text that `init(_:)` reads.
    public var text: String {
        switch self {
        case .equal: "equal"
        case .weights(let weights): weights.map { "\($0)" }.joined(separator: ",")
        }
    }

    static func areUsable(_ weights: [Double]) -> Bool {
        let sum = weights.reduce(0, +)
        return sum > 0 && sum.isFinite && weights.allSatisfy { $0 >= 0 && $0.isFinite }
    }
}
