import CConvolution
import RRTensor
import Testing

@Suite("The kernels of convolution, in every version that this processor has")
struct ConvolutionKernelTests {
    static let versions = [RR_CONVOLUTION_GENERIC, RR_CONVOLUTION_AVX2, RR_CONVOLUTION_AVX512].filter {
        $0.rawValue <= rr_convolution_best_version().rawValue
    }

    /// Kernel, stride, padding, dilation, channels, outputs and samples; outputs of every block size, samples that fill
    /// the widest vectors, samples that fill half of them, and so few that vectors run over pixels.
    static let shapes: [[Int]] =
        oneGeometry.flatMap { options in [16, 24, 1, 2, 7].map { options + [$0] } } + fewSamples

    private static let oneGeometry: [[Int]] = [
        [3, 1, 1, 1, 2, 12], [3, 1, 0, 1, 3, 27], [5, 1, 0, 1, 1, 20], [5, 2, 3, 1, 2, 7],
        [1, 1, 0, 1, 3, 13],
        [1, 2, 0, 1, 2, 3], [2, 3, 1, 2, 2, 5], [7, 1, 3, 1, 2, 6], [3, 1, 2, 2, 1, 9],
    ]

    /// More padding than kernel, outputs whose weight gradients come from unfolded columns, and more channels or outputs
    /// than one band of rows holds.
    private static let fewSamples: [[Int]] = [
        [1, 1, 2, 1, 2, 3, 2], [2, 4, 3, 1, 2, 3, 3], [3, 1, 1, 1, 5, 35, 2], [3, 2, 1, 1, 5, 35, 1],
        [3, 1, 1, 1, 300, 2, 5], [3, 2, 1, 1, 2, 300, 7], [1, 1, 0, 1, 300, 34, 1],
    ]

    private let height = 8

