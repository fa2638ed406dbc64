internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The order of the dimensions of an array of images or masks; the last is contiguous.
public enum ArrayLayout: String, Sendable, CaseIterable {
    case nchw = "NCHW"
    case nhwc = "NHWC"
    case nwhc = "NWHC"
    case ncwh = "NCWH"
    /// One channel, without a dimension of its own.
    case nhw = "NHW"
    case nwh = "NWH"

    /// Whether the first dimension counts samples. In the layouts that follow the last one does: such an array is held in
    /// memory.
    var isSampleFirst: Bool { rawValue.hasPrefix("N") }

    case hwcn = "HWCN"
    case whcn = "WHCN"
    case cwhn = "CWHN"
    case hwn = "HWN"
    case whn = "WHN"

    /// The layout in a file of an array that MATLAB knows as (H, W, C, N) or (H, W, N); nil for another number of
    /// dimensions.
    init?(ofMATLABs shape: TensorShape) {
        switch shape.rank {
        case 3: self = .nwh
        case 4 where 1...4 ~= shape[1]: self = .ncwh
        case 4 where 1...4 ~= shape[3]: self = .nwhc
        // (N, H, W, C), as other programs have it.
        case 4 where 1...4 ~= shape[0]: self = .cwhn
        default: return nil
        }
    }

    /// The number of dimensions.
    public var rank: Int { rawValue.utf8.count }
}

/// How the elements of an array make images or masks: a layout with the extents that the array's shape gives it.
struct ArrayArrangement: Hashable {
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

    /// Images that stand in the order `(C, H, W)` now, and were read in another: what masks follow.
    init(imageShape: ImageShape, readAs layout: ArrayLayout?) {
        let layout = layout?.sampleFirst ?? .nchw
        self.layout = layout.rank == 4 ? layout : layout.isTurned ? .ncwh : .nchw
        self.imageShape = imageShape
        steps = [imageShape.pixelCount, imageShape.width, 1]
    }

    /// Whether elements stand in the order `(C, H, W)` already.
    var isInOrder: Bool { layout == .nchw || layout == .nhw || (layout == .nhwc && imageShape.channels == 1) }

    /// Whether images fit both ways, so that their shape does not tell rows from columns.
    var isSquare: Bool { imageShape.height == imageShape.width }

    /// `NHWC (3 channels of 32×24)`
    var description: String {
        let channels = imageShape.channels == 1 ? "1 channel" : "\(imageShape.channels) channels"
        return "\(layout.rawValue) (\(channels) of height \(imageShape.height) and width \(imageShape.width))"
    }
}

extension ArrayArrangement {
    /// The one way to read an array of images.
    ///
    /// Without a layout, three dimensions are NHW. Four are NCHW, unless the channels could as well be last: where
    /// only the last extent could be a number of channels (1 to 4), or both could, the last is 1 or 3, and the
    /// images would not be square.
    ///
    /// - Parameter imageShape: the shape `(C, H, W)` of an image where the array is (N, D), an image a row, whose elements are
    ///   in the order of the layout.
    /// - Throws: `DatasetError` with the code `wrongShape`, `invalidOption` or `ambiguousLayout`.
    static func ofImages(
        _ shape: TensorShape, layout: ArrayLayout?, imageShape: ImageShape? = nil, at location: String
    ) throws -> ArrayArrangement {
        if shape.rank == 2 || imageShape != nil {
            return try ofRows(shape, layout: layout, imageShape: imageShape, at: location)
        }
        guard shape.rank == 3 || shape.rank == 4 else {
            throw DatasetError(
                .wrongShape, path: location,
                "the shape is \(shape); images have 4 dimensions, or 3 without channels (N, H, W)")
        }
        if let layout {
            try check(layout, of: shape, option: .layout, at: location)
            return try ArrayArrangement(layout, of: shape)
        }
        guard shape.rank == 4 else { return try ArrayArrangement(.nhw, of: shape) }
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
                "the shape \(shape) can be read as \(try list(arrangements(of: shape))); say which with \(option: .layout)"
            )
        }
        return try ArrayArrangement(.nchw, of: shape)
    }

    /// The one way to read an array of masks for images.
    ///
    /// Without a layout, the arrangements are tried that give masks of the images' height and width, and one channel
    /// or the images' number. Layouts with W before H are taken for images that have such a layout, and only for these.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape`, `wrongMaskSize`, `invalidOption` or `ambiguousLayout`.
    static func ofMasks(
        _ shape: TensorShape, layout: ArrayLayout?, images: ArrayArrangement, at location: String
    ) throws -> ArrayArrangement {
        if shape.rank == 2 {
            return try ofMaskRows(shape, layout: layout, images: images, at: location)
        }
        guard shape.rank == 3 || shape.rank == 4 else {
            throw DatasetError(
                .wrongShape, path: location,
                "the shape is \(shape); masks have 4 dimensions, or 3 without channels (N, H, W)")
        }
        if let layout { try check(layout, of: shape, option: .masksLayout, at: location) }
        let all = try arrangements(of: shape)
        let fitting = all.filter { arrangement in
            arrangement.imageShape.height == images.imageShape.height
                && arrangement.imageShape.width == images.imageShape.width
                && (arrangement.imageShape.channels == 1
                    || arrangement.imageShape.channels == images.imageShape.channels)
        }
        // Masks are laid out as the images are, unless their shape allows only the other way.
        let alike = fitting.filter { $0.layout.isTurned == images.layout.isTurned }
        let candidates = fitting.filter { arrangement in
            if let layout { return arrangement.layout == layout }
            if images.layout.isTurned, alike.isEmpty { return true }
            return arrangement.layout.isTurned == images.layout.isTurned
        }
        guard let arrangement = candidates.first else {
            let size = "\(images.imageShape.height)×\(images.imageShape.width) with 1"
            let channels = images.imageShape.channels == 1 ? size : size + " or \(images.imageShape.channels)"
            let tried = try layout.map { [try ArrayArrangement($0, of: shape)] } ?? all
            let hint: Message =
                fitting.isEmpty ? "" : "; it fits as \(list(fitting)): say so with \(option: .masksLayout)"
            throw DatasetError(
                .wrongMaskSize, path: location,
                "the images need masks of H×W = \(channels) channels, but the shape \(shape) "
                    + "reads as \(list(tried))" + hint)
        }
        guard candidates.allSatisfy({ $0.isSame(as: arrangement) }) else {
            throw DatasetError(
                .ambiguousLayout, path: location,
                "the shape \(shape) can be read as \(list(candidates)); say which with \(option: .masksLayout)"
            )
        }
        return arrangement
    }

    /// Whether two arrangements find the same elements at the same places; a step along a single element is none.
    private func isSame(as other: ArrayArrangement) -> Bool {
        guard imageShape == other.imageShape else { return false }
        return zip(imageShape.dimensions, zip(steps, other.steps)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    }

    private static func arrangements(of shape: TensorShape) throws -> [ArrayArrangement] {
        try ArrayLayout.allCases.filter { $0.rank == shape.rank && $0.isSampleFirst }.map {
            try ArrayArrangement($0, of: shape)
        }
    }

    private static func list(_ arrangements: [ArrayArrangement]) -> String {
        arrangements.map(\.description).joined(separator: ", ")
    }

    static func check(
        _ layout: ArrayLayout, of shape: TensorShape, option: OptionName, at location: String
    ) throws {
        guard layout.rank == shape.rank else {
            throw DatasetError(
                .invalidOption, path: location,
                "\(option: option) \(layout.rawValue) has \(layout.rank) dimensions, but the shape is \(shape)"
            )
        }
    }
}
