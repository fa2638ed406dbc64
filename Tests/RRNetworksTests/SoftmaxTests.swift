import Glibc
import Testing

@testable import RRNetworks

@Suite("Softmax")
struct SoftmaxTests {
    @Test(
        "near certainty the cross-entropy keeps its digits, however large the logits",
        arguments: [0, 1e3, 1e4])
    func nearCertainty(offset: Double) {
        var softmax = Softmax(classCount: 3)
        softmax.update(logits: [offset + 20, offset, offset - 5], column: 0, of: 1)
        let exact = log1p(exp(-20.0) + exp(-25.0))
        #expect((softmax.crossEntropy(label: 0) - exact).magnitude < 3e-16)
        #expect((softmax.crossEntropy(label: 1) - 20 - exact).magnitude < 1e-14)
    }
}
