internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// A folder that may hold annotations: a file for each image, or CVAT's file of all.
struct AnnotationFolder {
    let path: String
    /// The files of each form, relative to the folder, sorted bytewise by path component.
    private(set) var files: [MaskSourceKind: [String]] = [:]

    private static let otherTexts: Set = [
        "classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "labels.txt",
        "predefined_classes.txt",
    ]

    /// Looks at the files of a folder, by name and by what they hold.
    ///
    /// - Throws: `FormatError` where the folder is missing or cannot be read; `DatasetError` with the code
    ///   `badFolderStructure`, or `unsafeId` for a link out of the folder.
    init(_ path: String) throws {
        self.path = path
        var found: [MaskSourceKind: [String]] = [:]
        try FolderListing(of: path).visitFiles { file in
            let name = file.path.lowercased()
            if file.isImage(.pngs) {
                found[.pngs, default: []].append(file.path)
            } else if name.hasSuffix(".json") {
                found[.labelme, default: []].append(file.path)
            } else if name.hasSuffix(".xml") {
                found[.cvat, default: []].append(file.path)
            } else if name.hasSuffix(".txt"), Self.mayBeLabels(SampleNames.baseName(name)) {
                found[.yolo, default: []].append(file.path)
            }
        }
        files = found
    }

    private static func mayBeLabels(_ name: String) -> Bool {
        !otherTexts.contains(name) && !name.hasPrefix("readme") && !name.hasPrefix("license")
    }

    /// Keeps of each form the files that are of it by their content.
    private mutating func keepSound() throws {
        func keep(_ kind: MaskSourceKind, _ isSound: (String) throws -> Bool) rethrows {
            files[kind] = try files[kind]?.filter { try isSound(path + "/" + $0) }
            if files[kind]?.isEmpty == true { files[kind] = nil }
        }
        try keep(.labelme) { try MaskSourceKind.ofJSON($0) == .labelme }
        try keep(.cvat) { try Self.isCVAT(FileBytes.read($0, prefix: 4096)) }
        try keep(.yolo) { try YOLOLabels.areLabels(FileBytes.read($0, prefix: 512).droppingCutLine) }
        if let texts = files[.yolo],
            try texts.allSatisfy({ try FileBytes.read(path + "/" + $0, prefix: 1).isEmpty })
        {
            files[.yolo] = nil
        }
    }

    /// Reads the annotations of a form, and names the files beside them that look like it by their names alone.
    ///
    /// - Throws: as `init` and the reader of the form; `DatasetError` with the code `empty` where there are none.
    mutating func read(_ kind: MaskSourceKind) throws -> AnnotationSet {
        let all = files[kind] ?? []
        try keepSound()
        let sound = files[kind] ?? []
        guard let first = sound.first else {
            throw DatasetError(.empty, path: path, "the folder has no files that are \(kind.name)")
        }
        var set: AnnotationSet
        switch kind {
        case .labelme: set = try LabelmeFiles.read(sound, in: path)
        case .yolo: set = try YOLOLabels.read(sound, in: path)
        default:
            guard sound.count == 1 else {
                throw DatasetError(
                    .badFolderStructure, path: path,
                    "there are several files of CVAT, \(first) and \(sound[1]); name the one that is meant")
            }
            set = try CVATFile.read(path + "/" + first)
        }
        let others = Set(all).subtracting(sound).sorted()
        if let other = others.first {
            set.notes.append(
                "files that are none of these annotations, passed over: \(others.count) (\(other)\(others.count > 1 ? ", …" : ""))"
            )
        }
        return set
    }

    /// What the folder holds masks as.
    ///
    /// Image files beside annotations are what was annotated, unless they can be masks themselves: gray or with a palette,
    /// of at most two values.
    ///
    /// - Parameter prefersImages: whether options are given that only mask images have a use for.
    /// - Throws: `DatasetError` with the code `badFolderStructure` where two readings are left, and as `init`.
    mutating func kind(prefersImages: Bool) throws -> MaskSourceKind {
        guard Set(files.keys) != [.pngs], !files.isEmpty, !prefersImages else { return .pngs }
        try keepSound()
        var kinds = [MaskSourceKind.labelme, .cvat, .yolo].filter { files[$0] != nil }
        guard !kinds.isEmpty else { return .pngs }
        if let images = files[.pngs], images.prefix(3).allSatisfy({ Self.mayBeMask(path + "/" + $0) }) {
            kinds.append(.pngs)
        }
        guard let kind = kinds.first, kinds.count == 1 else {
            let readings = kinds.map(\.name).joined(separator: ", or as ")
            let choices = kinds.map(\.rawValue).joined(separator: " or ")
            throw DatasetError(
                .badFolderStructure, path: path,
                "this can be read as \(readings), and nothing tells which: \(option: .format) \(choices) says which"
            )
        }
        return kind
    }

    /// Whether XML begins with CVAT's element, whatever stands before it.
    private static func isCVAT(_ start: [UInt8]) -> Bool {
        MaskSourceKind.isXML(start)
            && String(decoding: start, as: UTF8.self).contains("<annotations")
    }

    private static func mayBeMask(_ path: String) -> Bool {
        guard let bytes = try? FileBytes.read(path),
            let image = try? PNGDecoder.decodeStored(bytes, path: path)
        else { return false }
        guard image.bitDepth == 8 else { return false }
        var colors: Set<[UInt8]> = []
        for start in stride(from: 0, to: image.samples.count, by: image.channels) {
            colors.insert(Array(image.samples[start..<start + image.channels]))
            guard colors.count <= 2 else { return false }
        }
        return true
    }
}

extension [UInt8] {
    /// The bytes without a last line that goes on beyond them.
    fileprivate var droppingCutLine: [UInt8] {
        guard count == 512, let end = lastIndex(of: UInt8(ascii: "\n")) else { return self }
        return Array(self[...end])
    }
}

extension OptionName {
    static let format = OptionName("format")
}
