/// How the loss keeps a model from what is no valid reason: L = CE + λ1 · R, with one of these for R.
///
/// The cross-entropy's mean is over the N samples of the batch, and R is divided as the reduction says. With an x̃
/// that differs from x inside A only, R is the cross-entropy of the annotated samples' x̃,
///
///     R = (1/N) Σ_{n annotated} CE(f(x̃_n), y_n)
///
/// in which a sample weighs what it weighs in the first term, by class weights and label smoothing. Dropout leaves out
/// the same of x̃ as of x. Without an annotated sample, or with λ1 = 0, `rightReasons`, `counterexamples` and
/// `adversarial` are plain cross-entropy bit for bit.
public enum Guidance: Hashable, Sendable {
    /// R = (1/N) Σ_n Σ_d (A_nd g_nd)², the squared input gradient inside A.
    ///
    /// Source: Ross, Hughes and Doshi-Velez, "Right for the Right Reasons" (IJCAI 2017).
    case rightReasons

    /// x̃ has other values inside A, random ones or another sample's, drawn anew each epoch.
    ///
    /// λ1 = 1 adds one counterexample to the batch for each annotated sample, λ1 = c weighs it as c.
    ///
    /// Source: Teso and Kersting, "Explanatory Interactive Machine Learning" (AIES 2019), counterexamples with
    /// randomised values; Schramowski et al., "Making deep neural networks right for the right scientific reasons by
    /// interacting with their explanations" (Nature Machine Intelligence 2, 2020).
    case counterexamples(CounterexampleOptions)

    /// Counterexamples with values that are uniform over the range that images have.
    public static let randomized = Guidance.counterexamples(CounterexampleOptions())

    /// x̃ = x + A ∘ δ with the δ, ‖δ‖∞ ≤ ε, that projected gradient ascent on CE(f(x̃), y) ends at.
    ///
    /// Source: Heo, Piratla, Wicker and Weller, "Use perturbations when learning from explanations" (NeurIPS 2023),
    /// PGD-Ex, whose α is λ1; the ascent is that of Madry et al., "Towards deep learning models resistant to adversarial
    /// attacks" (ICLR 2018).
    case adversarial(AdversaryOptions)

    /// R = (1/N) Σ_n ‖∂/∂x_n (−log p_{n,y_n})‖², over all samples and pixels; masks have no part in it.
    ///
    /// Source: Drucker and LeCun, "Improving generalization performance using double backpropagation" (IEEE Transactions
    /// on Neural Networks 3, 1992); Ross and Doshi-Velez, "Improving the adversarial robustness and interpretability of
    /// deep neural networks by regularizing their input gradients" (AAAI 2018).
    case inputGradient

    /// What becomes of changed images; nil where none are changed.
    package var counterexamples: CounterexampleOptions? {
        switch self {
        case .rightReasons, .inputGradient: nil
        case .counterexamples(let options): options
        case .adversarial: CounterexampleOptions()
        }
    }
}

/// A search for the worst image within a box around a sample, inside its mask.
///
/// From δ uniform in [−ε, ε], each step is δ ← clip(δ + α · sign ∂CE/∂x̃, −ε, ε). Distances are those of the network's
/// input, after normalisation; x̃ is not clipped to the range of images.
public struct AdversaryOptions: Hashable, Sendable {
    /// The number of ascents, at least 1.
    public var stepCount: Int
    /// ε, above 0.
    public var radius: Double
    /// α, above 0.
    public var stepSize: Double

    /// - Parameters:
    ///   - stepCount: the number of steps.
    ///   - radius: the largest change of an element.
    ///   - stepSize: nil for 2.5 ε over the number of steps, as Madry et al. have it: every point of the box
    ///     can then be reached.
    public init(stepCount: Int = 7, radius: Double = 0.3, stepSize: Double? = nil) {
        self.stepCount = stepCount
        self.radius = radius
        self.stepSize = stepSize ?? 2.5 * radius / Double(max(stepCount, 1))
    }
}
