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
        let shelf = try Shelf(arrays)
        let convention =
            export == nil && options.images.isEmpty
            ? try NamedSplits(shelf.names(), path: arrays.files.first ?? "") : nil

        imageNames = export.map { [$0.name(of: .images)] } ?? convention?.images ?? options.images
        let parts =
            try export.map { [try $0.array(.images)] } ?? shelf.arrays(imageNames, layout: options.layout)
        images = try JoinedArray.join(parts)
        let layoutOfMATLAB =
            options.layout == nil && options.shape == nil && export == nil && shelf.areFromMATLAB(imageNames)
            ? ArrayLayout(ofMATLABs: images.shape) : nil
        layout =
            options.layout?.sampleFirst ?? export?.mark.layout ?? layoutOfMATLAB
            ?? convention?.layout(of: images.shape)

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

        let readAsMATLABs: Message? = layoutOfMATLAB.map { [images] layout in
            "\(images.location) \(images.shape) is read as \(layout.rawValue), as MATLAB writes its arrays; "
                + "\(option: .layout) says otherwise"
        }
        notes =
            [images, labels, masks].compactMap { $0?.note }.map { Message($0) }
            + [readAsMATLABs].compactMap(\.self)
        splits = splitsOfExport ?? convention.map { _ in Self.splits(of: parts) }
        splitNames = splits == nil ? [] : export?.mark.splitNames ?? convention?.splitNames ?? []
    }

    /// The number of its part for each image.
    private static func splits(of parts: [any ArraySource]) -> [UInt8] {
        parts.enumerated().flatMap { number, part in
            repeatElement(UInt8(number), count: part.shape.dimensions.first ?? 0)
        }
    }

    private static func selection(
        _ options: ArrayImport.Options, _ shelf: Shelf
    ) throws -> MaskedSamples.Basis {
        if let rows = try shelf.joined(options.rows) { return .rows(rows) }
        if let ids = try shelf.joined(options.ids) { return .ids(ids) }
        if let flags = try shelf.joined(options.flags) { return .flags(flags) }
        return .order
    }

    /// The files of an import, open.
    private struct Shelf {
        private let format: ArrayFile.Format
        private let files: [ArrayFile]

        init(_ arrays: ArrayImport) throws {
            format =
                switch arrays.format {
                case .hdf5: .hdf5
                case .npy: .npy
                case .npz: .npz
                case .idx: .idx
                }
            let format = format
            files = try arrays.files.map { path in
                try ArrayFile(path: path, format: format, trustingLinks: arrays.options.trustsLinks)
            }
        }

        func names() throws -> [String] { try files.flatMap { try $0.names() } }

        func areFromMATLAB(_ names: [String]) -> Bool {
            !files.isEmpty && files.allSatisfy { file in names.allSatisfy { file.isFromMATLAB($0) } }
        }

        /// The arrays of some names: of each file those of all names, or each name's file.
        ///
        /// - Parameter layout: where samples are along the last dimension, it is brought to the front.
        func arrays(_ names: [String], layout: ArrayLayout? = nil) throws -> [any ArraySource] {
            let arrays =
                files.isEmpty
                ? try names.map { try ArrayFile(path: $0, format: format).array(nil) }
                : try files.flatMap { file in try names.map { try file.array($0) } }
            guard let layout, !layout.isSampleFirst else { return arrays }
            return try arrays.map { array in
                try ArrayArrangement.check(layout, of: array.shape, option: .layout, at: array.location)
                return try SampleFirstArray(array)
            }
        }

        /// The arrays of some names as one; nil where none is named.
        func joined(_ names: [String], layout: ArrayLayout? = nil) throws -> (any ArraySource)? {
            names.isEmpty ? nil : try JoinedArray.join(arrays(names, layout: layout))
        }

        func joined(_ name: String?) throws -> (any ArraySource)? { try joined(name.map { [$0] } ?? []) }
    }
}

/// The arrays of a file whose names say what they are, as MedMNIST's and Keras's files have them.
private struct NamedSplits {
    let images: [String]
    let labels: [String]
    let splitNames: [String]

    /// The layout by which such files hold images with channels; nil for the one that the shape says.
    func layout(of images: TensorShape) -> ArrayLayout? {
        images.rank == 4 && 1...4 ~= images[3] ? .nhwc : nil
    }

    /// - Throws: `DatasetError` with the code `invalidOption` where the names do not say, which lists them.
    init(_ names: [String], path: String) throws(DatasetError) {
        let known = Set(names)
        let conventions: [(images: (String) -> String, labels: (String) -> String)] = [
            ({ $0 + "_images" }, { $0 + "_labels" }), ({ "x_" + $0 }, { "y_" + $0 }),
        ]
        for convention in conventions {
            let splits = ["train", "val", "test"].filter { known.contains(convention.images($0)) }
            guard !splits.isEmpty else { continue }
            let labels = splits.map(convention.labels)
            guard labels.allSatisfy(known.contains) || !labels.contains(where: known.contains) else { break }
            images = splits.map(convention.images)
            self.labels = known.contains(labels[0]) ? labels : []
            splitNames = splits
            return
        }
        throw DatasetError(
            .invalidOption, path: path,
            "name the arrays with \(option: .images), \(option: .labels) and \(option: .masks); the file holds "
                + (names.isEmpty ? "nothing" : names.joined(separator: ", ")))
    }
}
