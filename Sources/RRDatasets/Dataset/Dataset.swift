internal import RRFormats
internal import RRSchemas
public import RRTensor
internal import Synchronization

/// Images with labels, ids and splits, read from a dataset file or a folder of PNGs.
///
/// Of a file all but the images and ids is held in memory. Any number of threads may read at once.
public final class Dataset: Sendable {
    /// What our files name as their `creator`.
    package static let creator = "rrdata 0.1.0"
    /// The largest label that needs no name; tables of classes are sized by it.
    package static let largestBareLabel = 1_000_000

    /// The file or folder.
    public let path: String
    /// The number of samples, N.
    public let sampleCount: Int
    /// The shape `(C, H, W)` of every image.
    public let imageShape: ImageShape
    /// The type in which images are stored; they are read as float32.
    public let elementType: ImageElementType
    /// What the channels are: `gray`, `rgb`, `gray-alpha`, `rgba` or `other`.
    public let color: String
    /// The label of each sample; nil where the dataset has none.
    public let labels: [Int]?
    /// The names of the classes by label; nil where the labels are bare numbers or absent.
    public let classNames: [String]?
    /// The number of classes: of names, else the largest label and one; 0 without labels.
    public let classCount: Int
    /// The names of the splits by number; empty where the dataset has one split.
    public let splitNames: [String]
    /// The number of each sample's split; nil where the dataset has one split.
    public let splits: [UInt8]?
    /// The group of each sample; nil where the samples are in none.
    public let groups: SampleGroups?

    /// The CRC-32 of each image's stored bytes; empty where the images are of a folder, or of parts.
    let storedChecksums: [UInt32]
    let knownFingerprint: Mutex<String?>
    let source: any ImageSource
    /// Which samples' checksums have been found right.
    let verified: VerifiedSamples
    /// The datasets that this one joins; empty where it is of one file.
    package let parts: [Dataset]
    /// The folder that the images are read from; nil for files.
    let pngs: PNGFolderSource?

    /// Opens a dataset file, or a folder of PNGs as `init(pngFolder:reading:)` does.
    ///
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no
    ///   dataset, or its arrays do not fit each other.
    public convenience init(path: String) throws {
        if FileTree.kind(of: path) == .folder {
            try self.init(pngFolder: path)
        } else {
            try self.init(file: path)
        }
    }

    /// Opens a folder of PNGs, whose samples are those that an import of it would have.
    ///
    /// The header of every file is read at once; images are decoded as they are read. A file that is written to,
    /// replaced or taken away later is an error of the reading.
    ///
    /// - Throws: `FormatError` and `DatasetError` as `PNGFolderImport.run(progress:)`, but that damage to pixels shows
    ///   only as they are read.
    public init(pngFolder folder: String, reading: ImageFolderOptions = ImageFolderOptions()) throws {
        let source = try PNGFolderSource(folder: folder, reading: reading)
        let (files, header) = (source.files, source.header)
        path = folder
        sampleCount = files.count
        elementType = header.bitDepth == 16 ? .uint16 : .uint8
        imageShape = try ImageShape(channels: header.channels, height: header.height, width: header.width)
        color = PNGHeader.colorNames[header.channels - 1]
        labels = files.labels.map { $0.map { Int($0) } }
        classNames = files.classNames
        classCount = files.classNames?.count ?? files.labels.map { Int($0.max() ?? -1) + 1 } ?? 0
        splits = files.splits.isEmpty ? nil : files.splits
        splitNames = files.splitNames
        groups = files.groups
        storedChecksums = []
        knownFingerprint = Mutex(nil)
        self.source = source
        verified = VerifiedSamples(count: 0)
        parts = []
        pngs = source
    }

