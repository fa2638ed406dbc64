internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The arrays of an import, opened.
struct ArrayInputs {
    let images: any ArraySource
    let labels: (any ArraySource)?
    let masks: (any ArraySource)?
    let selection: MaskedSamples.Basis
    /// The layout of the images, samples first, that the options or the convention of the file's names say.
    let layout: ArrayLayout?
    /// Where all or some of the arrays are those of an export.
    let export: ExportedArrays?
    /// The id of each image; nil where the source names none.
    let ids: [String]?
    /// Whether labels, and masks, are the export's, which names their classes and rows.
    let takesLabelsOfExport: Bool
    let takesMasksOfExport: Bool
    /// The group of each image; nil where they are in none.
    let groups: SampleGroups?
    /// The names of the arrays as they were found.
    let imageNames: [String]
    let labelNames: [String]
    /// A number of `splitNames` for each image; nil where there is one split.
    let splits: [UInt8]?
    let splitNames: [String]

    /// The arrays of the files that the import leaves where they are.
    let untaken: [String]
    /// What a user should know of how arrays are read.
    let notes: [Message]

    /// Opens the arrays that an import names.
    ///
    /// - Throws: `FormatError` where a file or an array is missing, damaged or not served; `DatasetError` with the
    ///   code `invalidOption`.
    init(_ arrays: ArrayImport, export: ExportedArrays?) throws {
        let options = arrays.options
        self.export = export
        takesLabelsOfExport = options.labels.isEmpty && export?.has(.labels) ?? false
        takesMasksOfExport =
            arrays.masksOutput != nil && options.masks.isEmpty && export?.has(.masks) ?? false
        ids = try export?.ids()
        let splitsOfExport = try export?.splits()
        let shelf = try ArrayShelf(arrays)
        let convention =
            export == nil && options.images.isEmpty
            ? try NamedSplits(shelf.names(), path: arrays.files.first ?? "") : nil

        imageNames = export.map { [$0.name(of: .images)] } ?? convention?.images ?? options.images
        var parts =
            try export.map { [try $0.array(.images)] }
            ?? shelf.arrays(
                imageNames, layout: options.layout, areRows: options.shape != nil)
        let stored = try JoinedArray.join(parts)
        let layoutOfMATLAB =
            options.layout == nil && options.shape == nil && export == nil && shelf.areFromMATLAB(imageNames)
            ? ArrayLayout(ofMATLABs: stored.shape) : nil
        if let layoutOfMATLAB, !layoutOfMATLAB.isSampleFirst {
            parts = try shelf.arrays(imageNames, layout: layoutOfMATLAB)
        }
        images = try JoinedArray.join(parts)
        layout =
            try options.layout?.sampleFirst ?? export?.mark.layout ?? layoutOfMATLAB?.sampleFirst
            ?? (images.holdsEncodedImages ? .nhwc : convention?.layout(of: images))

        labelNames =
            takesLabelsOfExport
            ? [ExportArray.labels].compactMap { export?.name(of: $0) }
            : options.labels.isEmpty ? convention?.labels ?? [] : options.labels
        labels = takesLabelsOfExport ? try export?.array(.labels) : try shelf.joined(labelNames)
        masks = takesMasksOfExport ? try export?.array(.masks) : try shelf.joined(options.masks)
        selection = try Self.selection(options, shelf)
        let count = images.shape.dimensions.first ?? 0
        groups =
            try shelf.joined(options.groups).map { try ArrayGroups.read($0, count: count) }
            ?? export?.groups()

        // An export's other arrays are what belongs to it.
        untaken =
            export == nil
            ? try shelf.untaken(
                besides: imageNames + labelNames + options.masks + options.groups
                    + [options.rows, options.ids, options.flags].compactMap { $0 }) : []
        let readAsMATLABs: Message? = layoutOfMATLAB.map { layout in
            "\(stored.location) \(stored.shape) is read as \(layout.rawValue), as MATLAB writes its arrays; "
                + "\(option: .layout) says otherwise"
        }
        notes =
            [images, labels, masks].compactMap { $0?.note }.map { Message($0) }
            + [readAsMATLABs, convention?.note, Self.note(onUntaken: untaken)].compactMap(\.self)
        splits = splitsOfExport ?? convention.map { _ in Self.splits(of: parts) }
        splitNames = splits == nil ? [] : export?.mark.splitNames ?? convention?.splitNames ?? []
    }

    private static func note(onUntaken names: [String]) -> Message? {
        guard !names.isEmpty else { return nil }
        let listed = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
        let count = names.count == 1 ? "an array was" : "\(names.count) arrays were"
        return Message("\(count) not taken: \(listed)")
    }

    /// The number of its part for each image.
    private static func splits(of parts: [any ArraySource]) -> [UInt8] {
        parts.enumerated().flatMap { number, part in
            repeatElement(UInt8(number), count: part.shape.dimensions.first ?? 0)
        }
    }

    private static func selection(
        _ options: ArrayImport.Options, _ shelf: ArrayShelf
    ) throws -> MaskedSamples.Basis {
        if let rows = try shelf.joined(options.rows) { return .rows(rows) }
        if let ids = try shelf.joined(options.ids) { return .ids(ids) }
        if let flags = try shelf.joined(options.flags) { return .flags(flags) }
        return .order
    }
}
