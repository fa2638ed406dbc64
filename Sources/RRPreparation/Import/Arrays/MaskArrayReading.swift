internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// How an array of masks is read: the layout that was asked for, else the images' where the shape allows it.
struct MaskArrayReading {
    /// The array with the samples along its first dimension.
    let array: any ArraySource
    let arrangement: ArrayArrangement
    /// What was decided where the shape allows more than one reading; nil where it does not.
    let note: Message?

    /// - Parameters:
    ///   - layout: what is asked for; nil for what shape and images say.
    ///   - imageLayout: that of the array that the images are or were read from; nil where they were no array.
    ///   - images: how images are read.
    ///   - count: the number of images.
    /// - Throws: `DatasetError` as `ArrayArrangement.ofMasks`; `FormatError` where the samples cannot be brought to the
    ///   front.
    init(
        _ array: any ArraySource, layout: ArrayLayout?, imageLayout: ArrayLayout?, images: ArrayArrangement,
        count: Int
    ) throws {
        let layout = layout ?? (array.holdsEncodedImages ? .nhwc : nil)
        let isSampleLast =
            layout.map { !$0.isSampleFirst }
            ?? (imageLayout.map { !$0.isSampleFirst && array.shape.dimensions.last == count } ?? false)
        if let layout, array.shape.rank != 2 {
            try ArrayArrangement.check(layout, of: array.shape, option: .masksLayout, at: array.location)
        }
        self.array = isSampleLast ? try SampleFirstArray(array) : array
        let shape = self.array.shape
        let arrangement = try ArrayArrangement.ofMasks(
            shape, layout: layout?.sampleFirst, images: images, at: array.location)
        self.arrangement = arrangement
        let isOpen =
            layout == nil
            && (isSampleLast || arrangement.layout.isTurned && arrangement.hasOtherReading
                || shape.rank == 2 && !arrangement.isInOrder)
        note =
            isOpen
            ? "the masks \(array.location) \(array.shape) are read as \(arrangement.layout.named(sampleLast: isSampleLast)), "
                + "since the images are \(imageLayout?.rawValue ?? ""); \(option: .masksLayout) says otherwise"
            : nil
    }
}

extension ArrayLayout {
    /// The layout of the same array with its samples along the first dimension.
    var sampleFirst: ArrayLayout {
        isSampleFirst ? self : ArrayLayout(rawValue: "N" + rawValue.dropLast()) ?? self
    }

    /// Whether columns come before rows, as MATLAB's arrays have them in HDF5.
    var isTurned: Bool {
        guard let row = rawValue.firstIndex(of: "H"), let column = rawValue.firstIndex(of: "W") else {
            return false
        }
        return column < row
    }

    /// `HWN` for `NHW` where the samples are last.
    fileprivate func named(sampleLast: Bool) -> String {
        sampleLast ? rawValue.dropFirst() + "N" : rawValue
    }
}

extension ArrayArrangement {
    /// Whether rows and columns could change places.
    fileprivate var hasOtherReading: Bool { imageShape.height == imageShape.width && imageShape.height > 1 }
}
