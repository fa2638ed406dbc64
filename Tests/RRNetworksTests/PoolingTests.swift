import RRNetworks
import RRTensor
import Testing

@Suite("Pooling")
struct PoolingTests {
    static let input = (channels: 2, height: 5, width: 7)

    static let maximumOptions: [LayerDescription.Pooling] = [
        .init(kernel: 2), .init(kernel: 3, stride: 1, padding: 1), .init(kernel: 3, stride: 2),
        .init(kernel: 2, ceilMode: true), .init(kernel: 2, stride: 3, padding: 1, ceilMode: true),
        .init(kernel: 3, stride: 3, ceilMode: true), .init(kernel: 1, stride: 3, ceilMode: true),
        .init(kernel: 6, stride: 2, ceilMode: true), .init(kernel: 5, stride: 4, padding: 2, ceilMode: true),
        .init(kernel: .init(height: 2, width: 3), stride: .init(height: 1, width: 2)),
        .init(
            kernel: .init(height: 4, width: 2), stride: .init(height: 2, width: 3),
            padding: .init(top: 2, bottom: 1, left: 0, right: 1), ceilMode: true),
    ]

    static let dilatedOptions: [LayerDescription.Pooling] = [
        .init(kernel: 2, stride: 1, dilation: 2),
        .init(
            kernel: .init(height: 3, width: 2), stride: 2, padding: 1, dilation: .init(height: 1, width: 3)),
    ]

    static let averageOptions: [LayerDescription.AveragePooling] =
        maximumOptions.flatMap { options in
            [true, false].map { countIncludePad in
                .init(
                    kernel: options.kernel, stride: options.stride, padding: options.padding,
                    ceilMode: options.ceilMode, countIncludePad: countIncludePad)
            }
        } + [.init(kernel: 3, stride: 2, padding: 1, divisorOverride: 4)]

    static let adaptiveOptions: [LayerDescription.AdaptivePooling] = [
        .init(height: 1, width: 1), .init(height: 5, width: 7), .init(height: 2, width: 3),
        .init(height: 4, width: 4), .init(height: 6, width: 13),
    ]

    @Test(
        "a maximum pooling takes the largest element of each window",
        arguments: maximumOptions + dilatedOptions)
    func maximum(options: LayerDescription.Pooling) throws {
        try expect(.maxpool2d(options)) { plane in
            Self.windows(
                options.kernel, options.stride, options.padding, options.ceilMode, dilation: options.dilation
            ).map { window in
                window.compactMap { plane[$0.row, $0.column] }.max() ?? .nan
            }
        }
    }

    @Test(
        "an average pooling divides by the window without what lies beyond the padding",
        arguments: averageOptions)
    func average(options: LayerDescription.AveragePooling) throws {
        try expect(.avgpool2d(options)) { plane in
            Self.windows(options.kernel, options.stride, options.padding, options.ceilMode).map {
                window in
                let elements = window.compactMap { plane[$0.row, $0.column] }
                let inPadding = window.count {
                    let padding = options.padding
                    return (-padding.top..<Self.input.height + padding.bottom).contains($0.row)
                        && (-padding.left..<Self.input.width + padding.right).contains($0.column)
                }
                let count = options.countIncludePad ? inPadding : elements.count
                return elements.reduce(0, +) / Double(options.divisorOverride ?? count)
            }
        }
    }

    @Test(
        "an adaptive pooling's windows begin and end at the shares of the input", arguments: adaptiveOptions)
    func adaptive(options: LayerDescription.AdaptivePooling) throws {
        func windows(_ input: Int, _ output: Int) -> [Range<Int>] {
            (0..<output).map { index in
                let start = Double(index * input) / Double(output)
                let end = Double((index + 1) * input) / Double(output)
                return Int(start.rounded(.down))..<Int(end.rounded(.up))
            }
        }
        try expect(.adaptiveavgpool2d(options)) { plane in
            windows(Self.input.height, options.height).flatMap { rows in
                windows(Self.input.width, options.width).map { columns in
                    let elements = rows.flatMap { row in columns.compactMap { plane[row, $0] } }
                    return elements.reduce(0, +) / Double(elements.count)
                }
            }
        }
    }

    @Test("a global pooling is the mean of each channel")
    func global() throws {
        try expect(.globalavgpool) { plane in
            [plane.elements.reduce(0, +) / Double(plane.elements.count)]
        }
    }

