import CConvolution
import Foundation
import Testing

@Suite("The loops of vectors over a function of each element")
struct ActivationKernelTests {
    /// More elements than whole vectors, from far to near.
    static let inputs: [Double] = (-75...75).map { pow(Double($0) / 10, 3) } + [-3, 3, 6, 0, 708.5, -708.5]

    @Test("x σ(x) is its definition, to the last digits")
    func sigmoidLinear() {
        let ones = Self.inputs.map { _ in 1.0 }
        let zeros = Self.inputs.map { _ in 0.0 }
        var (value, slope, curvature) = (zeros, zeros, zeros)
        rr_activation_apply_double(RR_ACTIVATION_SIGMOID_LINEAR, Self.inputs, &value, value.count)
        rr_activation_scale_double(RR_ACTIVATION_SIGMOID_LINEAR, Self.inputs, ones, &slope, value.count)
        rr_activation_bend_double(
            RR_ACTIVATION_SIGMOID_LINEAR, Self.inputs, zeros, ones, ones, &curvature, value.count)
        for (index, x) in Self.inputs.enumerated() {
            let (sigmoid, complement) = (1 / (1 + exp(-x)), 1 / (1 + exp(x)))
            let product = sigmoid * complement
            #expect((value[index] - x * sigmoid).magnitude <= 1e-15 * (x * sigmoid).magnitude + 1e-300)
            #expect((slope[index] - (sigmoid + x * product)).magnitude <= 1e-15)
            #expect((curvature[index] - product * (2 + x * (complement - sigmoid))).magnitude <= 1e-15)
        }
    }

    @Test(
        "a part of the elements has the bytes that it has in the whole",
        arguments: [
            RR_ACTIVATION_SIGMOID_LINEAR, RR_ACTIVATION_CLIPPED_RECTIFIER, RR_ACTIVATION_HARD_SIGMOID_LINEAR,
        ])
    func parts(activation: rr_activation) {
        let inputs = Self.inputs.map { Float($0) }
        var (whole, single) = (inputs, inputs)
        rr_activation_bend_float(activation, inputs, inputs, inputs, inputs, &whole, inputs.count)
        for index in inputs.indices {
            var (input, result) = (inputs[index], Float(0))
            rr_activation_bend_float(activation, &input, &input, &input, &input, &result, 1)
            single[index] = result
        }
        #expect(whole.map(\.bitPattern) == single.map(\.bitPattern))
    }

    @Test("a clipped rectifier and a hard sigmoid are exact, at their kinks too")
    func piecewise() {
        let inputs = Self.inputs.map { Float($0) }
        var (value, slope) = (inputs, inputs)
        let ones = inputs.map { _ in Float(1) }
        rr_activation_apply_float(RR_ACTIVATION_CLIPPED_RECTIFIER, inputs, &value, inputs.count)
        rr_activation_scale_float(RR_ACTIVATION_CLIPPED_RECTIFIER, inputs, ones, &slope, inputs.count)
        #expect(value == inputs.map { min(max($0, 0), 6) })
        #expect(slope == inputs.map { $0 > 0 && $0 < 6 ? 1 : 0 })
        rr_activation_apply_float(RR_ACTIVATION_HARD_SIGMOID_LINEAR, inputs, &value, inputs.count)
        rr_activation_scale_float(RR_ACTIVATION_HARD_SIGMOID_LINEAR, inputs, ones, &slope, inputs.count)
        #expect(value == inputs.map { x in Float(Double(x) * min(max(Double(x) + 3, 0), 6) / 6) })
        #expect(slope == inputs.map { x in x <= -3 ? 0 : x < 3 ? Float(Double(x) / 3 + 0.5) : 1 })
    }

    @Test(
        "what is not a number stays so",
        arguments: [
            RR_ACTIVATION_SIGMOID_LINEAR, RR_ACTIVATION_CLIPPED_RECTIFIER, RR_ACTIVATION_HARD_SIGMOID_LINEAR,
        ])
    func notANumber(activation: rr_activation) {
        var value: Float = 0
        var input = Float.nan
        rr_activation_apply_float(activation, &input, &value, 1)
        #expect(value.isNaN)
    }
}
