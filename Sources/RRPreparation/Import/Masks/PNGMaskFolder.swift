internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Masks from a folder of PNG files that are named after the samples' ids.
struct PNGMaskFolder: MaskSource {
    let maskShape: ImageShape
    let samples: [Int]

    private let opened: MaskTally
    private let readings = OccurrenceCounts<PNGMask.Reading>()
    private let folder: String
    /// The files of each of `samples`, relative to the folder; of several the union is the mask.
    private let files: [[String]]
    private let placement: MaskPlacement
    private let rule: PNGMask.Rule
    private let orientation: ImageFolderOptions.Orientation
    private let turned: TurnedImages
    private let met = MaskFileTally()

    /// Finds the files and their samples.
    ///
    /// - Throws: `FormatError` where the folder is missing or cannot be read; `DatasetError` with the code `empty`,
    ///   `badFolderStructure`, `invalidOption`, `unmatchedMasks`, `ambiguousName` or `duplicateMask`.
    init(
        folder: String, names: SampleNames, dataset: Dataset, options: MaskImport.Options,
        turned: TurnedImages
    ) throws {
        let pattern =
            try options.match.map { text throws(DatasetError) in try MaskNamePattern(text) } ?? .idAlone
        let scan = try MaskFolderScan(folder: folder)
        var tally = MaskTally()
        tally.otherFileCount = scan.otherFileCount
        var candidates: [(file: String, name: String, isNumbered: Bool)] = []
        for file in scan.files {
            let name = String(file.dropLast(4))
            if let id = pattern.id(in: name) {
                candidates.append((file, id, false))
            } else if let id = pattern.id(inNumbered: name) {
                candidates.append((file, id, true))
            } else {
                tally.withoutSample.add(file)
            }
        }
        let match = try names.match(candidates.map(\.name), at: folder, checksStrangers: true) { folder in
            "\(option: .match) '\(pattern.inFolder(folder))' says so"
        }
        let found = match.samples
        guard found.contains(where: { $0 != nil }) else {
            throw names.noMatch(
                of: scan.files, what: "masks",
                remedy: Self.remedy(for: scan.files.map { String($0.dropLast(4)) }, names), at: folder)
        }
        tally.take(match)
        var taken: [Int: [Int]] = [:]
        for (position, sample) in found.enumerated() {
            let candidate = candidates[position]
            guard let sample else {
                tally.withoutSample.add(candidate.file)
                continue
            }
            // Several numbered masks under one name are parts of one.
            if let other = taken[sample]?.first.map({ candidates[$0] }),
                other.name != candidate.name || !(other.isNumbered || candidate.isNumbered)
            {
                throw DatasetError(
                    .duplicateMask, path: folder,
                    "\(other.file) and \(candidate.file) are for the same sample “\(names.ids[sample])”; move one of them away"
                )
            }
            taken[sample, default: []].append(position)
        }
        let order = taken.sorted { $0.key < $1.key }
        samples = order.map(\.key)
        files = order.map { $0.value.map { candidates[$0].file } }
        let unions = files.filter { $0.count > 1 }
        if let first = unions.first {
            tally.readings.append(
                "samples with several masks, whose union is taken: \(unions.count) "
                    + "(\(first.prefix(MaskTally.Names.shownCount).joined(separator: ", "))"
                    + "\(unions.count > 1 || first.count > MaskTally.Names.shownCount ? ", …" : ""))")
        }
        placement = try MaskPlacement(dataset)
        maskShape = placement.maskShape
        self.turned = try turned.deciding(
            files: zip(samples, files).map { ($0, $1) }, in: folder, height: maskShape.height,
            width: maskShape.width)
        rule = options.pngRule
        orientation = options.orientation
        self.folder = folder
        opened = tally
    }

