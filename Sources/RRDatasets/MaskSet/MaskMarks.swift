/// What a 1 in the source's masks says.
public enum MaskMarks: String, Sendable, CaseIterable {
    /// "This pixel is no valid reason", as in a mask set.
    case wrong
    /// "This pixel is a valid reason": masks are inverted.
    case right
}

/// What a mask that is all zero says.
public enum EmptyMasks: String, Sendable, CaseIterable {
    /// Nothing: its sample is unannotated.
    case unannotated
    /// "No pixel is marked": its sample has a row in the mask set.
    case annotated
}
