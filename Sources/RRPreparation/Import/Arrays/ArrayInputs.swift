internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The arrays of an import, opened.
struct ArrayInputs {
    let images: any ArraySource
    let labels: (any ArraySource)?
    let masks: (any ArraySource)?
    let selection: MaskSelection.Basis
    /// The layout of the images that the options or the convention of the file's names say.
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
    var notes: [Message] { [images, labels, masks].compactMap { $0?.note }.map { Message($0) } }

    /// Opens the arrays that an import names.
    ///
    /// - Throws: `FormatError` where a file or an array is missing, damaged or not served; `DatasetError` with the
    ///   code `invalidOption`.
    init(_ arrays: ArrayImport, export: ExportedArrays? = nil) throws {
        let options = arrays.options
        self.export = export
        takesLabelsOfExport = options.labels.isEmpty && export?.has(.labels) ?? false
        takesMasksOfExport =
            arrays.masksOutput != nil && options.masks.isEmpty && export?.has(.masks) ?? false
        if let export {
            (ids, splits) = (try export.ids(), try export.splits())
            layout = options.layout ?? export.mark.layout
            splitNames = splits == nil ? [] : export.mark.splitNames
            images = try export.array(.images)
            imageNames = [export.name(of: .images)]
            let shelf = try Shelf(arrays)
            if takesLabelsOfExport {
                labels = try export.array(.labels)
                labelNames = [export.name(of: .labels)]
            } else {
                labelNames = options.labels
                labels = labelNames.isEmpty ? nil : try JoinedArray.join(shelf.arrays(labelNames))
            }
            masks =
                takesMasksOfExport
                ? try export.array(.masks)
                : options.masks.isEmpty ? nil : try JoinedArray.join(shelf.arrays(options.masks))
            selection = try Self.selection(options, shelf)
            groups = try Self.groups(options, shelf, count: images.shape.dimensions.first) ?? export.groups()
            return
        }
        ids = nil
        let shelf = try Shelf(arrays)
        var imageNames = options.images
        var labelNames = options.labels
        var layout = options.layout
        var splitNames: [String] = []
        if imageNames.isEmpty {
            let convention = try NamedSplits(shelf.names(), path: arrays.files.first ?? "")
            imageNames = convention.images
            if labelNames.isEmpty { labelNames = convention.labels }
            splitNames = convention.splitNames
        }
        let parts = try shelf.arrays(imageNames)
        images = try JoinedArray.join(parts)
        if !splitNames.isEmpty, layout == nil, images.shape.rank == 4, 1...4 ~= images.shape[3] {
            layout = .nhwc
        }
        labels = labelNames.isEmpty ? nil : try JoinedArray.join(shelf.arrays(labelNames))
        masks = options.masks.isEmpty ? nil : try JoinedArray.join(shelf.arrays(options.masks))
        selection = try Self.selection(options, shelf)
        groups = try Self.groups(options, shelf, count: images.shape.dimensions.first)
        self.layout = layout
        self.imageNames = imageNames
        self.labelNames = labelNames
        self.splitNames = splitNames
        splits =
            splitNames.isEmpty
            ? nil
            : parts.enumerated().flatMap { number, part in
                repeatElement(UInt8(number), count: part.shape.rank == 0 ? 0 : part.shape[0])
            }
    }

    private static func groups(
        _ options: ArrayImport.Options, _ shelf: Shelf, count: Int?
    ) throws -> SampleGroups? {
        guard !options.groups.isEmpty else { return nil }
        return try ArrayGroups.read(JoinedArray.join(shelf.arrays(options.groups)), count: count ?? 0)
    }

    private static func selection(
        _ options: ArrayImport.Options, _ shelf: Shelf
    ) throws -> MaskSelection.Basis {
        if let rows = options.rows { return .rows(try JoinedArray.join(shelf.arrays([rows]))) }
        if let ids = options.ids { return .ids(try JoinedArray.join(shelf.arrays([ids]))) }
        if let flags = options.flags { return .flags(try JoinedArray.join(shelf.arrays([flags]))) }
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

        /// The arrays of some names: of each file those of all names, or each name's file.
        func arrays(_ names: [String]) throws -> [any ArraySource] {
            guard files.isEmpty else {
                return try files.flatMap { file in try names.map { try file.array($0) } }
            }
            return try names.map { try ArrayFile(path: $0, format: format).array(nil) }
        }
    }
}

/// The arrays of a file whose names say what they are, as MedMNIST's and Keras's files have them.
private struct NamedSplits {
    let images: [String]
    let labels: [String]
    let splitNames: [String]

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
