/// Which pixels of a mask image count as 1.
enum MaskPixelRule: Sendable {
    /// Those that are 1 throughout the image, or the largest value throughout; all others must be 0.
    case binary
    /// Those of certain values; all others are 0.
    case values([Int])
    /// Those whose share of the largest value is at least this.
    case threshold(Double)

    init(_ options: MaskImport.Options) {
        if let values = options.maskValues {
            self = .values(values)
        } else if let threshold = options.maskThreshold {
            self = .threshold(threshold)
        } else {
            self = .binary
        }
    }
}
