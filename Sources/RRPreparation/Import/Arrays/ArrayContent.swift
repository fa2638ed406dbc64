internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// What an import has read of its arrays, beside the pixels: how they make images, and what belongs to each.
struct ArrayContent {
    /// The masks that were read, the layout that they were read in, and how that was decided.
    typealias Masks = (masks: ArrayMaskReader.Masks, layout: ArrayLayout, note: Message?)

    let inputs: ArrayInputs
    let arrangement: ArrayArrangement
    /// The number of images.
    let count: Int
    let labels: [Int]?
    let classNames: [String]?
    let masks: Masks?
    let compression: Compression

    /// Reads the labels and masks of an import.
    ///
    /// - Throws: `DatasetError` and `FormatError` as `ArrayImport.run(progress:)`.
    init(of arrays: ArrayImport, _ inputs: ArrayInputs) throws {
        let (options, images) = (arrays.options, inputs.images)
        let arrangement = try ArrayArrangement.ofImages(
            images.shape, layout: inputs.layout, imageShape: options.shape, at: images.location)
        guard images.shape.elementCount > 0 else {
            throw DatasetError(
                .empty, path: images.location, "there are no pixels: the shape is \(images.shape)")
        }
        try images.checkSize()
        let count = images.shape[0]
        try Self.checkCount(inputs, arrangement)
        let labels = try inputs.labels.map { try ArrayLabels($0, count: count) }
        classNames =
            if inputs.takesLabelsOfExport, let labels {
                try inputs.export?.classNames(of: labels.labels)
            } else {
                labels?.classNames
            }
        masks = try inputs.masks.map {
            try Self.masks($0, options, inputs, images: arrangement, count: count)
        }
        (self.inputs, self.arrangement, self.count, self.labels) = (
            inputs, arrangement, count, labels?.labels
        )
        compression = options.compression ?? inputs.export?.mark.compression ?? .none
    }

    /// The id of each image: the row number where the source names none.
    func id(at row: Int) -> String { inputs.ids?[row] ?? String(row) }

    /// What the export says of itself that was imported; nil for other arrays.
    var mark: ExportMark? { inputs.export?.mark }

    /// Whether the images are of the shape that the export had, so that what it says of them holds.
    private var keepsShape: Bool { mark?.imageDimensions == arrangement.imageShape.dimensions }

    var color: String {
        let channels = arrangement.imageShape.channels
        return (keepsShape ? mark?.color(channels: channels) : nil) ?? Dataset.color(channels: channels)
    }

    /// What is to be said where the export's colour is not taken.
    var colorRemark: Message? {
        keepsShape ? mark?.colorRemark(channels: arrangement.imageShape.channels) : nil
    }

    /// The resizing that the exported dataset remembers.
    var resizing: Resizing? { keepsShape ? mark?.resizing : nil }

    /// Refuses images that are counted along the last dimension, as the labels show, where no layout says so.
    private static func checkCount(_ inputs: ArrayInputs, _ images: ArrayArrangement) throws(DatasetError) {
        let shape = inputs.images.shape
        guard inputs.layout == nil, let labels = inputs.labels, shape.rank > 2,
            let last = shape.dimensions.last,
            last > 1, labels.shape.elementCount == last, shape[0] != last,
            shape.rank == 3 || !(1...4 ~= images.imageShape.channels)
        else { return }
        let layouts: [ArrayLayout] = shape.rank == 3 ? [.hwn, .whn] : [.hwcn, .whcn, .cwhn]
        let readings = layouts.filter { layout in
            let channels = zip(layout.rawValue, shape.dimensions).first { $0.0 == "C" }?.1
            return channels.map { 1...4 ~= $0 } ?? true
        }
        throw DatasetError(
            .ambiguousLayout, path: inputs.images.location,
            "there are \(last) labels, and the shape \(shape) counts \(last) along its last dimension: say how it is "
                + "laid out with \(option: .layout), "
                + (readings.isEmpty ? layouts : readings).map(\.rawValue).joined(separator: " or "))
    }

    private static func masks(
        _ array: any ArraySource, _ options: ArrayImport.Options, _ inputs: ArrayInputs,
        images: ArrayArrangement, count: Int
    ) throws -> Masks {
        let export = inputs.takesMasksOfExport ? inputs.export : nil
        if let export, !options.saysHowMasksAreRead {
            return (
                try export.masks(images: images, layout: options.masksLayout),
                options.masksLayout ?? export.mark.layout ?? .nchw, nil
            )
        }
        let form = try MaskArrayReading(
            array, layout: options.masksLayout ?? export?.mark.layout,
            imageLayout: options.layout ?? images.layout, images: images, count: count)
        let samples = try MaskedSamples(
            inputs.selection, maskCount: form.array.shape[0], sampleCount: count,
            ids: { inputs.ids ?? (0..<count).map(String.init) }, location: array.location)
        let reader = ArrayMaskReader(
            array: form.array, reading: form.arrangement, rule: options.maskRule, marks: options.marks,
            empty: options.empty, adjustment: options.maskAdjustment)
        return (
            try reader.read(samples, sampleCount: count), options.masksLayout ?? form.arrangement.layout,
            form.note
        )
    }
}
