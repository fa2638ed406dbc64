import RRNetworks
import RRTensor
import Testing

@Suite("Convolution")
struct ConvolutionTests {
    static let options: [LayerDescription.Convolution] = [
        .init(out: 4, kernel: 3), .init(out: 4, kernel: 3, padding: 1), .init(out: 4, kernel: 1),
        .init(out: 4, kernel: 1, stride: 2), .init(out: 4, kernel: 3, stride: 2, padding: 1),
        .init(out: 4, kernel: 2, padding: 2, dilation: 3), .init(out: 4, kernel: 3, padding: 1, groups: 2),
        .init(out: 6, kernel: 1, groups: 2), .init(out: 4, kernel: 5, stride: 3, padding: 4, bias: false),
        .init(
            out: 4, kernel: .init(height: 1, width: 4), padding: .init(top: 2, bottom: 0, left: 1, right: 3)),
        .init(
            out: 4, kernel: .init(height: 3, width: 2), stride: .init(height: 1, width: 2),
            padding: .init(top: 0, bottom: 2, left: 1, right: 0), dilation: .init(height: 2, width: 1),
            groups: 2),
    ]

    @Test("a convolution is the sum that defines it", arguments: options)
    func definition(options: LayerDescription.Convolution) throws {
        let input = try ImageShape(channels: 4, height: 7, width: 6)
        let sampleCount = 3
        var generator = SplitMix64(seed: 3)
        let images = (0..<sampleCount * input.elementCount).map { _ in Float(generator.nextUnit()) }
        let expected = Self.direct(options, input, images, sampleCount)
        let features = expected.count / sampleCount
        // The identity behind the convolution makes its output the logits.
        let network = try Network<Double>(
            ModelDescription(
                input: input, classCount: features,
                layers: [.conv2d(options), .flatten, .linear(.init(out: features, bias: false))]))
        var values = Self.weights(options, input)
        values += (0..<features * features).map { $0 / features == $0 % features ? 1 : 0 }
        #expect(values.count == network.parameterLayout.count)
        let pass = GroupPass(network: network, capacity: sampleCount)
        pass.load(SharedElements(images), samples: [0, 1, 2])
        pass.forward(values)
        for sample in 0..<sampleCount {
            for feature in 0..<features {
                let difference =
                    pass.logits[feature * pass.columnCount + sample] - expected[sample * features + feature]
                #expect(difference.magnitude < 1e-12)
            }
        }
    }

    private static func weights(_ options: LayerDescription.Convolution, _ input: ImageShape) -> [Double] {
        let count =
            options.out * input.channels / options.groups * options.kernel.height * options.kernel.width
            + (options.bias ? options.out : 0)
        var generator = SplitMix64(seed: 9)
        return (0..<count).map { _ in generator.nextUnit() - 0.5 }
    }

    private static func direct(
        _ options: LayerDescription.Convolution, _ input: ImageShape, _ images: [Float], _ sampleCount: Int
    ) -> [Double] {
        let padding = options.padding
        let rows =
            input.height + padding.top + padding.bottom - options.dilation.height
            * (options.kernel.height - 1)
        let columns =
            input.width + padding.left + padding.right - options.dilation.width * (options.kernel.width - 1)
        let height = (rows - 1) / options.stride.height + 1
        let width = (columns - 1) / options.stride.width + 1
        let weights = weights(options, input)
        let inputs = input.channels / options.groups
        let kernelArea = options.kernel.height * options.kernel.width
        var result: [Double] = []
        for sample in 0..<sampleCount {
            for out in 0..<options.out {
                let firstChannel = out / (options.out / options.groups) * inputs
                for row in 0..<height {
                    for column in 0..<width {
                        var sum = options.bias ? weights[options.out * inputs * kernelArea + out] : 0
                        for channel in 0..<inputs {
                            for kernelIndex in 0..<kernelArea {
                                let y =
                                    row * options.stride.height - padding.top
                                    + kernelIndex / options.kernel.width * options.dilation.height
                                let x =
                                    column * options.stride.width - padding.left
                                    + kernelIndex % options.kernel.width * options.dilation.width
                                guard (0..<input.height).contains(y), (0..<input.width).contains(x) else {
                                    continue
                                }
                                let plane = sample * input.channels + firstChannel + channel
                                let pixel = images[(plane * input.height + y) * input.width + x]
                                sum +=
                                    Double(pixel)
                                    * weights[(out * inputs + channel) * kernelArea + kernelIndex]
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }
}
