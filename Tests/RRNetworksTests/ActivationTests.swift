import Foundation
import RRNetworks
import RRTensor
import Testing

@Suite("Activations")
struct ActivationTests {
    static let smooth: [LayerDescription] = [
        .gelu(), .gelu(.tanh), .silu, .softplus(beta: 1), .softplus(beta: 2.5), .tanh, .sigmoid,
        .elu(),
    ]
    static let all = smooth + [.relu, .leakyrelu(), .leakyrelu(negativeSlope: 0.3), .elu(alpha: 0.3)]

    @Test("the first two derivatives are those of the value and of the first", arguments: smooth)
    func derivatives(layer: LayerDescription) throws {
        let step = 1e-5
        for x in stride(from: -6.0, through: 6, by: 0.37) {
            let (left, middle, right) = (
                try Jet(of: layer, at: x - step), try Jet(of: layer, at: x), try Jet(of: layer, at: x + step)
            )
            #expect((middle.slope - (right.value - left.value) / (2 * step)).magnitude < 1e-9)
            #expect((middle.curvature - (right.slope - left.slope) / (2 * step)).magnitude < 1e-9)
        }
    }

    @Test(
        "values are those of PyTorch's definitions",
        arguments: [
            (LayerDescription.leakyrelu(), -2, -0.02), (.leakyrelu(negativeSlope: 0.3), -2, -0.6),
            (.leakyrelu(), 2, 2), (.gelu(), 1, 0.841344746068543), (.gelu(), -1, -0.158655253931457),
            (.gelu(.tanh), 1, 0.841191990608277), (.silu, 1, 0.731058578630005),
            (.silu, -1, -0.268941421369995), (.softplus(beta: 1), 0, 0.693147180559945),
            (.softplus(beta: 2), 0, 0.346573590279973), (.tanh, 1, 0.761594155955765),
            (.sigmoid, 1, 0.731058578630005), (.elu(), -1, -0.632120558828558),
            (.elu(alpha: 0.3), -2, -0.259399415029016), (.elu(), 2, 2),
        ] as [(LayerDescription, Double, Double)])
    func values(layer: LayerDescription, x: Double, expected: Double) throws {
        #expect((try Jet(of: layer, at: x).value - expected).magnitude < 1e-14)
    }

    @Test("at a kink the derivative is the left one, as in PyTorch")
    func kinks() throws {
        #expect(try Jet(of: .relu, at: 0).slope == 0)
        #expect(try Jet(of: .leakyrelu(negativeSlope: 0.3), at: 0).slope == 0.3)
        #expect(try Jet(of: .leakyrelu(negativeSlope: 0.3), at: 1).slope == 1)
    }

    @Test("softplus is the identity where βx exceeds 20, and not yet at 20")
    func softplusThreshold() throws {
        let at = try Jet(of: .softplus(beta: 2), at: 10)
        #expect(at.value > 10 && at.slope < 1 && at.curvature > 0)
        let above = try Jet(of: .softplus(beta: 2), at: 10.001)
        #expect(above == Jet(value: 10.001, slope: 1, curvature: 0))
    }

    @Test("far from 0 everything stays finite", arguments: all)
    func extremes(layer: LayerDescription) throws {
        for x in [-1e4, -700, 700, 1e4] {
            let jet = try Jet(of: layer, at: x)
            #expect(jet.value.isFinite && jet.slope.isFinite && jet.curvature.isFinite, "at \(x)")
        }
    }
}

/// An activation's value and first two derivatives at one point, from the passes of a network of one unit.
private struct Jet: Equatable {
    let value: Double
    let slope: Double
    let curvature: Double

    init(value: Double, slope: Double, curvature: Double) {
        (self.value, self.slope, self.curvature) = (value, slope, curvature)
    }

    /// A unit of weight 1 has its bias as the activation's input, and the bias's gradient is ε there.
    init(of layer: LayerDescription, at x: Double) throws {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 1, width: 1), classCount: 1,
                layers: [.flatten, .linear(.init(out: 1)), layer]))
        let pass = GroupPass(network: network, capacity: 1)
        let parameters = [1, x]
        pass.load([0], samples: [0])
        pass.forward(parameters)
        pass.logitCotangent[0] = 1
        pass.reverse(parameters)
        pass.inputTangent[0] = 1
        pass.tangent(parameters)
        pass.logitAdjoint[0] = 0
        var gradient = [0.0, 0.0]
        gradient.withUnsafeMutableBufferPointer { gradient in
            guard let start = gradient.baseAddress else { return }
            pass.gradient(parameters, isSecondOrder: true, addingTo: start)
        }
        #expect(pass.logitTangent[0] == pass.inputCotangent[0])
        self.init(value: pass.logits[0], slope: pass.inputCotangent[0], curvature: gradient[1])
    }
}
