internal import ArgumentParser
import RRTraining

/// Whether and how regions are swapped between samples, of the commands that measure explanations.
struct SwapTestArguments: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help: "Swap regions between samples, which takes four more predictions for each.")
    var swapTest = true

    @Option(
        help:
            "What stands for the place that a sample shows inside A; group where the dataset has groups, else class."
    )
    var swapPlace: SwapPlace?

    /// Whether something was said of the swap test.
    var isGiven: Bool { swapPlace != nil || !swapTest }

    func validate() throws {
        if swapPlace != nil, !swapTest {
            throw ValidationError("--swap-place is about the swap test, which --no-swap-test leaves out")
        }
    }
}
