internal import RRTensor

/// An array of images or masks, read in one of the layouts.
struct ArrayReading: Hashable {
    let layout: ArrayLayout
    let imageShape: ImageShape
    /// The distance from an element to its neighbour along C, H and W, in elements.
    let steps: [Int]

    /// Reads an array of a shape, whose number of dimensions is the layout's.
    init(_ layout: ArrayLayout, of shape: TensorShape) throws(TensorError) {
        self.layout = layout
        var extents: [Character: Int] = ["C": 1]
        var steps: [Character: Int] = ["C": 0]
        var step = 1
        for (name, extent) in zip(layout.rawValue, shape.dimensions).reversed() {
            extents[name] = extent
            steps[name] = step
            step *= extent
        }
        self.imageShape = try ImageShape(
            channels: extents["C"] ?? 1, height: extents["H"] ?? 0, width: extents["W"] ?? 0)
        self.steps = [steps["C"] ?? 0, steps["H"] ?? 0, steps["W"] ?? 0]
    }

    /// Whether elements stand in the order `(C, H, W)` already.
    var isInOrder: Bool { layout == .nchw || layout == .nhw || (layout == .nhwc && imageShape.channels == 1) }

    /// `NHWC (3 channels of 32×24)`
    var description: String {
        let channels = imageShape.channels == 1 ? "1 channel" : "\(imageShape.channels) channels"
        return "\(layout.rawValue) (\(channels) of height \(imageShape.height) and width \(imageShape.width))"
    }

    /// Brings the elements of one image into the order `(C, H, W)`, converting each.
    func rearrange<Source, Target>(
        _ source: UnsafeBufferPointer<Source>, into target: UnsafeMutableBufferPointer<Target>,
        _ convert: (Source) throws -> Target
    ) rethrows {
        if isInOrder {
            for position in source.indices { target[position] = try convert(source[position]) }
            return
        }
        var position = 0
        for channel in 0..<imageShape.channels {
            for row in 0..<imageShape.height {
                var from = channel * steps[0] + row * steps[1]
                for _ in 0..<imageShape.width {
                    target[position] = try convert(source[from])
                    position += 1
                    from += steps[2]
                }
            }
        }
    }
}

extension ArrayReading {
    /// The one way to read an array of images.
    ///
    /// Without a layout, three dimensions are NHW. Four are NCHW, unless the channels could as well be last: where
    /// only the last extent could be a number of channels (1 to 4), or both could, the last is 1 or 3, and the
    /// images would not be square.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape`, `invalidOption` or `ambiguousLayout`.
    static func ofImages(_ shape: TensorShape, layout: ArrayLayout?, at location: String) throws
        -> ArrayReading
    {
        guard shape.rank == 3 || shape.rank == 4 else {
            throw DatasetError(
                .wrongShape, path: location,
                "the shape is \(shape); images have 4 dimensions, or 3 without channels (N, H, W)")
        }
        if let layout {
            try check(layout, of: shape, option: "--layout", at: location)
            return try ArrayReading(layout, of: shape)
        }
        guard shape.rank == 4 else { return try ArrayReading(.nhw, of: shape) }
        let (first, middle, last) = (shape[1], shape[2], shape[3])
        let couldBeLast = 1...4 ~= last
        let couldBeFirst = 1...4 ~= first
        let isSquareOnlyIfFirst = middle == last && first != middle
        let isSurelyFirst =
            couldBeFirst
            ? isSquareOnlyIfFirst || !(last == 1 || last == 3) || shape.elementCount == shape[0]
            : !couldBeLast
        guard isSurelyFirst else {
            throw DatasetError(
                .ambiguousLayout, path: location,
                "the shape \(shape) can be read as \(try list(readings(of: shape))); say which with --layout")
        }
        return try ArrayReading(.nchw, of: shape)
    }

    /// The one way to read an array of masks for images.
    ///
    /// Without a layout, the readings are tried that give masks of the images' height and width, and one channel
    /// or the images' number. Layouts with W before H are tried only for images that have such a layout.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongMaskSize`, `invalidOption` or `ambiguousLayout`.
    static func ofMasks(
        _ shape: TensorShape, layout: ArrayLayout?, images: ArrayReading, at location: String
    ) throws -> ArrayReading {
        guard shape.rank == 3 || shape.rank == 4 else {
            throw DatasetError(
                .wrongShape, path: location,
                "the shape is \(shape); masks have 4 dimensions, or 3 without channels (N, H, W)")
        }
        if let layout { try check(layout, of: shape, option: "--masks-layout", at: location) }
        let all = try readings(of: shape)
        let fitting = all.filter { reading in
            reading.imageShape.height == images.imageShape.height
                && reading.imageShape.width == images.imageShape.width
                && (reading.imageShape.channels == 1
                    || reading.imageShape.channels == images.imageShape.channels)
        }
        let isTurned = images.layout == .nwhc || images.layout == .ncwh
        let candidates = fitting.filter { reading in
            if let layout { return reading.layout == layout }
            return isTurned || reading.layout == .nchw || reading.layout == .nhwc || reading.layout == .nhw
        }
        guard let reading = candidates.first else {
            let size = "\(images.imageShape.height)×\(images.imageShape.width) with 1"
            let channels = images.imageShape.channels == 1 ? size : size + " or \(images.imageShape.channels)"
            let tried = try layout.map { [try ArrayReading($0, of: shape)] } ?? all
            let hint = fitting.isEmpty ? "" : "; it fits as \(list(fitting)): say so with --masks-layout"
            throw DatasetError(
                .wrongMaskSize, path: location,
                "the images need masks of H×W = \(channels) channels, but the shape \(shape) "
                    + "reads as \(list(tried))\(hint)")
        }
        guard candidates.allSatisfy({ $0.isSame(as: reading) }) else {
            throw DatasetError(
                .ambiguousLayout, path: location,
                "the shape \(shape) can be read as \(list(candidates)); say which with --masks-layout")
        }
        return reading
    }

    /// Whether two readings find the same elements at the same places; a step along a single element is none.
    private func isSame(as other: ArrayReading) -> Bool {
        guard imageShape == other.imageShape else { return false }
        return zip(imageShape.dimensions, zip(steps, other.steps)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    }

    private static func readings(of shape: TensorShape) throws -> [ArrayReading] {
        try ArrayLayout.allCases.filter { $0.rank == shape.rank }.map { try ArrayReading($0, of: shape) }
    }

    private static func list(_ readings: [ArrayReading]) -> String {
        readings.map(\.description).joined(separator: ", ")
    }

    private static func check(
        _ layout: ArrayLayout, of shape: TensorShape, option: String, at location: String
    ) throws {
        guard layout.rank == shape.rank else {
            throw DatasetError(
                .invalidOption, path: location,
                "\(option) \(layout.rawValue) has \(layout.rank) dimensions, but the shape is \(shape)")
        }
    }
}