    private init(file path: String) throws {
        let file = try HDF5File(reading: path)
        try FileFormat.dataset.check(file)
        let reader = DatasetReader(file: file)
        let images = try reader.images()
        let count = images.shape[0]
        self.path = path
        sampleCount = count
        elementType = try reader.elementType(of: images)
        imageShape = try ImageShape(
            channels: images.shape[1], height: images.shape[2], width: images.shape[3])
        color = try reader.color(of: images)
        storedChecksums = try reader.list("/checksum", count: count, as: UInt32.self)
        (labels, classNames, classCount) = try reader.labels(count: count)
        (splits, splitNames) = try reader.splits(count: count)
        groups = try reader.groups(count: count)
        knownFingerprint = Mutex(try reader.string("fingerprint"))
        source = try reader.source(
            of: images, elementType: elementType, rowSize: imageShape.elementCount * elementType.size)
        verified = VerifiedSamples(count: count)
        parts = []
        pngs = nil
    }

    /// Takes what was joined of datasets that fit each other.
    init(_ join: DatasetJoin) {
        let first = join.first
        path = join.parts.map(\.path).joined(separator: " + ")
        sampleCount = join.parts.reduce(0) { $0 + $1.sampleCount }
        (imageShape, elementType, color) = (first.imageShape, first.elementType, first.color)
        (labels, classNames, classCount) = (join.labels, first.classNames, join.classCount)
        (splitNames, splits) = (join.splitNames, join.splits)
        groups = join.groups
        storedChecksums = []
        knownFingerprint = Mutex(nil)
        source = JoinedImageSource(join.parts.map { ($0.source, $0.sampleCount) }, rowSize: first.imageSize)
        verified = VerifiedSamples(count: 0)
        parts = join.parts
        pngs = nil
    }

    /// Reads the id of each sample.
    ///
    /// - Throws: `FormatError` or `DatasetError` where `/ids` is missing, damaged or of another length.
    public func ids() throws -> [String] {
        guard parts.isEmpty else { return try parts.flatMap { try $0.ids() } }
        if let pngs { return Array(pngs.files.ids) }
        return try DatasetReader(file: HDF5File(reading: path)).ids(count: sampleCount)
    }

    /// How the images were resized when they were imported, so that their masks can be resized alike; nil where
    /// they were not, or the file does not say.
    ///
    /// - Throws: `FormatError` where the file is damaged; `DatasetError` with the code `wrongAttribute` where
    ///   `provenance` names a resizing that makes no sense.
    public func resizing() throws -> Resizing? {
        guard parts.isEmpty else {
            let all = try Set(parts.map { try $0.resizing() })
            return all.count == 1 ? all.first ?? nil : nil
        }
        if let pngs { return try pngs.resizing() }
        guard case .string(let text)? = try HDF5File(reading: path).attribute("provenance"),
            let resize = (try? JSONValue(parsing: text))?["resize"], resize != .null
        else { return nil }
        guard let resizing = Resizing(json: resize) else {
            throw DatasetError(
                .wrongAttribute, path: path,
                "the attribute “provenance” names a resizing without a height, width and fit: "
                    + "\(resize.serialized().prefix(80))")
        }
        return resizing
    }

    /// The indices of the samples of a split, ascending; of all samples for the name `all`.
    ///
    /// - Throws: `DatasetError` with the code `unknownSplit`, which lists the names.
    public func indices(inSplit name: String) throws -> [Int] {
        if let splits, let number = splitNames.firstIndex(of: name) {
            return splits.indices.filter { Int(splits[$0]) == number }
        }
        if name == "all" { return Array(0..<sampleCount) }
        let known =
            splitNames.isEmpty
            ? "the dataset has no splits" : "its splits are " + splitNames.joined(separator: ", ")
        throw DatasetError(
            .unknownSplit, path: path, "there is no split “\(name)”: \(known); “all” takes every sample")
    }

    /// The split that a command takes where none is named: `name` where the dataset has splits, else `all`.
    ///
    /// A dataset with splits of other names gets `name` all the same, and then an error that lists them: all
    /// samples would mix what the splits keep apart.
    package func split(preferring name: String) -> String {
        splitNames.isEmpty ? "all" : name
    }
}