    /// Seven samples have so wide rows that weight gradients take several bands.
    private func width(_ options: [Int]) -> Int { options[6] == 7 ? 23 : 9 }

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
            groups: 1, channels: options[4], height: height, width: width(options), outputs: options[5],
            output_height: output(height, rows, after: rows.padding),
            output_width: output(
                width(options), columns, after: isTall ? columns.padding / 2 : columns.padding),
            rows: rows, columns: columns, samples: options[6], version: version, is_transpose: false,
            may_transform: false,
            share: 0,
            shares: 1)
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
                        guard (0..<height).contains(y), (0..<shape.width).contains(x) else { continue }
                        body(
                            (output * shape.channels + channel) * shape.rows.kernel * shape.columns.kernel
                                + tap,
                            (channel * height + y) * shape.width + x,
                            output * shape.output_height * shape.output_width + position)
                    }
                }
            }
        }
    }

    @Test("the output is the sum that defines it", arguments: versions, shapes)
    func convolve(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: [2, 5, 7, 24].contains(options[6]))
        let samples = options[6]
        let outputCount = shape.outputs * shape.output_height * shape.output_width
        let input = random(shape.channels * height * shape.width * samples, seed: 1)
        let weights = random(weightCount(shape), seed: 2)
        let bias = random(shape.outputs, seed: 3)
        var expected = (0..<outputCount * samples).map { bias[$0 / samples / (outputCount / shape.outputs)] }
        forEachProduct(shape) { weight, pixel, position in
            for sample in 0..<samples {
                expected[position * samples + sample] += weights[weight] * input[pixel * samples + sample]
            }
        }
        // Whatever the memory holds has no effect.
        var packed = Array(repeating: Double.nan, count: rr_convolution_packed_count(&shape))
        var output = expected.map { _ in Double.nan }
        rr_convolve_double(&shape, input, weights, bias, &packed, &output)
        #expect(zip(output, expected).allSatisfy { ($0 - $1).magnitude < 1e-12 })

        var packedSingle = packed.map { _ in Float.nan }
        var single = expected.map { _ in Float.nan }
        rr_convolve_float(
            &shape, input.map { Float($0) }, weights.map { Float($0) }, bias.map { Float($0) }, &packedSingle,
            &single)
        #expect(zip(single, expected).allSatisfy { (Double($0) - $1).magnitude < tolerance(shape) })
    }

    /// For a sum of so many products in single precision.
    private func tolerance(_ shape: rr_convolution) -> Double {
        1e-5 + 3e-8 * Double(max(shape.channels, shape.outputs) * shape.rows.kernel * shape.columns.kernel)
    }

    private func weightCount(_ shape: rr_convolution) -> Int {
        shape.outputs * shape.channels * shape.rows.kernel * shape.columns.kernel
    }

    @Test("the weight gradient is added to what is there", arguments: versions, shapes)
    func gradient(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: [2, 5, 7, 24].contains(options[6]))
        let samples = options[6]
        let input = random(shape.channels * height * shape.width * samples, seed: 1)
        let cotangent = random(shape.outputs * shape.output_height * shape.output_width * samples, seed: 4)
        let start = random(weightCount(shape), seed: 5)
        var expected = start
        forEachProduct(shape) { weight, pixel, position in
            for sample in 0..<samples {
                expected[weight] += cotangent[position * samples + sample] * input[pixel * samples + sample]
            }
        }
        var sums = Array(repeating: Double.nan, count: rr_convolution_sums_count(&shape))
        var gradient = start
        rr_convolution_add_gradient_double(&shape, input, cotangent, &sums, &gradient)
        #expect(zip(gradient, expected).allSatisfy { ($0 - $1).magnitude < 1e-11 })

        var singleSums = sums.map { _ in Float.nan }
        var single = start.map { Float($0) }
        rr_convolution_add_gradient_float(
            &shape, input.map { Float($0) }, cotangent.map { Float($0) }, &singleSums, &single)
        #expect(zip(single, expected).allSatisfy { (Double($0) - $1).magnitude < 2e-3 })
    }

    @Test("the transpose takes a cotangent back to the input", arguments: versions, shapes)
    func transposed(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: true)
        let samples = options[6]
        let cotangent = random(shape.outputs * shape.output_height * shape.output_width * samples, seed: 6)
        let weights = random(weightCount(shape), seed: 7)
        var expected = Array(repeating: 0.0, count: shape.channels * height * shape.width * samples)
        forEachProduct(shape) { weight, pixel, position in
            for sample in 0..<samples {
                expected[pixel * samples + sample] += weights[weight] * cotangent[position * samples + sample]
            }
        }
        var packed = Array(repeating: Double.nan, count: rr_convolution_packed_count(&shape))
        var result = expected.map { _ in Double.nan }
        shape.is_transpose = true
        rr_convolve_double(&shape, cotangent, weights, nil, &packed, &result)
        #expect(zip(result, expected).allSatisfy { ($0 - $1).magnitude < 1e-12 })

        var packedSingle = packed.map { _ in Float.nan }
        var single = expected.map { _ in Float.nan }
        rr_convolve_float(
            &shape, cotangent.map { Float($0) }, weights.map { Float($0) }, nil, &packedSingle, &single)
        #expect(zip(single, expected).allSatisfy { (Double($0) - $1).magnitude < tolerance(shape) })
    }

    /// Every share of every pass of a convolution, written into one result: of double and of float.
    private func passes(
        _ shape: rr_convolution, shares: Int
    ) -> (results: [[Double]], singleResults: [[Float]]) {
        let samples = shape.samples
        let inputCount = shape.groups * shape.channels * height * shape.width * samples
        let outputCount = shape.groups * shape.outputs * shape.output_height * shape.output_width * samples
        let weights = random(shape.groups * weightCount(shape), seed: 2)
        let (input, output) = (random(inputCount, seed: 1), random(outputCount, seed: 4))
        let bias = random(shape.groups * shape.outputs, seed: 3)
        var (forward, back) = (output.map { _ in Double.nan }, input.map { _ in Double.nan })
        var gradient = weights
        var (single, singleBack) = (output.map { _ in Float.nan }, input.map { _ in Float.nan })
        var singleGradient = weights.map { Float($0) }
        let (singleInput, singleOutput) = (input.map { Float($0) }, output.map { Float($0) })
        let (singleWeights, singleBias) = (weights.map { Float($0) }, bias.map { Float($0) })
        var shape = shape
        let count = max(rr_convolution_packed_count(&shape), rr_convolution_sums_count(&shape))
        for share in 0..<shares {
            shape.share = share
            shape.shares = shares
            var memory = Array(repeating: Double.nan, count: count)
            var singleMemory = Array(repeating: Float.nan, count: count)
            shape.is_transpose = false
            rr_convolve_double(&shape, input, weights, bias, &memory, &forward)
            rr_convolve_float(&shape, singleInput, singleWeights, singleBias, &singleMemory, &single)
            rr_convolution_add_gradient_double(&shape, input, output, &memory, &gradient)
            rr_convolution_add_gradient_float(
                &shape, singleInput, singleOutput, &singleMemory, &singleGradient)
            shape.is_transpose = true
            rr_convolve_double(&shape, output, weights, nil, &memory, &back)
            rr_convolve_float(&shape, singleOutput, singleWeights, nil, &singleMemory, &singleBack)
        }
        return ([forward, gradient, back], [single, singleGradient, singleBack])
    }

    @Test("shares have the bytes of the whole, however many", arguments: versions, shapes)
    func shares(version: rr_convolution_version, options: [Int]) {
        var shape = shape(options, version, isTall: options[6] == 2)
        for groups in [1, 3] {
            shape.groups = groups
            let whole = passes(shape, shares: 1)
            #expect(whole.results.allSatisfy { $0.allSatisfy(\.isFinite) })
            for shares in [3, 64] {
                let parts = passes(shape, shares: shares)
                #expect(parts.results == whole.results)
                #expect(parts.singleResults == whole.singleResults)
            }
        }
    }

    /// Channels, outputs, height, width, padding along the height and the width, and samples.
    static let tiled: [[Int]] = [
        [16, 16, 20, 9, 1, 1, 1], [17, 27, 23, 12, 1, 0, 2], [40, 19, 22, 7, 0, 2, 3],
        [16, 33, 21, 30, 2, 1, 5],
    ]

    private func tiledShape(_ options: [Int], _ version: rr_convolution_version) -> rr_convolution {
        func axis(_ padding: Int) -> rr_convolution_axis {
            rr_convolution_axis(kernel: 3, stride: 1, padding: padding, dilation: 1)
        }
        return rr_convolution(
            groups: 1, channels: options[0], height: options[2], width: options[3], outputs: options[1],
            output_height: options[2] + 2 * options[4] - 2, output_width: options[3] + 2 * options[5] - 2,
            rows: axis(options[4]), columns: axis(options[5]), samples: options[6], version: version,
            is_transpose: false, may_transform: true, share: 0, shares: 1)
    }

    /// Both ways through a convolution in single precision, in shares.
    private func bothWays(_ shape: rr_convolution, shares: Int) -> [[Float]] {
        var shape = shape
        let samples = shape.samples
        let inputCount = shape.channels * shape.height * shape.width * samples
        let outputCount = shape.outputs * shape.output_height * shape.output_width * samples
        let weights = random(weightCount(shape), seed: 2).map { Float($0) }
        let bias = random(shape.outputs, seed: 3).map { Float($0) }
        let (input, output) = (
            random(inputCount, seed: 1).map { Float($0) }, random(outputCount, seed: 4).map { Float($0) }
        )
        var (forward, back) = (output.map { _ in Float.nan }, input.map { _ in Float.nan })
        for share in 0..<shares {
            shape.share = share
            shape.shares = shares
            var memory = Array(repeating: Float.nan, count: rr_convolution_packed_count(&shape))
            shape.is_transpose = false
            rr_convolve_float(&shape, input, weights, bias, &memory, &forward)
            shape.is_transpose = true
            rr_convolve_float(&shape, output, weights, nil, &memory, &back)
        }
        return [forward, back]
    }

    @Test(
        "fewer products give the sums to within their bound, and shares the bytes of the whole",
        arguments: versions, tiled)
    func tiles(version: rr_convolution_version, options: [Int]) {
        var exact = tiledShape(options, version)
        let whole = bothWays(exact, shares: 1)
        exact.may_transform = false
        for (results, sums) in zip(whole, bothWays(exact, shares: 1)) {
            let largest = sums.reduce(0) { max($0, $1.magnitude) }
            let distances = zip(results, sums).map { ($0 - $1).magnitude }
            #expect(distances.allSatisfy { $0 <= 4e-6 * largest })
            #expect(distances.contains { $0 > 0 }, "they are not the sums themselves")
        }
        for shares in [2, 5, 64] {
            #expect(bothWays(tiledShape(options, version), shares: shares) == whole)
        }
    }

    @Test("memory for so many samples is enough for fewer", arguments: shapes)
    func memory(options: [Int]) {
        var most = shape(options, rr_convolution_best_version())
        let counts = (rr_convolution_packed_count(&most), rr_convolution_sums_count(&most))
        for samples in 1...max(options[6], 1) where samples % 8 == 0 || options[6] < 8 {
            var fewer = most
            fewer.samples = samples
            #expect(rr_convolution_packed_count(&fewer) <= counts.0)
            #expect(rr_convolution_sums_count(&fewer) <= counts.1)
        }
    }
}
