internal import RRFormats
internal import RRSchemas

/// The list of a folder's images in `metadata.csv` or `metadata.jsonl`, as Hugging Face's image folders have it.
package struct PNGMetadata {
    /// A line of the list.
    package struct Row {
        package var fileName: String?
        package var label: String?
        package var split: String?
        package var group: String?
        package var maskFileName: String?
        /// The line on which it begins, from 1.
        package var line: Int
    }

    private let folder: String
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
    /// Nil where symbolic links may lead anywhere.
    private var links: LinkCheck?

    /// Reads the list of a folder, or those of its splits' folders; nil where there is none.
    ///
    /// - Parameter skipsMissing: whether lines for files that are not there are left out and counted; else they are errors.
    /// - Throws: `DatasetError` with the code `badMetadata`, `badFolderStructure`, `invalidOption`, `unsafeId`,
    ///   `duplicateId` or `empty`, which names the file and the line; `FormatError` where a list cannot be read.
    package static func list(
        in folder: String, splits: SplitFolders = .byName, options: ImageListOptions = ImageListOptions(),
        skipsMissing: Bool = false, trustsLinks: Bool = false
    ) throws -> PNGFileList? {
        var metadata = PNGMetadata(folder: folder, options: options, skipsMissing: skipsMissing)
        if trustsLinks { metadata.links = nil }
        let boundary = trustsLinks ? nil : folder
        if let source = try options.path ?? source(in: folder, within: boundary) {
            try metadata.read(source, prefix: "", split: nil)
            try metadata.takeSplits(fromFolders: splits)
            return try metadata.finish()
        }
        guard FileTree.kind(of: folder) == .folder else { return nil }
        let folders = try FolderListing(of: folder).names(of: .folder)
        let sources = try folders.map { try source(in: folder + "/" + $0, within: boundary) }
        let listed = zip(folders, sources).compactMap { $1 == nil ? nil : $0 }
        guard !listed.isEmpty else { return nil }
        guard splits != .none else {
            metadata.files.notes.append(
                "the lists in \(listed.joined(separator: ", ")) are not read, since \(option: .noSplits) takes folders for classes"
            )
            return nil
        }
        let parts = try SplitFolderList(
            splits,
            among: splits == .byName ? folders.filter { SplitFolders.usualName(for: $0) != nil } : folders,
            of: folder, content: .files, holdsImages: { _ in false })
        metadata.files.notes = parts.notes
        for (name, source) in zip(folders, sources) {
            let part = parts.parts.first { $0.folder == name }
            switch (part, source) {
            case (let part?, let source?):
                try metadata.read(source, prefix: name + "/", split: part.split)
            case (_?, nil):
                throw DatasetError(
                    .badMetadata, path: folder + "/" + name,
                    "there is no metadata.csv or metadata.jsonl here, but there is one in another split")
            case (nil, _?) where splits == .byName:
                throw DatasetError(
                    .badFolderStructure, path: folder + "/" + name,
                    "there is a list of images here, but the name is not that of a split: say which splits there are, "
                        + "as in \(option: .splits) train=\(name), or \(option: .noSplits) takes folders for classes "
                        + "and no list into account")
            case (nil, _?): break
            case (nil, nil) where splits == .byName:
                metadata.files.notes.append("left out, since it has no list of images: \(name)")
            case (nil, nil): break
            }
        }
        return try metadata.finish()
    }

    private static func source(in folder: String, within root: String?) throws -> String? {
        let found = try ["metadata.csv", "metadata.jsonl"].compactMap {
            try SideFile.path($0, in: folder, within: root)
        }
        guard found.count < 2 else {
            throw DatasetError(
                .badMetadata, path: folder,
                "there is a metadata.csv and a metadata.jsonl; move one of them away")
        }
        return found.first
    }

    private init(folder: String, options: ImageListOptions, skipsMissing: Bool) {
        self.skipsMissing = skipsMissing
        self.folder = folder
        self.options = options
        links = LinkCheck(root: folder)
    }

    private mutating func read(_ source: String, prefix: String, split: String?) throws {
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

    private mutating func add(_ row: Row, prefix: String, split: String?) throws {
        guard let name = row.fileName, !name.isEmpty else {
            throw fault(line: row.line, "there is no \(options.fileName)")
        }
        var path = prefix + (try checked(name, column: options.fileName, line: row.line))
        var kind = FileTree.kind(of: folder + "/" + path)
        if kind == nil {
            // A name may lack its extension, and Windows parts folders by a backslash.
            let other =
                name.contains("\\")
                ? prefix
                    + (try checked(name.replacing("\\", with: "/"), column: options.fileName, line: row.line))
                : path
            for candidate in [path + ".png", other, other + ".png"]
            where FileTree.kind(of: folder + "/" + candidate) == .file {
                (path, kind) = (candidate, .file)
                break
            }
        }
        guard Array(path.utf8).withUnsafeBufferPointer(PNGFileList.isPNG) else {
            throw fault(line: row.line, "“\(name)” is no PNG file by its name")
        }
        if let kind, kind != .file, kind != .folder {
            throw fault(line: row.line, "“\(name)” is \(kind.name), not a file")
        }
        guard kind == .file else {
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
        let mask = try row.maskFileName.flatMap { $0.isEmpty ? nil : $0 }.map {
            prefix + (try checked($0, column: options.maskFileName ?? "mask_file_name", line: row.line))
        }
        if mask != nil { hasMasks = true }
        masks.append((mask ?? "").utf8)
    }

    /// A path that stays in the folder.
    private func checked(_ name: String, column: String, line: Int) throws -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.hasPrefix("/"), !parts.contains(".."), !parts.contains("."), !parts.contains(""),
            !name.utf8.contains(0)
        else {
            throw fault(
                .unsafeId, line: line,
                "the \(column) “\(name)” is no plain path inside the folder, such as cats/1.png")
        }
        return name
    }

    private mutating func addLabel(_ row: Row) throws {
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

    /// Takes the splits from the folders of the paths, where no column says them.
    ///
    /// - Throws: `DatasetError` with the code `badFolderStructure` where only some of the paths tell, or `invalidOption`
    ///   where splits are asked for that the list does not have.
    private mutating func takeSplits(fromFolders choice: SplitFolders) throws {
        guard choice != .none, !texts.isEmpty else { return }
        let isAskedFor = choice != .byName
        guard splitNames == [""] else {
            guard !isAskedFor else {
                throw DatasetError(
                    .invalidOption, path: sources[0],
                    "the list has a column of splits, so \(option: .splits) has nothing to say; \(option: .splitValues) says "
                        + "what its values mean")
            }
            return
        }
        var least = Int.max
        for position in texts.indices where least > 0 {
            least = min(
                least, texts.withUTF8(at: position) { path in path.count { $0 == UInt8(ascii: "/") } })
        }
        // Of a list of files without folders nothing need be taken apart.
        let folders = least == 0 ? [] : texts.indices.map { texts[$0].split(separator: "/").dropLast() }
        for depth in 0..<least {
            let names = folders.map { String($0[depth]) }
            let found: [String?]
            if case .named(let named) = choice {
                found = names.map { name in named.first { $0.folder == name }?.split }
            } else {
                found = names.map(SplitFolders.usualName)
            }
            let known = Set(found.compactMap(\.self)).sorted()
            guard known.count > 1 else { continue }
            if let other = found.firstIndex(of: nil) {
                throw DatasetError(
                    .badFolderStructure, path: sources[0],
                    "line \(places[other].line): \(texts[other]) is in none of the splits that the other folders are, "
                        + "\(known.joined(separator: ", ")): a column split says which, \(option: .noSplits) that there is none"
                )
            }
            splitNames = known
            splits = found.map { name in UInt8(known.firstIndex { $0 == name } ?? 0) }
            let pairs = Set(zip(names, found.compactMap(\.self)).map { "\($0) as \($1)" }).sorted()
            files.notes.append(
                "the list has no column split; folders are read as splits: \(pairs.joined(separator: ", ")); \(option: .noSplits) takes them as they are"
            )
            return
        }
        guard !isAskedFor else {
            throw DatasetError(
                .invalidOption, path: sources[0],
                "\(option: .splits) names no two folders that the paths of the list are in")
        }
    }

    /// Sorts and numbers what was read.
    private mutating func finish() throws -> PNGFileList {
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
        let names = splitNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let numbers = splitNames.map { UInt8(names.firstIndex(of: $0) ?? 0) }
        splits = splits.map { numbers[Int($0)] }
        let order = texts.indices.sorted { left, right in
            if splits[left] != splits[right] { return splits[left] < splits[right] }
            if !labels.isEmpty, labels[left] != labels[right] { return labels[left] < labels[right] }
            return precedes(left, right)
        }
        files.paths = texts.keeping(order)
        if !labels.isEmpty { files.labels = order.map { labels[$0] } }
        if splitNames.count > 1 {
            files.splitNames = names
            files.splits = order.map { splits[$0] }
        }
        files.groups = groups.groups(inOrder: order)
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
                wholeNumbers(of: labelNames)
            }
        let markNames = mark["split_names"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard let labelNumbers,
            let splitNumbers = numbers(of: splitNames, in: markNames.isEmpty ? [""] : markNames)
        else { return false }
        if !groups.isEmpty {
            let groupNames = mark["group_names"]?.arrayValue?.compactMap(\.stringValue)
            guard let groups = groups.groups(ofExportNaming: groupNames) else { return false }
            files.groups = groups
        }
        files.paths = texts
        if !labels.isEmpty {
            files.labels = labels.map { labelNumbers[Int($0)] }
            files.classNames = classNames
        }
        if !markNames.isEmpty {
            files.splitNames = markNames
            files.splits = splits.map { UInt8(truncatingIfNeeded: splitNumbers[Int($0)]) }
        }
        return true
    }

    /// Labels that are numbers; nil where one is none, or too large.
    private func wholeNumbers(of names: [String]) -> [Int32]? {
        let numbers = names.compactMap { Int32($0) }.filter {
            0...Int32(Dataset.largestBareLabel) ~= $0
        }
        return numbers.count == names.count ? numbers : nil
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
                texts.withUTF8(at: right) { left.dropLast(4).lexicographicallyPrecedes($0.dropLast(4)) }
            }
        }
        for (left, right) in zip(order, order.dropFirst()) {
            let isSame = texts.withUTF8(at: left) { left in
                texts.withUTF8(at: right) { left.dropLast(4).elementsEqual($0.dropLast(4)) }
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
        files.classNames = classes.names
    }
}
