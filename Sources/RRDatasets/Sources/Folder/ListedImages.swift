internal import RRFormats
internal import RRSchemas

/// The images that the lists of a folder name, line by line, and the list of files that they make together.
struct ListedImages {
    private let folder: String
    private let kinds: ImageFolderOptions.Files
    private let options: ImageListOptions
    private let skipsMissing: Bool
    private var files = PNGFileList()
    private var texts = TextList()
    /// By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
    private var labelNumbers: [[UInt8]: Int32] = [:]
    private var labelNames: [String] = []
    private var labels: [Int32] = []
    /// Whether there is a column of labels with a line that has none.
    private var lacksLabels = false
    private var splits: [UInt8] = []
    private var splitNames: [String] = []
    private var groups = PNGGroupColumn()
    private var masks = TextList()
    private var hasMasks = false
    private var places: [(source: UInt8, line: Int32)] = []
    private var sources: [String] = []
    private var paths: ListedPaths
    /// Nil where symbolic links may lead anywhere.
    private var links: LinkCheck?

    init(
        folder: String, _ kinds: ImageFolderOptions.Files, options: ImageListOptions, skipsMissing: Bool,
        trustsLinks: Bool
    ) {
        self.skipsMissing = skipsMissing
        self.folder = folder
        self.kinds = kinds
        self.options = options
        paths = ListedPaths(folder: folder, endings: ImageNames.endings(kinds))
        links = trustsLinks ? nil : LinkCheck(root: folder)
    }

    /// The paths of the images relative to the folder.
    var imagePaths: TextList { texts }

    /// How the folder was read, where that is not as plain as day.
    var notes: [Message] {
        get { files.notes }
        set { files.notes = newValue }
    }

    /// Whether a column or the places of the lists say the splits.
    var hasSplits: Bool { splitNames != [""] }

    /// The list that was read first.
    var firstSource: String { sources[0] }

    /// The line that names an image.
    func line(of position: Int) -> Int32 { places[position].line }

    /// Takes the splits from elsewhere than the lists.
    mutating func setSplits(_ names: [String], of images: [UInt8]) {
        splitNames = names
        splits = images
    }

    /// Reads a list.
    ///
    /// - Parameters:
    ///   - prefix: the path of the folder that its paths are relative to, with a slash behind it, or nothing.
    ///   - split: that of all its images; nil where a column may say it.
    /// - Throws: as `PNGMetadata.list(in:)`.
    mutating func read(_ source: String, prefix: String, split: String?) throws {
        sources.append(source)
        let notes = try ImageListFile.forEachRow(of: source, columns: options, trustsLinks: links == nil) {
            try add($0, prefix: prefix, split: split)
        }
        files.notes += notes
    }

    private func fault(_ code: DatasetError.Code = .badMetadata, line: Int, _ message: Message)
        -> DatasetError
    {
        DatasetError(code, path: sources.last ?? folder, "line \(line): " + message)
    }

    private mutating func add(_ row: PNGMetadata.Row, prefix: String, split: String?) throws {
        guard let name = row.fileName, !name.isEmpty else {
            throw fault(line: row.line, "there is no \(options.fileName)")
        }
        let source = sources.last ?? folder
        func unsafe(_ column: String, _ message: Message) -> DatasetError {
            DatasetError(.unsafeId, path: source, "line \(row.line): the \(column) " + message)
        }
        let imageColumn = options.fileName
        let (path, isThere) = try paths.find(name, prefix: prefix) {
            unsafe(imageColumn, $0)
        }
        guard Array(path.utf8).withUnsafeBufferPointer({ ImageNames.stemLength(of: $0, kinds) }) != nil else {
            throw fault(line: row.line, "“\(name)” is none of the \(kinds.description)")
        }
        guard isThere else {
            if let kind = FileTree.kind(of: folder + "/" + path), kind != .folder {
                throw fault(line: row.line, "“\(name)” is \(kind.name), not a file")
            }
            let missing = fault(line: row.line, "there is no file “\(name)”")
            guard skipsMissing else { throw missing }
            files.missing.append((path, missing.message))
            return
        }
        if let target = links?.targetOutside(path) {
            throw fault(
                .unsafeId, line: row.line,
                "“\(name)” is reached by a symbolic link that leads out of the folder, to \(target); "
                    + "\(option: .trustsLinks) follows it")
        }
        texts.append(path.utf8)
        places.append((UInt8(sources.count - 1), Int32(clamping: row.line)))
        try addLabel(row)
        try addSplit(split ?? row.split, line: row.line)
        guard groups.add(row.group, after: texts.count - 1) else {
            throw fault(line: row.line, "some images have a group and others none; each has one, or none has")
        }
        var mask = ""
        if let name = row.maskFileName, !name.isEmpty {
            let column = options.maskFileName ?? "mask_file_name"
            mask = try paths.findMask(name, prefix: prefix) {
                unsafe(column, $0)
            }
            hasMasks = true
        }
        masks.append(mask.utf8)
    }

