internal import ArgumentParser
import RRExplanation

/// What the loss has beside the cross-entropy, and how often training meets an annotated sample.
struct GuidanceArguments: ParsableArguments {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case rrr, augment, consistency, pgd
        case inputGradient = "input-gradient"
    }

    @Option(
        help: ArgumentHelp(
            "What lambda1 weighs: rrr, the paper's, augment, consistency, pgd or input-gradient.",
            discussion: """
                The loss is CE(x) + lambda1 R, and R one of these:
                rrr: the squared input gradient inside the masks (Ross, Hughes and Doshi-Velez, 2017).
                augment: CE(x~) of the annotated samples, in which the masks are filled anew each epoch as --augment-fill \
                says (Teso and Kersting, 2019). lambda1 is then how many counterexamples each sample adds to the batch.
                consistency: the squared difference between the logits of x and of x~, less its mean over the classes.
                pgd: CE(x + d) with the worst d inside the masks, every element of it at most --pgd-radius (Heo et \
                al., 2023; the search is that of Madry et al., 2018).
                input-gradient: the squared gradient of CE(x) by all pixels of all samples, without masks (Drucker \
                and LeCun, 1992; Ross and Doshi-Velez, 2018).
                Without --lambda1 it is 1 for augment, consistency and pgd; input-gradient needs it.

                Penalties fit local artefacts, such as decoys and rulers. Where masks mark whole regions, such as \
                backgrounds, what works is augment or consistency with --augment-fill swap.
                """))
    var guidance: Kind = .rrr

    @Option(
        help: ArgumentHelp(
            "What augment and consistency fill the masks with: uniform, noise, mean or swap. (default: uniform, which tells nothing of the image)",
            discussion: """
                uniform is from 0 to 1 for integer images and over the range of the training split for float ones; noise \
                is normal with the mean and deviation of each channel in the training split, mean its mean. swap takes \
                what another annotated sample shows inside its mask, any one of them with the same chance, whose pixels \
                outside it take the value of the nearest inside. Where fewer than a quarter of the samples are annotated, \
                half of every batch is then drawn from them.
                """))
    var augmentFill: CounterexampleOptions.Fill?

    @Option(
        help:
            "Whether augment puts the changed image beside its image or instead of it, where lambda1 has no part. (default: beside, so that no image is lost)"
    )
    var augmentPlace: CounterexampleOptions.Place?

    @Option(
        help:
            "The share of annotated samples, above 0 and at most 1, that augment and consistency change in an epoch. (default: 1, so that each is seen changed)"
    )
    var augmentShare: Double?

    @Option(
        help:
            "What consistency weighs within lambda1 R, beside the cross-entropy of augment or alone. (default: 0 for augment, which is the cross-entropy alone, and 1 for consistency, which is nothing else)"
    )
    var consistency: Double?

    @Option(help: "Of pgd: the steps of the search. (default: 7, as Madry et al. train on CIFAR-10)")
    var pgdSteps: Int?

    @Option(
        help:
            "Of pgd: the largest change of an element of the network's input, after --normalize. (default: 0.3, theirs on MNIST)"
    )
    var pgdRadius: Double?

    @Option(
        help:
            "Of pgd: the length of a step. (default: 2.5 times the radius over the steps, which reaches the border and can follow it)"
    )
    var pgdStepSize: Double?

    @Option(help: "The share of annotated samples in every batch, from 0 to 1; samples are drawn for it.")
    var annotatedFraction: Double?

    func validate() throws {
        guard
            guidance == .augment || guidance == .consistency
                || (augmentFill == nil && augmentPlace == nil && augmentShare == nil && consistency == nil)
        else {
            throw ValidationError(
                "--augment-fill, --augment-place, --augment-share and --consistency go with --guidance augment or "
                    + "consistency")
        }
        guard guidance == .pgd || (pgdSteps == nil && pgdRadius == nil && pgdStepSize == nil) else {
            throw ValidationError("--pgd-steps, --pgd-radius and --pgd-step-size go with --guidance pgd")
        }
    }

    var value: Guidance {
        switch guidance {
        case .rrr: return .rightReasons
        case .augment, .consistency:
            let isConsistency = guidance == .consistency
            return .counterexamples(
                CounterexampleOptions(
                    fill: augmentFill ?? .uniform, place: augmentPlace ?? .beside, share: augmentShare ?? 1,
                    countsCrossEntropy: !isConsistency, consistency: consistency ?? (isConsistency ? 1 : 0)))
        case .pgd:
            let standard = AdversaryOptions()
            return .adversarial(
                AdversaryOptions(
                    stepCount: pgdSteps ?? standard.stepCount, radius: pgdRadius ?? standard.radius,
                    stepSize: pgdStepSize))
        case .inputGradient: return .inputGradient
        }
    }
}
