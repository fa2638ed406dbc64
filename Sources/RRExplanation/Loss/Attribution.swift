public import RRNetworks

/// What of a network's answer is held against the masks: the attribution a of `Guidance.rightReasons`, whose penalty is
/// Σ (A ∘ a)² of each sample. g is the gradient of the penalty's target T.
///
/// Those of a feature map h hold it against A at the map's places: of each, the mean of A over the pixels that are nearer to the
/// middle of what it sees of the image than to another's. Behind windows that are not padded the places do not begin at the
/// image's edge.
public enum Attribution: Hashable, Sendable {
    /// a = ∂T/∂x (Ross, Hughes and Doshi-Velez, 2017).
    case inputGradient
    /// a = x ∘ ∂T/∂x (Shrikumar, Greenside and Kundaje, "Learning important features through propagating activation
    /// differences", ICML 2017).
    case inputTimesGradient
    /// a = ∂T/∂h, of all channels.
    case featureGradient(FeatureMap)
    /// a = Σ_k α_k h_k with α_k the mean of ∂T/∂h_k over the map: Grad-CAM (Selvaraju et al., ICCV 2017), penalised as in RRR-G
    /// (Schramowski et al., "Making deep neural networks right for the right scientific reasons by interacting with their
    /// explanations", 2020).
    ///
    /// It is neither rectified, so that what speaks against T counts too and the penalty has a gradient everywhere, nor divided
    /// by its largest element.
    case gradCAM(FeatureMap)

    /// The feature map that it is about; nil for the input.
    public var features: FeatureMap? {
        switch self {
        case .inputGradient, .inputTimesGradient: nil
        case .featureGradient(let map), .gradCAM(let map): map
        }
    }
}
