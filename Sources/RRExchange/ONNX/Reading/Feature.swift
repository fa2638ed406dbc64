internal import RRNetworks
internal import RRTensor

/// A dimension of an image.
enum Axis: Hashable {
    case channel, height, width
}

/// What a file joins with the samples of a batch.
enum SampleJoining {
    case nothing
    /// (N · H · W, C), as Keras has it for a dense layer on maps.
    case places
    /// (N · C · H · W), as PyTorch's dynamo exporter has it where it changes strides.
    case all

    /// Whether an operator may read what is joined so.
    func isServed(by kind: String) -> Bool {
        switch self {
        case .nothing: true
        case .places: kind == "Reshape" || kind == "MatMul"
        case .all: kind == "Reshape" || kind == "Gather"
        }
    }
}

/// A value of the graph that depends on the image: what the network's layers compute, and how the file lays it out.
///
/// Files reshape and transpose where our layers have one layout. Neither moves anything here: a feature keeps the order in
/// which the file has the axes of the map, and the extents that it gives them, and a layer asks whether they are those that
/// it takes.
struct Feature {
    /// 0 for the image, n for what the nth step gives.
    var value: Int
    /// As the layers have it.
    var shape: ImageShape
    /// The axes of a sample in the file, outermost first.
    var order: [Axis] = [.channel, .height, .width]
    /// The extents of a sample in the file, in which axes may be joined or split.
    var dimensions: [Int]
    /// What the value is still multiplied by and what is added to it.
    var pending: Affine?
    /// Zeros around the map, which only what takes a padding of its own can take over.
    var padding: Padding?
    /// What the first of the dimensions joins with the samples.
    var joining = SampleJoining.nothing
    /// Whether nobody else reads the step's value, or what was computed of it up to here.
    var isAlone = true

    func extent(_ axis: Axis) -> Int {
        switch axis {
        case .channel: shape.channels
        case .height: shape.height
        case .width: shape.width
        }
    }

    /// The axes with more than one element, in the file's order.
    var longAxes: [Axis] { order.filter { extent($0) > 1 } }

    /// Whether the file has the elements in the layers' order.
    var hasLayerOrder: Bool { longAxes == [.channel, .height, .width].filter { extent($0) > 1 } }

    /// The extents in the file.
    ///
    /// - Parameter batch: the number of samples.
    func dimensions(batch: Int) -> [Int] {
        joining == .nothing
            ? [batch] + dimensions : [batch * (dimensions.first ?? 1)] + dimensions.dropFirst()
    }

    /// Which axes each of the file's dimensions is; nil where one is a part of an axis.
    var parts: [[Axis]]? {
        var rest = order[...]
        var parts: [[Axis]] = []
        for dimension in dimensions {
            var part: [Axis] = []
            var product = 1
            if dimension == 1, let next = rest.first, extent(next) == 1 { part = [rest.removeFirst()] }
            while product < dimension {
                guard let next = rest.popFirst() else { return nil }
                product *= extent(next)
                part.append(next)
            }
            guard product == dimension else { return nil }
            parts.append(part)
        }
        return parts
    }

    /// Whether the file's dimensions are these axes, of which those with one element may stand anywhere.
    func isArranged(_ axes: [Axis]) -> Bool {
        guard dimensions == axes.map(extent), let parts else { return false }
        return zip(parts, axes).allSatisfy { part, axis in
            part.filter { extent($0) > 1 } == [axis].filter { extent($0) > 1 }
        }
    }

    var isMap: Bool { isArranged([.channel, .height, .width]) }

    /// The long axes of some of the file's dimensions; nil where one is a part of an axis.
    func longAxes(in positions: [Int]) -> [Axis]? {
        guard let parts, positions.allSatisfy(parts.indices.contains) else { return nil }
        return positions.flatMap { parts[$0] }.filter { extent($0) > 1 }
    }
}

/// A multiplication and an addition with constants: one for all elements, one a channel, or one an element.
struct Affine {
    var scale: [Double]
    var shift: [Double]
    /// What the exporter called the constants, where there was one of each.
    var names: (scale: String?, shift: String?) = (nil, nil)

    static let identity = Affine(scale: [1], shift: [0])

    /// The factor, where it is one and nothing is added.
    var factor: Double? { scale.count == 1 && shift.allSatisfy { $0 == 0 } ? scale[0] : nil }

    /// Multiplies by constants, one or as many as there are already.
    ///
    /// - Returns: nil where the numbers of constants do not go together.
    func times(_ factors: [Double], name: String? = nil) -> Affine? {
        guard let scale = Self.combined(scale, factors, *), let shift = Self.combined(shift, factors, *)
        else {
            return nil
        }
        let isFirst = self.scale == [1] && self.shift == [0]
        return Affine(scale: scale, shift: shift, names: (isFirst ? name : nil, nil))
    }

    func plus(_ terms: [Double], name: String? = nil) -> Affine? {
        guard let shift = Self.combined(shift, terms, +) else { return nil }
        return Affine(scale: scale, shift: shift, names: (names.scale, self.shift == [0] ? name : nil))
    }

    private static func combined(
        _ one: [Double], _ other: [Double], _ operation: (Double, Double) -> Double
    ) -> [Double]? {
        if one.count == other.count { return zip(one, other).map(operation) }
        if one.count == 1 { return other.map { operation(one[0], $0) } }
        return other.count == 1 ? one.map { operation($0, other[0]) } : nil
    }
}
