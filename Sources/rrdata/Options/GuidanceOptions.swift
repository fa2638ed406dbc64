internal import ArgumentParser
import RRExplanation
import RRTraining

/// What the loss has beside the cross-entropy, and how often training meets an annotated sample.
struct GuidanceOptions: ParsableArguments {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case rrr, augment, pgd
        case inputGradient = "input-gradient"
    }

    @Option(
        help: ArgumentHelp(
            "What lambda1 weighs: rrr, augment, pgd or input-gradient.",
            discussion: """
                The loss is CE(x) + lambda1 R, and R one of these:
                rrr: the squared input gradient inside the masks (Ross, Hughes and Doshi-Velez, 2017).
                augment: CE(x~) of the annotated samples, with values inside the masks drawn anew each epoch, uniform \
                from 0 to 1 for integer images and over the range of the training split for float ones (Teso and \
                Kersting, 2019). lambda1 is then how many counterexamples each sample adds to the batch.
                pgd: CE(x + d) with the worst d inside the masks, every element of it at most --pgd-radius (Heo et \
                al., 2023; the search is that of Madry et al., 2018).
                input-gradient: the squared gradient of CE(x) by all pixels of all samples, without masks (Drucker \
                and LeCun, 1992; Ross and Doshi-Velez, 2018).
                Without --lambda1 it is 1 for augment and pgd; input-gradient needs it.
                """))
    var guidance: Kind = .rrr

    @Option(help: "Of pgd: the steps of the search. (default: 7)")
    var pgdSteps: Int?

    @Option(
        help:
            "Of pgd: the largest change of an element of the network's input, after --normalize. (default: 0.3)"
    )
    var pgdRadius: Double?

    @Option(help: "Of pgd: the length of a step. (default: 2.5 times the radius over the steps)")
    var pgdStepSize: Double?

    @Option(help: "The share of annotated samples in every batch, from 0 to 1; samples are drawn for it.")
    var annotatedFraction: Double?

    func validate() throws {
        guard guidance == .pgd || (pgdSteps == nil && pgdRadius == nil && pgdStepSize == nil) else {
            throw ValidationError("--pgd-steps, --pgd-radius and --pgd-step-size go with --guidance pgd")
        }
    }

    func apply(to options: inout TrainingOptions) {
        options.annotatedFraction = annotatedFraction
        let standard = AdversaryOptions()
        options.guidance =
            switch guidance {
            case .rrr: .rightReasons
            case .augment: .randomized
            case .pgd:
                .adversarial(
                    AdversaryOptions(
                        stepCount: pgdSteps ?? standard.stepCount, radius: pgdRadius ?? standard.radius,
                        stepSize: pgdStepSize))
            case .inputGradient: .inputGradient
            }
    }

    /// The weight of what the guidance adds, where none is given.
    ///
    /// - Throws: `ValidationError` where there is no good guess.
    func lambda1(hasMasks: Bool) throws -> Lambda1 {
        switch guidance {
        case .rrr: hasMasks ? .automatic : .value(0)
        case .augment, .pgd: .value(1)
        case .inputGradient:
            throw ValidationError(
                "--guidance input-gradient needs --lambda1, the weight of the squared gradient")
        }
    }
}
