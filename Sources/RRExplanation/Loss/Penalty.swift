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

/// What the penalties of a batch's samples are divided by.
public enum PenaltyReduction: String, CaseIterable, Codable, Sendable {
    /// The number of samples in the batch, as the cross-entropy is.
    case mean
    /// One: λ1 then scales with the batch, as in some published code.
    case sum
    /// The number of annotated samples in the batch, so that few masks are not starved.
    case annotated
}
