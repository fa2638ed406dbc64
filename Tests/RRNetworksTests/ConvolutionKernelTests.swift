import CConvolution
import RRTensor
import Testing

@Suite("The kernels of convolution, in every version that this processor has")
struct ConvolutionKernelTests {
    static let versions = [RR_CONVOLUTION_GENERIC, RR_CONVOLUTION_AVX2, RR_CONVOLUTION_AVX512].filter {
        $0.rawValue <= rr_convolution_best_version().rawValue
    }

    /// Kernel, stride, padding, dilation, channels, outputs and samples; outputs of every block size, samples that fill
    /// the widest vectors and samples that fill half of them.
    static let shapes = [
        [3, 1, 1, 1, 2, 12], [3, 1, 0, 1, 3, 27], [5, 1, 0, 1, 1, 20], [5, 2, 3, 1, 2, 7],
        [1, 1, 0, 1, 3, 13],
        [1, 2, 0, 1, 2, 3], [2, 3, 1, 2, 2, 5], [7, 1, 3, 1, 2, 6], [3, 1, 2, 2, 1, 9],
    ].flatMap { [$0 + [16], $0 + [24]] }

    private let height = 8
    private let width = 9

    /// Along the width the padding is larger before the input than after it; where `isTall`, the kernel is by two longer
    /// along the height.
    private func shape(
        _ options: [Int], _ version: rr_convolution_version, isTall: Bool = false
    ) -> rr_convolution {
        func axis(_ kernel: Int) -> rr_convolution_axis {
            rr_convolution_axis(
                kernel: kernel, stride: options[1], padding: options[2], dilation: options[3])
        }
        func output(_ extent: Int, _ axis: rr_convolution_axis, after: Int) -> Int {
            (extent + axis.padding + after - axis.dilation * (axis.kernel - 1) - 1) / axis.stride + 1
        }
        let (rows, columns) = (axis(options[0] + (isTall ? 2 : 0)), axis(options[0]))
        return rr_convolution(
            groups: 1, channels: options[4], height: height, width: width, outputs: options[5],
            output_height: output(height, rows, after: rows.padding),
            output_width: output(width, columns, after: isTall ? columns.padding / 2 : columns.padding),
            rows: rows, columns: columns, samples: options[6], version: version, is_transpose: false)
    }

    private func random(_ count: Int, seed: UInt64) -> [Double] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in generator.nextUnit() - 0.5 }
    }

    /// Visits every product of the convolution: the weight, the input pixel and the output pixel.
    private func forEachProduct(
        _ shape: rr_convolution, _ body: (_ weight: Int, _ input: Int, _ output: Int) -> Void
    ) {
        for output in 0..<shape.outputs {
            for channel in 0..<shape.channels {
                for tap in 0..<shape.rows.kernel * shape.columns.kernel {
                    for position in 0..<shape.output_height * shape.output_width {
                        let y =
                            position / shape.output_width * shape.rows.stride - shape.rows.padding
                            + tap / shape.columns.kernel * shape.rows.dilation
                        let x =
                            position % shape.output_width * shape.columns.stride - shape.columns.padding
                            + tap % shape.columns.kernel * shape.columns.dilation
                        guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
                        body(
                            (output * shape.channels + channel) * shape.rows.kernel * shape.columns.kernel
                                + tap,
                            (channel * height + y) * width + x,
                            output * shape.output_height * shape.output_width + position)
                    }
                }
            }
        }
    }

    @Test("the output is the sum that defines it", arguments: versions, shapes)
    func convolve(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: options[6] == 24)
        let samples = options[6]
        let outputCount = shape.outputs * shape.output_height * shape.output_width
        let input = random(shape.channels * height * width * samples, seed: 1)
        let weights = random(rr_convolution_packed_count(&shape), seed: 2)
        let bias = random(shape.outputs, seed: 3)
        var expected = (0..<outputCount * samples).map { bias[$0 / samples / (outputCount / shape.outputs)] }
        forEachProduct(shape) { weight, pixel, position in
            for sample in 0..<samples {
                expected[position * samples + sample] += weights[weight] * input[pixel * samples + sample]
            }
        }
        var packed = weights
        var output = expected.map { _ in Double.nan }
        rr_convolve_double(&shape, input, weights, bias, &packed, &output)
        #expect(zip(output, expected).allSatisfy { ($0 - $1).magnitude < 1e-13 })

        var packedSingle = weights.map { Float($0) }
        var single = expected.map { _ in Float.nan }
        rr_convolve_float(
            &shape, input.map { Float($0) }, weights.map { Float($0) }, bias.map { Float($0) }, &packedSingle,
            &single)
        #expect(zip(single, expected).allSatisfy { (Double($0) - $1).magnitude < 1e-5 })
    }

    @Test("the weight gradient is added to what is there", arguments: versions, shapes)
    func gradient(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: options[6] == 24)
        let samples = options[6]
        let input = random(shape.channels * height * width * samples, seed: 1)
        let cotangent = random(shape.outputs * shape.output_height * shape.output_width * samples, seed: 4)
        let start = random(rr_convolution_packed_count(&shape), seed: 5)
        var expected = start
        forEachProduct(shape) { weight, pixel, position in
            for sample in 0..<samples {
                expected[weight] += cotangent[position * samples + sample] * input[pixel * samples + sample]
            }
        }
        var sums = Array(repeating: 0.0, count: rr_convolution_sums_count(&shape))
        var gradient = start
        rr_convolution_add_gradient_double(&shape, input, cotangent, &sums, &gradient)
        #expect(zip(gradient, expected).allSatisfy { ($0 - $1).magnitude < 1e-11 })

        var singleSums = sums.map { _ in Float(0) }
        var single = start.map { Float($0) }
        rr_convolution_add_gradient_float(
            &shape, input.map { Float($0) }, cotangent.map { Float($0) }, &singleSums, &single)
        #expect(zip(single, expected).allSatisfy { (Double($0) - $1).magnitude < 2e-3 })
    }

    @Test(
        "with transposed weights it is the transpose of the convolution", arguments: versions,
        shapes.filter { $0[1] == 1 })
    func transposed(version: rr_convolution_version, options: [Int]) {
        func transposed(_ axis: rr_convolution_axis) -> rr_convolution_axis {
            rr_convolution_axis(
                kernel: axis.kernel, stride: 1, padding: axis.dilation * (axis.kernel - 1) - axis.padding,
                dilation: axis.dilation)
        }
        let forward = shape(options, version, isTall: true)
        let samples = options[6]
        var shape = rr_convolution(
            groups: 1, channels: forward.outputs, height: forward.output_height, width: forward.output_width,
            outputs: forward.channels, output_height: height, output_width: width,
            rows: transposed(forward.rows),
            columns: transposed(forward.columns), samples: samples, version: version, is_transpose: true)
        let cotangent = random(
            forward.outputs * forward.output_height * forward.output_width * samples, seed: 6)
        let weights = random(rr_convolution_packed_count(&shape), seed: 7)
        var expected = Array(repeating: 0.0, count: forward.channels * height * width * samples)
        forEachProduct(forward) { weight, pixel, position in
            for sample in 0..<samples {
                expected[pixel * samples + sample] += weights[weight] * cotangent[position * samples + sample]
            }
        }
        var packed = weights
        var result = expected.map { _ in Double.nan }
        rr_convolve_double(&shape, cotangent, weights, nil, &packed, &result)
        #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude < 1e-13 })
    }
}
