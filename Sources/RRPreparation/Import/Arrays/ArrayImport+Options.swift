public import RRDatasets
internal import RRFormats
internal import RRSchemas
public import RRTensor

extension ArrayImport {
    /// Which arrays are read, and how.
    ///
    /// An array is named by its path in an HDF5 file, by its name in an NPZ file, and by its file for NPY and IDX.
    public struct Options: Sendable {
        /// The arrays of images, one after another. Empty for an NPZ file of arrays with the usual names:
        /// `train_images` and `train_labels`, or `x_train` and `y_train`, and so on for `val` and `test`; and for an
        /// HDF5 file that is an export of ours. For NPY such an export is the name of its folder.
        public var images: [String]
        /// The arrays of labels: (N) or (N, 1) whole numbers or class names, or (N, K) with a single 1 in each
        /// row. Empty for none.
        public var labels: [String] = []
        /// The arrays of groups, (N) or (N, 1) whole numbers or names; empty for none.
        public var groups: [String] = []
        /// The arrays of masks; empty for none.
        public var masks: [String] = []
        /// An array of the M dataset rows that the masks are for.
        public var rows: String?
        /// An array of the M sample ids that the masks are for.
        public var ids: String?
        /// An array of N truth values: which samples have a mask.
        public var flags: String?
        /// How the array of images is laid out; nil where its shape says so.
        public var layout: ArrayLayout?
        /// The shape `(C, H, W)` of an image in an array (N, D), whose rows have the order of `layout`.
        public var shape: ImageShape?
        /// How the array of masks is laid out; nil where its shape says so.
        public var masksLayout: ArrayLayout?
        public var marks: MaskMarks = .wrong
        public var empty: EmptyMasks = .unannotated
        /// The least value of a soft mask that counts as 1.
        public var maskThreshold: Double?
        /// The values of a mask that count as 1; all others count as 0.
        public var maskValues: [Int]?
        /// What is done to the masks before anything else.
        public var maskAdjustment = MaskAdjustment()
        /// Nil for that of the exported dataset where an export is read, else `none`.
        public var compression: Compression?
        /// Whether other files and plugins that an HDF5 file names are opened.
        public var trustsLinks = false
        /// The number of threads; it has no effect on the result.
        public var threadCount = Workers.coreCount
        /// Whether existing outputs are replaced.
        public var force: Bool = false

        public init(images: [String] = []) {
            self.images = images
        }

        /// Whether an option asks for another reading of an export's masks than the one that gives them back.
        var saysHowMasksAreRead: Bool {
            marks != .wrong || empty != .unannotated || maskThreshold != nil || maskValues != nil
                || maskAdjustment != MaskAdjustment()
                || rows != nil
                || ids != nil || flags != nil
        }

        /// Which elements of a mask are 1.
        var maskRule: MaskPixelRule { MaskPixelRule(values: maskValues, threshold: maskThreshold) }
    }

    func checkOptions(_ export: ExportedArrays?) throws(DatasetError) {
        func refuse(_ message: Message, path: String = "") throws(DatasetError) {
            throw DatasetError(.invalidOption, path: path, message)
        }
        if let export, options.masks.isEmpty {
            if masksOutput != nil, !export.has(.masks) {
                try refuse(
                    "the export holds no masks for \(option: .masksOutput); name some with \(option: .masks)")
            }
            if masksOutput == nil, options.masksLayout != nil || options.saysHowMasksAreRead {
                try refuse("what says how masks are read goes with \(option: .masksOutput)")
            }
        } else if options.masks.isEmpty != (masksOutput == nil) {
            try refuse("\(option: .masks) and \(option: .masksOutput) are given together or not at all")
        }
        let selections = [options.rows, options.ids, options.flags].compactMap { $0 }
        if options.masks.isEmpty, export == nil,
            options.masksLayout != nil || options.saysHowMasksAreRead
        {
            try refuse(
                "\(option: .masksLayout), \(option: .marks), \(option: .empty), \(option: .maskThreshold), "
                    + "\(option: .maskValues), \(option: .inverts), \(option: .dilation), \(option: .erosion), \(option: .rows), \(option: .ids) and \(option: .flags) need "
                    + "\(option: .masks)")
        }
        if selections.count > 1 {
            try refuse(
                "only one of \(option: .rows), \(option: .ids) and \(option: .flags) can say which samples have masks"
            )
        }
        if !selections.isEmpty, files.count > 1 {
            try refuse(
                "\(option: .rows), \(option: .ids) and \(option: .flags) are for one file; masks of several files need "
                    + "a row for each image"
            )
        }
        let named = options.images + options.labels + options.masks + options.groups + selections
        if named.count(where: { $0 == PipedBytes.standardInput }) > 1 {
            try refuse("only one array can come through standard input (-)")
        }
        if options.maskThreshold != nil, options.maskValues != nil {
            try refuse("\(option: .maskThreshold) and \(option: .maskValues) are not given together")
        }
        if let threshold = options.maskThreshold, !(threshold > 0 && threshold.isFinite) {
            try refuse("\(option: .maskThreshold) is a number above 0: the least value that counts as 1")
        }
        try options.maskAdjustment.check()
        if let output = masksOutput, PathPlan.areSame(output, self.output) {
            try refuse("the dataset and the masks cannot be the same file", path: output)
        }
    }
}

