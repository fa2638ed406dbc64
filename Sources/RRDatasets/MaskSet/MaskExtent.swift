/// How much of an image masks mark, by which one way to learn from them fits and another does not.
///
/// Penalties of gradients fit local artefacts, as rulers, watermarks and markers: a region that is most of the image leaves them
/// little to let a model look at. What another image shows in the region's place fits whole regions, as backgrounds: of an
/// artefact that always looks alike it changes nothing. The bounds are far from what was measured on either side.
public enum MaskExtent: String, Sendable {
    /// Less than a tenth of an image on average.
    case local
    case between
    /// More than a third of it.
    case regions

    /// - Parameter meanShare: the mean share of 1s in the masks that are not all zero.
    public init(meanShare: Double) {
        self = meanShare < 0.1 ? .local : meanShare > 1.0 / 3 ? .regions : .between
    }
}