    @Test("of equal elements the first is chosen, in the tangent and in both reverse passes")
    func ties() throws {
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 2, width: 2), classCount: 1,
                layers: [.maxpool2d(.init(kernel: 2)), .flatten]))
        let pass = GroupPass(network: network, capacity: 1)
        pass.load([0.25, 1, 1, 1], samples: [0])
        pass.forward([0])
        pass.logitCotangent[0] = 3
        pass.reverse([0])
        let columns = pass.columnCount
        #expect((0..<4).map { pass.inputCotangent[$0 * columns] } == [0, 3, 0, 0])
        for element in 0..<4 { pass.inputTangent[element * columns] = Double(element + 4) }
        pass.tangent([0])
        #expect(pass.logitTangent[0] == 5)
    }

    @Test(
        "a maximum of nothing is refused: dilated windows may miss the input",
        arguments: [
            // Its only window has rows −1 and 1 of a map of one row.
            (
                1, 3,
                LayerDescription.Pooling(
                    kernel: 2, stride: 3, padding: .init(top: 1, bottom: 1, left: 0, right: 0),
                    dilation: 2)
            ),
            // Its first windows have columns −1 and 2 of a map of two columns.
            (4, 2, .init(kernel: 2, stride: 1, padding: 1, dilation: .init(height: 1, width: 3))),
        ])
    func emptyWindows(height: Int, width: Int, options: LayerDescription.Pooling) throws {
        let error = #expect(throws: NetworkError.self) {
            try Network<Float>(
                ModelDescription(
                    input: ImageShape(channels: 1, height: height, width: width), classCount: 2,
                    layers: [.maxpool2d(options), .flatten, .linear(.init(out: 2))]))
        }
        #expect(error?.location == "layers[0] (maxpool2d)")
        #expect(error?.message.contains("has nothing of the input") == true)
    }

    /// Compares a pooling with its definition, its tangent with the difference of two outputs, and its reverse
    /// pass with its tangent: ⟨ż, δz⟩ = ⟨ẋ, δx⟩.
    private func expect(_ layer: LayerDescription, is definition: (Plane) -> [Double]) throws {
        let shape = try ImageShape(
            channels: Self.input.channels, height: Self.input.height, width: Self.input.width)
        // As many as fill a vector, so that no column is idle.
        let sampleCount = 16
        var generator = SplitMix64(seed: 3)
        let images = (0..<sampleCount * shape.elementCount).map { _ in Float(generator.nextUnit() - 0.5) }
        let planes = stride(from: 0, to: images.count, by: shape.pixelCount).map {
            Plane(elements: images[$0..<$0 + shape.pixelCount].map(Double.init))
        }
        let expected = planes.map(definition)
        let features = expected.count / sampleCount * expected[0].count
        let network = try Network<Double>(
            ModelDescription(input: shape, classCount: features, layers: [layer, .flatten]))
        let pass = GroupPass(network: network, capacity: sampleCount)
        pass.load(SharedElements(images), samples: Array(0..<sampleCount)[...])
        pass.forward([0])
        let outputs = (0..<features * sampleCount).map { pass.logits[$0] }
        for sample in 0..<sampleCount {
            let values = expected[sample * shape.channels..<(sample + 1) * shape.channels].joined()
            for (feature, value) in values.enumerated() {
                #expect((outputs[feature * sampleCount + sample] - value).magnitude < 1e-14)
            }
        }

        let inputs = (0..<images.count).map { pass.input[$0] }
        let direction = inputs.map { _ in generator.nextUnit() - 0.5 }
        for (index, element) in direction.enumerated() { pass.inputTangent[index] = element }
        for index in outputs.indices { pass.logitCotangent[index] = generator.nextUnit() - 0.5 }
        pass.tangent([0])
        pass.reverse([0])
        let tangents = outputs.indices.map { pass.logitTangent[$0] }
        let outer = outputs.indices.reduce(0) { $0 + tangents[$1] * pass.logitCotangent[$1] }
        let inner = direction.indices.reduce(0) { $0 + direction[$1] * pass.inputCotangent[$1] }
        #expect((outer - inner).magnitude < 1e-12)

        // No maximum moves to another element on so short a way.
        let step = 1e-6
        for (index, element) in direction.enumerated() { pass.input[index] = inputs[index] + step * element }
        pass.forward([0])
        for index in outputs.indices {
            #expect(((pass.logits[index] - outputs[index]) / step - tangents[index]).magnitude < 1e-8)
        }
    }

    /// The positions under each window, those outside the image included, by PyTorch's rules: a window lies in
    /// the padded image, or, in ceil mode, it starts in the image or the padding before it and the window
    /// before it did not yet reach the end.
    private static func windows(
        _ kernel: Extents, _ stride: Extents, _ padding: Padding, _ ceilMode: Bool, dilation: Extents = 1
    ) -> [[(row: Int, column: Int)]] {
        func starts(_ extent: Int, _ kernel: Int, _ stride: Int, _ before: Int, _ after: Int) -> [Int] {
            Swift.stride(from: -before, to: extent, by: stride).filter { start in
                let end = extent + after
                return start + kernel <= end || ceilMode && start - stride + kernel < end
            }
        }
        let rows = starts(
            input.height, (kernel.height - 1) * dilation.height + 1, stride.height, padding.top,
            padding.bottom)
        let columns = starts(
            input.width, (kernel.width - 1) * dilation.width + 1, stride.width, padding.left, padding.right)
        return rows.flatMap { top in
            columns.map { left in
                (0..<kernel.height * kernel.width).map {
                    (top + $0 / kernel.width * dilation.height, left + $0 % kernel.width * dilation.width)
                }
            }
        }
    }
}

/// One channel of one sample.
private struct Plane {
    let elements: [Double]

    /// Nil outside the image.
    subscript(row: Int, column: Int) -> Double? {
        let (height, width) = (PoolingTests.input.height, PoolingTests.input.width)
        guard (0..<height).contains(row), (0..<width).contains(column) else { return nil }
        return elements[row * width + column]
    }
}
