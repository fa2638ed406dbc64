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
    /// Σ_k z_k. The cross-entropy's gradient by the logits adds up to 0, so training need not move what is penalised.
    case logitsSum = "logits-sum"
    /// v · z with a random v for each sample, uniform among those that add up to 0 and have |v|² = K − 1, so that the
    /// expectation of Σ_d (A_d g_d)² is the squared Frobenius norm, inside A, of the Jacobian of the logits less their mean.
    ///
    /// It does not vanish where a model is unsure, as `sumLogProbability` does for two classes at p = ½; there it is
    /// ½ |A ∘ ∂(z_1 − z_0)/∂x|², whatever is drawn. Source of the projections: Hoffman, Roberts and Yaida, "Robust learning
    /// with Jacobian regularization", 2019.
    case logitJacobian = "logit-jacobian"
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
