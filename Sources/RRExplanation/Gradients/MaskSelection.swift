/// Which elements of an input gradient become a mask: those that the model looks at most.
public enum MaskSelection: Equatable, Sendable, CustomStringConvertible {
    /// The elements with the K largest absolute values; of equal ones those at lower positions.
    case top(count: Int)
    /// The same for K = the fraction of all elements, rounded to the nearest and at least 1.
    case topFraction(Double)
    /// All elements above this factor, from 0 to 1, of the sample's largest absolute value.
    case threshold(Double)

    /// `threshold 0.67`
    public var description: String {
        switch self {
        case .top(let count): "top-k \(count)"
        case .topFraction(let fraction): "top-fraction \(fraction)"
        case .threshold(let factor): "threshold \(factor)"
        }
    }

    /// Checks the selection for gradients of a size.
    ///
    /// - Throws: `ExplanationError` with the code `impossibleSelection`.
    public func check(elementCount: Int) throws(ExplanationError) {
        switch self {
        case .top(let count):
            guard count >= 1, count <= elementCount else {
                throw ExplanationError(
                    .impossibleSelection,
                    "cannot take the \(count) largest of \(elementCount) elements: choose 1 to \(elementCount)"
                )
            }
        case .topFraction(let fraction):
            guard fraction > 0, fraction <= 1 else {
                throw ExplanationError(
                    .impossibleSelection, "the fraction \(fraction) must be above 0 and at most 1")
            }
        case .threshold(let factor):
            guard factor >= 0, factor < 1 else {
                throw ExplanationError(
                    .impossibleSelection, "the threshold \(factor) must be at least 0 and below 1")
            }
        }
    }
}
