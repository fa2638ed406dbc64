public import RRTensor

/// A feature map that all of a network's input passes through: the output of an entry of the model's list of layers, or of a node of a
/// graph that is one.
///
/// An explanation may be about it in the input's place, since what lies behind it is a network of its own.
public struct FeatureMap: Hashable, Sendable {
    /// The layer by its position in the model, `layers[3]`, or `layers[0].nodes[17]`.
    public let location: String
    /// (C, H, W).
    public let shape: ImageShape
    /// Where its rows look, from top to bottom.
    public let rows: ReceptiveAxis
    /// Where its columns look, from left to right.
    public let columns: ReceptiveAxis
    /// The value of the graph.
    let value: Int
}

/// Where along one axis of the image the elements of a feature map look: the middle of what the element i sees lies at
/// start + i · step, in pixels from the first pixel's middle.
public struct ReceptiveAxis: Hashable, Sendable {
    /// The middle of what the first element sees, in pixels; below 0 where most of it is padding.
    public var start: Double
    /// The distance to the next element's, in pixels, above 0.
    public var step: Double

    /// That of the image itself, where nothing else is said.
    public init(start: Double = 0, step: Double = 1) {
        self.start = start
        self.step = step
    }

    /// The axis after a layer whose element i has the middle of what it sees of its own input at start + i · step.
    func followed(by next: ReceptiveAxis) -> ReceptiveAxis {
        ReceptiveAxis(start: start + step * next.start, step: step * next.step)
    }

    /// What each element is given of the pixels of a row or a column: the shares in which a window is made of them that goes half
    /// a step to either side of its middle, the first and the last to the image's edge. An element whose window lies outside
    /// the image is given the nearest pixel.
    ///
    /// - Returns: for each element, pixels and shares that add up to 1.
    package func shares(elementCount: Int, pixelCount: Int) -> [[(pixel: Int, share: Double)]] {
        (0..<elementCount).map { element in
            let middle = start + Double(element) * step
            // A pixel is as wide as the distance to the next.
            var window = (low: middle - step / 2 + 0.5, high: middle + step / 2 + 0.5)
            if element == 0 { window.low = min(window.low, 0) }
            if element == elementCount - 1 { window.high = max(window.high, Double(pixelCount)) }
            let first = min(max(Int(window.low.rounded(.down)), 0), pixelCount - 1)
            let last = min(max(Int(window.high.rounded(.up)) - 1, first), pixelCount - 1)
            var shares = (first...last).map { pixel in
                let overlap =
                    min(window.high, Double(pixel + 1)) - max(window.low, Double(pixel))
                return (pixel: pixel, share: max(overlap, 0))
            }
            let sum = shares.reduce(0) { $0 + $1.share }
            guard sum > 0 else { return [(window.low < 0 ? 0 : pixelCount - 1, 1)] }
            for index in shares.indices { shares[index].share /= sum }
            return shares.filter { $0.share > 0 }
        }
    }
}

extension WindowAxis {
    /// The middles of the windows.
    var receptive: ReceptiveAxis {
        ReceptiveAxis(start: Double(dilation * (kernel - 1)) / 2 - Double(padding), step: Double(stride))
    }
}

extension PoolingAxis {
    /// The middles of the windows; of adaptive ones as if all were as wide as the mean.
    var receptive: ReceptiveAxis {
        switch placement {
        case .even(let axis, _): return axis.receptive
        case .adaptive(let output):
            let width = Double(input) / Double(output)
            return ReceptiveAxis(start: (width - 1) / 2, step: width)
        }
    }
}

extension Network {
    /// The layers whose output `featureMap(of:)` gives, by their names.
    package var featureMapNames: [String] {
        graph.stages.filter { $0.isMap && !$0.continues }.map(\.name)
    }

    /// The feature map of a layer, after the normalisations and activations that follow it.
    ///
    /// - Parameter layer: an entry of the model's list, or a node of a graph in it that all later nodes depend on alone, by its
    ///   position, `layers[3]` or `layers[0].nodes[17]`, or by its name, of which the last entry under it is taken: `layer4` of a
    ///   ResNet is `layer4.1`. nil for the last that holds a convolution.
    /// - Throws: `NetworkError` with the code `unknownLayer` where there is no such layer, or its output is no map.
    public func featureMap(of layer: String? = nil) throws(NetworkError) -> FeatureMap {
        let stages = graph.stages
        func refusal(_ message: String) -> NetworkError {
            let names = featureMapNames
            let remedy =
                names.isEmpty
                ? "none of its layers gives maps of more than one pixel"
                : "those with maps are \(names.joined(separator: ", "))"
            return NetworkError(.unknownLayer, layer ?? "layers", "\(message): \(remedy)")
        }
        let chosen: Int?
        if let layer {
            chosen =
                stages.lastIndex { $0.location == layer || $0.name == layer }
                ?? stages.lastIndex { $0.name.hasPrefix("\(layer).") }
                ?? stages.lastIndex { stage in
                    !stage.innerNames.isEmpty
                        && stage.innerNames.allSatisfy { $0.hasPrefix("\(layer).") }
                }
        } else {
            chosen = stages.lastIndex { $0.isMap && $0.holdsConvolution }
        }
        guard var index = chosen else {
            throw refusal(
                layer == nil
                    ? "the model has no map behind a convolution" : "the model has no such layer in its list")
        }
        guard stages[index].isMap else { throw refusal("its output is no map of more than one pixel") }
        while index + 1 < stages.count, stages[index + 1].continues { index += 1 }
        let stage = stages[index]
        return FeatureMap(
            location: stage.location, shape: graph.values[stage.value].shape, rows: stage.rows,
            columns: stage.columns, value: stage.value)
    }
}

extension LayerGraph {
    /// An entry of the model's list of layers, or a node of a graph in it, behind which all that follows depends on its output
    /// alone.
    struct Stage: Sendable {
        let location: String
        /// As PyTorch names the layer.
        let name: String
        /// The names of a graph's layers since the stage before it.
        let innerNames: [String]
        /// Its output.
        var value: Int
        /// Whether the output has a place for what the image has at another.
        let isMap: Bool
        /// Whether it normalises or activates the output of the entry before it, element by element or over all.
        let continues: Bool
        let holdsConvolution: Bool
        let rows: ReceptiveAxis
        let columns: ReceptiveAxis
    }
}

extension LayerDescription {
    /// Whether the layer normalises or activates what the one before it computes.
    var continuesLayer: Bool {
        switch unnamed {
        case .relu, .relu6, .leakyrelu, .prelu, .elu, .gelu, .silu, .softplus, .tanh, .sigmoid, .hardswish,
            .hardsigmoid, .groupnorm, .layernorm2d, .batchnorm2d:
            true
        default: false
        }
    }

    /// Whether a convolution is in the layer or is it.
    var holdsConvolution: Bool {
        if case .conv2d = unnamed { return true }
        return branches.contains { $0.contains(where: \.holdsConvolution) }
    }
}