    private mutating func addLabel(_ row: PNGMetadata.Row) throws {
        guard let label = row.label, !label.isEmpty else {
            if row.label != nil { lacksLabels = true }
            guard labels.isEmpty else {
                throw fault(line: row.line, "there is no label; either every image has one or none has")
            }
            return
        }
        guard labels.count == texts.count - 1 else {
            throw fault(line: row.line, "there is a label, but the images before have none")
        }
        if let number = labelNumbers[Array(label.utf8)] {
            labels.append(number)
        } else {
            labels.append(Int32(labelNames.count))
            labelNumbers[Array(label.utf8)] = Int32(labelNames.count)
            labelNames.append(label)
        }
    }

    private mutating func addSplit(_ split: String?, line: Int) throws {
        let name = split ?? ""
        if let number = splitNames.firstIndex(of: name) {
            splits.append(UInt8(number))
            return
        }
        guard splitNames.count < 255 else { throw fault(line: line, "there are more than 255 splits") }
        splitNames.append(name)
        splits.append(UInt8(splitNames.count - 1))
        guard splitNames.count == 1 || !splitNames.contains("") else {
            throw fault(line: line, "some images have a split and others have none")
        }
    }

    /// Sorts and numbers what was read.
    ///
    /// - Throws: `DatasetError` with the code `empty`, `duplicateId` or `labelOutOfRange`.
    mutating func finish() throws -> PNGFileList {
        guard !texts.isEmpty else {
            throw DatasetError(
                .empty, path: sources.last ?? folder,
                files.missing.isEmpty
                    ? "the list names no images"
                    : "none of the \(files.missing.count) files that the list names is there")
        }
        try checkIds()
        if try finishExport() { return files }
        try numberLabels()
        if labels.isEmpty, lacksLabels {
            files.notes.append("no line has a label: the column label has no values")
        }
        var listedMasks = TextList()
        if hasMasks { for mask in Set(masks) where !mask.isEmpty { listedMasks.append(mask.utf8) } }
        if let note = UnlistedImages.note(besides: [texts, listedMasks], kinds, in: folder) {
            files.notes.append(note)
        }
        let merged = SplitFolders.merging(splitNames)
        splits = splits.map { UInt8(merged.numbers[Int($0)]) }
        splitNames = merged.names
        files.notes += merged.notes
        let names = splitNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let numbers = splitNames.map { UInt8(names.firstIndex(of: $0) ?? 0) }
        splits = splits.map { numbers[Int($0)] }
        let order = texts.indices.sorted { left, right in
            if splits[left] != splits[right] { return splits[left] < splits[right] }
            if !labels.isEmpty, labels[left] != labels[right] { return labels[left] < labels[right] }
            return precedes(left, right)
        }
        files.paths = texts.keeping(order)
        if !labels.isEmpty { files.table.labels = order.map { Int(labels[$0]) } }
        if splitNames.count > 1 {
            files.table.splitNames = names
            files.table.splits = order.map { splits[$0] }
        }
        files.table.groups = groups.groups(inOrder: order)
        if hasMasks { files.maskPaths = order.map { masks[$0].isEmpty ? [] : [masks[$0]] } }
        return files
    }

