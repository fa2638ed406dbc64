/// The order of the dimensions of an array of images or masks; the last is contiguous.
public enum ArrayLayout: String, Sendable, CaseIterable {
    case nchw = "NCHW"
    case nhwc = "NHWC"
    case nwhc = "NWHC"
    case ncwh = "NCWH"
    /// One channel, without a dimension of its own.
    case nhw = "NHW"

    /// The number of dimensions.
    public var rank: Int { rawValue.utf8.count }
}
