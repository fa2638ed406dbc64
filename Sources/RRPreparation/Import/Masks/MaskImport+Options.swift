internal import RRDatasets
internal import RRFormats
internal import RRSchemas

extension MaskImport {
    /// Refuses options that the source would ignore.
    func checkOptions(for kind: MaskSourceKind) throws(DatasetError) {
        let given: [(option: OptionName, isGiven: Bool, kinds: [MaskSourceKind])] = [
            (.match, options.match != nil, [.pngs]),
            (
                .orientation,
                options.orientation == .apply && !dataset.isEmpty && options.reading == ImageFolderOptions(),
                [.pngs]
            ),
            (.maskValues, options.maskValues != nil, [.pngs, .arrays]),
            (
                .maskThreshold, options.maskThreshold != nil,
                kind == .labelme || kind == .labelStudio ? [kind] : [.pngs, .arrays]
            ),
            (.maskColors, options.maskColors != nil, [.pngs]),
            (.masks, options.masks != nil, [.arrays]),
            (.masksLayout, options.masksLayout != nil, [.arrays]),
            (.rows, options.rows != nil, [.arrays]), (.ids, options.ids != nil, [.arrays]),
            (.flags, options.flags != nil, [.arrays]),
            (.categories, !options.categories.isEmpty, [kind.hasLabels ? kind : .coco]),
            (.minimumArea, options.minimumArea != nil, [.coco]),
            (.maximumArea, options.maximumArea != nil, [.coco]),
            (.boxes, options.boxes != nil, [.boxes]),
            (.isStrict, options.isStrict, [kind.hasLabels ? kind : .coco]),
            (.onError, options.onError == .skip && !dataset.isEmpty, [.pngs]),
        ]
        for (option, isGiven, kinds) in given where isGiven && !kinds.contains(kind) {
            let served = kinds.map(\.name).joined(separator: " and ")
            throw DatasetError(
                .invalidOption, path: source, "\(option: option) is for \(served), but this is \(kind.name)")
        }
        guard options.maskValues == nil || options.maskThreshold == nil else {
            throw DatasetError(
                .invalidOption, path: "", "give either \(option: .maskValues) or \(option: .maskThreshold)")
        }
        for (option, isGiven) in [
            (OptionName.maskValues, options.maskValues != nil),
            (.maskThreshold, options.maskThreshold != nil),
        ] where isGiven && options.maskColors != nil {
            throw DatasetError(
                .invalidOption, path: "", "give either \(option: option) or \(option: .maskColors)")
        }
        try options.adjustment.check()
        if let values = options.maskValues,
            values.isEmpty || values.contains(where: { $0 < 0 || $0 > 65_535 })
        {
            throw DatasetError(
                .invalidOption, path: "",
                "\(option: .maskValues) takes whole numbers from 0 to 65535, such as 2,3")
        }
        if let threshold = options.maskThreshold {
            guard threshold > 0, threshold <= 1 || (kind == .arrays && threshold.isFinite) else {
                throw DatasetError(
                    .invalidOption, path: "",
                    "\(option: .maskThreshold) is above 0, and for PNG files at most 1, not \(threshold)")
            }
        }
        guard [options.rows, options.ids, options.flags].count(where: { $0 != nil }) <= 1 else {
            throw DatasetError(
                .invalidOption, path: "",
                "give only one of \(option: .rows), \(option: .ids) and \(option: .flags)")
        }
        for (option, area) in [
            (OptionName.minimumArea, options.minimumArea), (.maximumArea, options.maximumArea),
        ] {
            guard let area, !(area >= 0 && area.isFinite) else { continue }
            throw DatasetError(
                .invalidOption, path: "", "\(option: option) is a number of pixels, not \(area)")
        }
        if let least = options.minimumArea, let most = options.maximumArea, least > most {
            throw DatasetError(
                .invalidOption, path: "",
                "\(option: .minimumArea) \(least) is above \(option: .maximumArea) \(most)")
        }
    }

    /// The options, and where they are silent on masks of zeros what an export of ours says: in its folder a sample has
    /// a file just where it has a row in the mask set.
    func options(for kind: MaskSourceKind) throws -> Options {
        guard kind == .pngs, options.empty == nil, options.marks == .wrong,
            try ExportMark(of: source, kind: "mask-pngs") != nil
        else { return options }
        var options = options
        options.empty = .annotated
        return options
    }

    /// What the mask set says of its making; nothing in it depends on the machine.
    func provenance(_ kind: MaskSourceKind, _ masks: ImportedMasks) throws -> JSONValue {
        let tally = masks.tally
        let empty = try options(for: kind).emptyMasks
        var given: [String: JSONValue] = [
            "marks": .string(options.marks.rawValue), "empty": .string(empty.rawValue),
        ]
        if options.orientation == .apply { given["orientation"] = .string(options.orientation.rawValue) }
        given["format"] = (options.format?.rawValue).map { .string($0) }
        given["match"] = options.match.map { .string($0) }
        given["mask_values"] = options.maskValues.map { .array($0.map { .integer($0) }) }
        given["mask_threshold"] = options.maskThreshold.map { .number($0) }
        given["mask_colors"] = options.maskColors.map { .array($0.map { .string($0.hexadecimal) }) }
        given.merge(options.adjustment.json) { first, _ in first }
        given["masks"] = options.masks.map { .string($0) }
        given["masks_layout"] = (options.masksLayout?.rawValue).map { .string($0) }
        for (name, array) in [("rows", options.rows), ("ids", options.ids), ("flags", options.flags)] {
            // For NPY a file: the place on the machine is none of the mask set's business.
            given[name] = array.map { .string($0.split(separator: "/").last.map(String.init) ?? $0) }
        }
        if !options.categories.isEmpty { given["category"] = .array(options.categories.map { .string($0) }) }
        given["boxes"] = (options.boxes?.rawValue).map { .string($0) }
        given["min_area"] = options.minimumArea.map { .number($0) }
        if options.isStrict { given["strict"] = true }
        given["max_area"] = options.maximumArea.map { .number($0) }
        var provenance: [String: JSONValue] = [
            "command": "import masks", "kind": .string(kind.rawValue),
            "source": .string(source.split(separator: "/").last.map(String.init) ?? source),
            "options": .object(given),
        ]
        if !tally.readings.isEmpty {
            provenance["readings"] = .array(tally.readings.map { .string($0.description) })
        }
        if !masks.skippedFiles.isEmpty {
            provenance["skipped"] = .array(masks.skippedFiles.map(\.json))
        }
        return .object(provenance)
    }
}

extension MaskSourceKind {
    /// Whether it is annotations that are called something.
    fileprivate var hasLabels: Bool {
        switch self {
        case .coco, .labelme, .cvat, .labelStudio, .yolo: true
        case .pngs, .boxes, .arrays: false
        }
    }
}

extension OptionName {
    static let categories = OptionName("categories")
    static let isStrict = OptionName("isStrict")
    static let match = OptionName("match")
    static let onError = OptionName("onError")
    static let maximumArea = OptionName("maximumArea")
    static let minimumArea = OptionName("minimumArea")
    static let size = OptionName("size")
}