    /// Takes the list of an export of ours as it stands: in its order, with the classes and splits that the export
    /// names in theirs; false where this is none, or was changed so that it no longer fits.
    private mutating func finishExport() throws -> Bool {
        guard sources == [folder + "/metadata.csv"],
            let mark = try ExportMark.members(of: folder, trustsLinks: links == nil),
            mark["kind"] == "pngs", mark["samples"]?.integerValue == texts.count
        else { return false }
        /// The numbers of names in a list, by their bytes; nil where one is missing.
        func numbers(of found: [String], in names: [String]) -> [Int32]? {
            let known = Dictionary(names.enumerated().map { (Array($1.utf8), Int32($0)) }) { first, _ in first
            }
            let numbers = found.compactMap { known[Array($0.utf8)] }
            return numbers.count == found.count ? numbers : nil
        }
        let classNames = mark["class_names"]?.arrayValue?.compactMap(\.stringValue)
        let labelNumbers =
            if let classNames {
                numbers(of: labelNames, in: classNames)
            } else {
                LabelTexts.bareNumbers(labelNames)
            }
        let markNames = mark["split_names"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard let labelNumbers,
            let splitNumbers = numbers(of: splitNames, in: markNames.isEmpty ? [""] : markNames)
        else { return false }
        if !groups.isEmpty {
            let groupNames = mark["group_names"]?.arrayValue?.compactMap(\.stringValue)
            guard let groups = groups.groups(ofExportNaming: groupNames) else { return false }
            files.table.groups = groups
        }
        files.paths = texts
        if !labels.isEmpty {
            files.table.labels = labels.map { Int(labelNumbers[Int($0)]) }
            files.table.classNames = classNames
        }
        if !markNames.isEmpty {
            files.table.splitNames = markNames
            files.table.splits = splits.map { UInt8(truncatingIfNeeded: splitNumbers[Int($0)]) }
        }
        return true
    }

    /// Whether a path comes before another, bytewise by component: a slash comes before every other byte.
    private func precedes(_ left: Int, _ right: Int) -> Bool {
        texts.withUTF8(at: left) { left in
            texts.withUTF8(at: right) { right in
                left.lexicographicallyPrecedes(right) { first, second in
                    (first == UInt8(ascii: "/") ? 0 : first) < (second == UInt8(ascii: "/") ? 0 : second)
                }
            }
        }
    }

    /// Refuses two lines for one id.
    private func checkIds() throws {
        let order = texts.indices.sorted { left, right in
            texts.withUTF8(at: left) { left in
                texts.withUTF8(at: right) { right in
                    ImageNames.stem(of: left).lexicographicallyPrecedes(ImageNames.stem(of: right))
                }
            }
        }
        for (left, right) in zip(order, order.dropFirst()) {
            let isSame = texts.withUTF8(at: left) { left in
                texts.withUTF8(at: right) { right in
                    ImageNames.stem(of: left).elementsEqual(ImageNames.stem(of: right))
                }
            }
            guard isSame else { continue }
            let (first, second) = (min(left, right), max(left, right))
            throw DatasetError(
                .duplicateId, path: sources[Int(places[second].source)],
                "line \(places[second].line): \(texts[second]) has the same id as \(texts[first]) on line "
                    + "\(places[first].line); an image has one label")
        }
    }

    /// Takes whole numbers as they are; else the texts are the names of classes.
    private mutating func numberLabels() throws {
        guard !labels.isEmpty else { return }
        if let numbers = LabelTexts.wholeNumbers(labelNames) {
            for (position, label) in labels.enumerated() {
                let number = numbers[Int(label)]
                guard 0...Dataset.largestBareLabel ~= number else {
                    throw DatasetError(
                        .labelOutOfRange, path: sources[Int(places[position].source)],
                        "line \(places[position].line): the label \(number) is not from 0 to "
                            + "\(Dataset.largestBareLabel)")
                }
                labels[position] = Int32(number)
            }
            if let fraction = labelNames.first(where: { Int($0) == nil }) {
                files.notes.append(
                    "labels such as “\(fraction)” are the whole numbers that they are equal to")
            }
            return
        }
        let classes = LabelTexts.classes(of: labelNames)
        labels = labels.map { Int32(classes.numbers[Int($0)]) }
        files.table.classNames = classes.names
    }
}
