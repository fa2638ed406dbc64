/// How often samples of each class, or of each group, are drawn.
public enum ClassBalance: Hashable, Sendable {
    /// As often from each class that has samples.
    case equal
    /// In proportion to a weight for each class, by label; 0 leaves a class out.
    case weights([Double])
    /// As often from each group that has samples.
    case groups

    /// Reads `equal`, `groups` or weights with commas between them: `1,1,0.5`.
    ///
    /// - Returns: nil where the text is neither, or a weight is negative or not finite, or all are 0.
    public init?(_ text: String) {
        if text == "equal" || text == "groups" {
            self = text == "equal" ? .equal : .groups
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
        case .groups: "groups"
        case .weights(let weights): weights.map { "\($0)" }.joined(separator: ",")
        }
    }

    static func areUsable(_ weights: [Double]) -> Bool {
        let sum = weights.reduce(0, +)
        return sum > 0 && sum.isFinite && weights.allSatisfy { $0 >= 0 && $0.isFinite }
    }
}
