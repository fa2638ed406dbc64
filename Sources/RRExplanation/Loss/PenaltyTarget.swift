/// The quantity whose gradient with respect to the input is called the explanation.
///
/// With p the softmax of the logits z over K classes:
public enum PenaltyTarget: String, CaseIterable, Codable, Sendable {
    /// Σ_k log p_k: the paper's choice, under which every class counts (Ross, Hughes and Doshi-Velez, 2017).
    case sumLogProbability = "sum-log-prob"
    /// log p_y of the labelled class.
    case label
    /// log p_k of the class with the largest logit, the first of equal ones.
    case predicted
    /// Σ_k z_k.
    case logitsSum = "logits-sum"
}
