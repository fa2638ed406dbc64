package import RRNetworks

/// How much of the input gradients lies where the masks say that no valid reason is.
///
/// For a sample with the input gradient g and the mask A the share is Σ_d A_d |g_d| / Σ_d |g_d|: 0 is right for
/// the right reasons, and a model that looks everywhere alike has the share of the area that A covers.
public struct GradientShare: Equatable, Sendable {
    /// The samples that the mean is over: annotated, with a gradient that is not zero throughout.
    public private(set) var sampleCount = 0
    /// The annotated samples left out because their gradient is zero throughout.
    public private(set) var zeroGradientCount = 0
    private var shareSum = 0.0
    private var areaSum = 0.0

    public init() {}

    /// The mean share of |input gradient| inside A; nil without samples.
    public var insideMask: Double? { sampleCount == 0 ? nil : shareSum / Double(sampleCount) }

    /// The mean share of the input's elements that A covers; nil without samples.
    public var maskedArea: Double? { sampleCount == 0 ? nil : areaSum / Double(sampleCount) }

    /// Adds a sample whose `Share` was measured.
    package mutating func add(_ share: Share) {
        switch share {
        case .unannotated: break
        case .zeroGradient: zeroGradientCount += 1
        case .measured(let inside, let area):
            sampleCount += 1
            shareSum += inside
            areaSum += area
        }
    }

    /// One sample's share.
    package enum Share: Equatable, Sendable {
        case unannotated
        case zeroGradient
        case measured(inside: Double, area: Double)

        /// Measures a sample's gradient against its mask of as many elements.
        @specialized(where Scalar == Float)
        @specialized(where Scalar == Double)
        package init<Scalar: NetworkScalar>(
            gradient: UnsafeBufferPointer<Scalar>, mask: UnsafeBufferPointer<UInt8>
        ) {
            var inside = 0.0
            var total = 0.0
            var area = 0
            for index in 0..<gradient.count {
                let magnitude = Double(gradient[index].magnitude)
                total += magnitude
                if mask[index] != 0 {
                    inside += magnitude
                    area += 1
                }
            }
            if area == 0 {
                self = .unannotated
            } else if total == 0 {
                self = .zeroGradient
            } else {
                self = .measured(inside: inside / total, area: Double(area) / Double(gradient.count))
            }
        }
    }
}