extension ArrayImport {
    /// What the dataset says of its making; nothing in it depends on the machine.
    func provenance(_ content: ArrayContent) -> JSONValue {
        let inputs = content.inputs
        var given: [String: JSONValue] = [
            "images": Self.list(inputs.imageNames, isFile: files.isEmpty),
            "labels": Self.list(inputs.labelNames, isFile: files.isEmpty),
            "layout": .string(
                (options.layout ?? (options.shape == nil ? content.arrangement.layout : nil))?.rawValue
                    ?? "ND"),
            "compress": .string(content.compression.rawValue),
        ]
        if !options.groups.isEmpty { given["group"] = Self.list(options.groups, isFile: files.isEmpty) }
        given["shape"] = options.shape.map { .array($0.dimensions.map { .integer($0) }) }
        var provenance: [String: JSONValue] = [
            "command": .string("import \(format.rawValue)"), "source": source, "options": .object(given),
        ]
        provenance["resize"] = content.resizing?.json
        return .object(provenance)
    }

    func maskProvenance(_ inputs: ArrayInputs, layout: ArrayLayout) -> JSONValue {
        var given: [String: JSONValue] = [
            "masks": inputs.takesMasksOfExport
                ? .string(inputs.export?.name(of: .masks) ?? "masks")
                : Self.list(options.masks, isFile: files.isEmpty),
            "masks_layout": .string(layout.rawValue), "marks": .string(options.marks.rawValue),
            "empty": .string(options.empty.rawValue),
        ]
        given["mask_values"] = options.maskValues.map { .array($0.map { .integer($0) }) }
        given.merge(options.maskAdjustment.json) { first, _ in first }
        given["mask_threshold"] = options.maskThreshold.map { .number($0) }
        for (name, array) in [("rows", options.rows), ("ids", options.ids), ("flags", options.flags)] {
            given[name] = array.map {
                .string(files.isEmpty ? Self.fileName($0) : ArrayReference.withoutFolders($0))
            }
        }
        return ["command": .string("import \(format.rawValue)"), "source": source, "options": .object(given)]
    }

    private var source: JSONValue { Self.list(files.isEmpty ? options.images : files, isFile: true) }

    /// One name as text, several as a list, none as null; of files the last component.
    private static func list(_ names: [String], isFile: Bool) -> JSONValue {
        let names = names.map { isFile ? fileName($0) : ArrayReference.withoutFolders($0) }
        return names.count > 1 ? .array(names.map { .string($0) }) : names.first.map { .string($0) } ?? .null
    }

    private static func fileName(_ path: String) -> String {
        if case .elsewhere(_, _?) = ArrayReference(path, isHeld: { _ in false }) {
            return ArrayReference.withoutFolders(path)
        }
        return path.split(separator: "/").last.map(String.init) ?? path
    }
}

extension OptionName {
    static let force = OptionName("force")
    static let images = OptionName("images")
    static let labels = OptionName("labels")
    static let layout = OptionName("layout")
    static let masks = OptionName("masks")
    static let masksLayout = OptionName("masksLayout")
    static let masksOutput = OptionName("masksOutput")
    static let shape = OptionName("shape")
}