    /// Takes the files that the images' metadata or their own names name.
    ///
    /// - Parameter paths: the paths of each sample's masks relative to the folder.
    /// - Throws: `DatasetError` with the code `unsafeId` for a path that leads out of the folder.
    init(
        folder: String, paths: [[String]], dataset: Dataset, options: MaskImport.Options, turned: TurnedImages
    ) throws {
        samples = paths.indices.filter { !paths[$0].isEmpty }
        files = samples.map { paths[$0] }
        let all = Array(files.joined())
        if let file = all.first(where: { $0.hasPrefix("/") || $0.split(separator: "/").contains("..") }) {
            throw DatasetError(
                .unsafeId, path: folder, "the mask file “\(file)” would lead out of the folder")
        }
        try MaskFolderScan.checkLinks(all, in: folder)
        placement = try MaskPlacement(dataset)
        maskShape = placement.maskShape
        self.turned = try turned.deciding(
            files: zip(samples, files).map { ($0, $1) }, in: folder, height: maskShape.height,
            width: maskShape.width)
        rule = options.pngRule
        orientation = options.orientation
        self.folder = folder
        opened = MaskTally()
    }

    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {
        let files = files[position]
        let sample = samples[position]
        try read(files[0], ofSample: sample, into: mask)
        guard files.count > 1 else { return }
        let other = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: mask.count)
        defer { other.deallocate() }
        for file in files.dropFirst() {
            try read(file, ofSample: sample, into: other)
            for place in mask.indices { mask[place] |= other[place] }
        }
    }

    func file(at path: String) -> String {
        path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }

    private func read(_ name: String, ofSample sample: Int, into mask: UnsafeMutableBufferPointer<UInt8>)
        throws
    {
        let file = PNGMask(path: folder + "/" + name)
        let turn = turned.turn(ofFile: name)
        let reading = try file.read(
            rule, ofSample: sample, placement, orientation, asImage: turn, met, into: mask)
        if let reading {
            readings.add(reading)
        }
    }

    var tally: MaskTally {
        var tally = opened
        let colors = readings.count(of: .paletteColors)
        if colors > 0 {
            tally.readings.append(
                "masks read by the black and white of their palettes, not by its numbers: \(colors); "
                    + "\(option: .maskValues) 1 reads the numbers")
        }
        let void = readings.count(of: .void)
        if void > 0 {
            tally.readings.append(
                "masks with void pixels (255 of Pascal VOC's palette), which no mask marks as wrong: \(void)")
        }
        tally.readings += met.value.notes(orientation, of: "masks")
        if turned.fileCount > 0 {
            tally.readings.append(
                "masks without an eXIf chunk that were turned as their images are: \(turned.fileCount)")
        }
        return tally
    }

    private static func remedy(for stems: [String], _ names: SampleNames) -> Message {
        let pattern =
            MaskNamePattern.proposal(for: stems) { names.index(ofId: $0) != nil }
            ?? MaskNamePattern.proposal(for: stems.map(SampleNames.baseName)) {
                names.index(ofBaseName: $0) != nil
            }
        if let pattern {
            return
                "\(option: .match) '\(pattern)' would match: the pattern is of the file's name without .png"
        }
        return "Where the file names hold more than the id, \(option: .match) '{id}_segmentation' says what"
    }
}

/// The PNG files in and below a folder, sorted bytewise by path component.
struct MaskFolderScan {
    /// The paths relative to the folder.
    private(set) var files: [String] = []
    /// The number of files that are no PNG by their names.
    private(set) var otherFileCount = 0

    /// - Throws: `FormatError` with the code `notFound`, `cannotRead` or `unsupported`; `DatasetError` with the code
    ///   `badFolderStructure`, `unsafeId` (a link out of the folder) or `empty`.
    init(folder: String) throws {
        // Only links on the way to images are refused, and in words of masks.
        try FolderListing(of: folder).visitFiles { file in
            if file.isImage(.pngs) { files.append(file.path) } else { otherFileCount += 1 }
        }
        guard !files.isEmpty else {
            throw DatasetError(.empty, path: folder, "the folder holds no PNG files (names that end in .png)")
        }
        try Self.checkLinks(files, in: folder)
    }

    /// Refuses files that symbolic links outside of the folder lead to.
    ///
    /// - Throws: `DatasetError` with the code `unsafeId`.
    static func checkLinks(_ files: [String], in folder: String) throws(DatasetError) {
        var links = LinkCheck(root: folder)
        for file in files {
            guard let target = links.targetOutside(file) else { continue }
            throw DatasetError(
                .unsafeId, path: folder + "/" + file,
                "a symbolic link leads out of the folder, to \(target); copy the masks into the folder")
        }
    }
}
