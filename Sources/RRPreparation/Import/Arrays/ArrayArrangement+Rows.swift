internal import RRDatasets
internal import RRFormats
internal import RRTensor

// Arrays (N, D), a row an image or a mask, whose elements are in the order of the dimensions that a layout has after N.
extension ArrayArrangement {
    /// An array (N, D) whose rows are images.
    static func ofRows(
        _ shape: TensorShape, layout: ArrayLayout?, imageShape: ImageShape?, at location: String
    ) throws -> ArrayArrangement {
        guard let imageShape else {
            throw DatasetError(
                .wrongShape, path: location,
                "the shape is \(shape), a row an image; say of what channels, height and width with \(option: .shape) CxHxW"
            )
        }
        guard shape.rank == 2 else {
            throw DatasetError(
                .invalidOption, path: location,
                "\(option: .shape) is for arrays (N, D), but the shape is \(shape)")
        }
        guard shape[1] == imageShape.elementCount else {
            let areColumns = shape[0] == imageShape.elementCount && layout == nil
            let hint: Message =
                areColumns
                ? "; where each column is an image, \(option: .layout) \(imageShape.channels == 1 ? "HWN" : "HWCN") says so, or "
                    + "\(imageShape.channels == 1 ? "WHN" : "WHCN") where rows come innermost, as in MATLAB"
                : ""
            throw DatasetError(
                .wrongShape, path: location,
                "\(option: .shape) \(imageShape) makes rows of \(imageShape.elementCount) elements, but the shape is \(shape)"
                    + hint)
        }
        return try ofRows(shape[0], of: imageShape, layout: layout, option: .layout, at: location)
    }

    /// Rows that are images each, in the order of the dimensions that a layout has.
    private static func ofRows(
        _ count: Int, of imageShape: ImageShape, layout: ArrayLayout?, option: OptionName, at location: String
    ) throws -> ArrayArrangement {
        let layout = layout ?? .nchw
        guard layout.rank == 4 || imageShape.channels == 1 else {
            throw DatasetError(
                .invalidOption, path: location,
                "\(option: option) \(layout.rawValue) has no channels, but images of \(imageShape) have \(imageShape.channels)"
            )
        }
        let extents: [Character: Int] = [
            "N": count, "C": imageShape.channels, "H": imageShape.height, "W": imageShape.width,
        ]
        return try ArrayArrangement(layout, of: TensorShape(layout.rawValue.compactMap { extents[$0] }))
    }

    /// An array (M, D) whose rows are masks, of one channel or of the images' channels.
    ///
    /// Without a layout they are in the order in which the images were.
    ///
    /// - Throws: `DatasetError` with the code `wrongMaskSize` or `invalidOption`.
    static func ofMaskRows(
        _ shape: TensorShape, layout: ArrayLayout?, images: ArrayArrangement, at location: String
    ) throws -> ArrayArrangement {
        let imageShape = images.imageShape
        guard shape[1] == imageShape.pixelCount || shape[1] == imageShape.elementCount else {
            throw DatasetError(
                .wrongMaskSize, path: location,
                "the images are \(imageShape), so that a mask has \(imageShape.pixelCount) or "
                    + "\(imageShape.elementCount) elements, but the shape is \(shape)")
        }
        let maskShape = try ImageShape(
            channels: shape[1] / imageShape.pixelCount, height: imageShape.height, width: imageShape.width)
        return try ofRows(
            shape[0], of: maskShape, layout: layout ?? images.layout.withChannels, option: .masksLayout,
            at: location)
    }
}

extension ArrayLayout {
    /// The same order with a dimension of channels.
    fileprivate var withChannels: ArrayLayout {
        switch self {
        case .nhw: .nchw
        case .nwh: .ncwh
        default: self
        }
    }
}
