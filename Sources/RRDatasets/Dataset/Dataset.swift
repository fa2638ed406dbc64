public import RRFormats
public import RRTensor
internal import Synchronization

/// Images with labels, ids and splits, read from a dataset file, a folder of PNGs, or several of them.
///
/// All but the images and ids is held in memory. Any number of threads may read at once.
///
/// ```swift
/// let dataset = try Dataset(path: "d.h5")
/// for sample in try dataset.samples(inSplit: "train") {
///     let image = try sample.image
/// }
/// ```
public final class Dataset: Sendable {
    /// What our files name as their `creator`.
    package static let creator = Release.name
    /// The largest label that needs no name; tables of classes are sized by it.
    package static let largestBareLabel = 1_000_000

    /// What images of some channels are called where nobody says it.
    package static func color(channels: Int) -> String {
        1...4 ~= channels ? PNGHeader.colorNames[channels - 1] : "other"
    }

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

    /// The bytes of an image as it is stored.
    package let imageSize: Int

    let source: any DatasetSource
    /// The dataset whose classes have other numbers here; nil for a dataset as it stands in its files.
    private let original: Dataset?
    /// Which samples' images have been found right.
    let verified: SampleFlags
    /// Readers that no thread has at the moment.
    let readers: ImageReaderPool
    private let knownFingerprint: Mutex<String?>
    /// The ids, once a sample was asked for.
    private let keptIds = Mutex<[String]?>(nil)

    /// Opens a dataset file, or a folder of PNGs as `init(pngFolder:reading:)` does.
    ///
    /// - Parameters:
    ///   - path: a dataset file or a folder.
    ///   - reading: how a folder is read; a file is read as it is.
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no
    ///   dataset, or its arrays do not fit each other.
    public convenience init(path: String, reading: ImageFolderOptions = ImageFolderOptions()) throws {
        if FileTree.kind(of: path) == .folder {
            try self.init(pngFolder: path, reading: reading)
        } else {
            self.init(try DatasetFile(path: path))
        }
    }

    /// Opens a folder of PNGs, whose samples are those that an import of it would have.
    ///
    /// The header of every file is read at once; images are decoded as they are read. A file that is written to,
    /// replaced or taken away later is an error of the reading.
    ///
    /// - Throws: `FormatError` and `DatasetError` as an import of the folder, but that damage to pixels shows only as
    ///   they are read.
    public convenience init(pngFolder folder: String, reading: ImageFolderOptions = ImageFolderOptions())
        throws
    {
        self.init(try ImageFolder(folder: folder, reading: reading))
    }

    init(_ source: some DatasetSource) {
        let contents = source.contents
        path = contents.path
        sampleCount = contents.sampleCount
        imageShape = contents.imageShape
        elementType = contents.elementType
        imageSize = contents.imageSize
        color = contents.color
        labels = contents.table.labels
        classNames = contents.table.classNames
        classCount = contents.table.classCount
        splitNames = contents.table.splitNames
        splits = contents.table.splits
        groups = contents.table.groups
        self.source = source
        original = nil
        verified = SampleFlags(count: contents.sampleCount)
        readers = ImageReaderPool()
        knownFingerprint = Mutex(source.storedFingerprint)
    }

    /// Gives the samples of a dataset other labels, as a model numbers its classes.
    ///
    /// Everything else is that of the dataset, its fingerprint too: masks are for samples, whatever their classes are
    /// called.
    ///
    /// - Parameters:
    ///   - labels: one for each sample.
    ///   - classNames: by the new labels; nil for bare numbers.
    package convenience init(_ dataset: Dataset, labels: [Int], classNames: [String]?) {
        self.init(
            viewing: dataset, labels: labels, classNames: classNames, splits: dataset.splits,
            splitNames: dataset.splitNames)
    }

    /// The splits of a dataset of which samples are held out: those to train on, and those that were taken from them.
    package static let keptSplit = "kept"
    package static let heldOutSplit = "held-out"

    /// Takes samples away from those that are trained on, to judge by them.
    ///
    /// The dataset then has the splits `kept` and `held-out`, and `other` for samples that are in neither. Everything else is
    /// that of the dataset, its fingerprint too.
    ///
    /// - Parameters:
    ///   - share: from 0 to 1; ⌊share · count⌋ samples are held out, at least one.
    ///   - rows: the samples to take them from.
    ///   - seed: decides which they are.
    package convenience init(_ dataset: Dataset, holdingOut share: Double, of rows: [Int], seed: UInt64) {
        var splits = [UInt8](repeating: 2, count: dataset.sampleCount)
        for row in rows { splits[row] = 0 }
        var generator = SplitMix64(seed: seed)
        for row in rows.shuffled(using: &generator).prefix(max(1, Int(share * Double(rows.count)))) {
            splits[row] = 1
        }
        self.init(
            viewing: dataset, labels: dataset.labels, classNames: dataset.classNames, splits: splits,
            splitNames: [Self.keptSplit, Self.heldOutSplit, "other"])
    }

    private init(
        viewing dataset: Dataset, labels: [Int]?, classNames: [String]?, splits: [UInt8]?,
        splitNames: [String]
    ) {
        path = dataset.path
        sampleCount = dataset.sampleCount
        imageShape = dataset.imageShape
        elementType = dataset.elementType
        imageSize = dataset.imageSize
        color = dataset.color
        self.labels = labels
        self.classNames = classNames
        classCount = SampleTable(labels: labels, classNames: classNames).classCount
        self.splitNames = splitNames
        self.splits = splits
        groups = dataset.groups
        source = dataset.source
        original = dataset
        verified = dataset.verified
        readers = dataset.readers
        knownFingerprint = Mutex(nil)
    }

    /// How the files were read, where they allow more than one reading: what those who use the dataset should know.
    public var notes: [Message] { source.contents.notes }

    /// The datasets that this one joins; empty where it is of one file or folder.
    package var parts: [Dataset] { source.parts }

    /// Whether images are read from a folder of PNGs.
    package var readsFolder: Bool { source.readsFolder }

    /// The size of each image before it was resized; nil where images were not, or the file does not say.
    public var sourceSizes: [ImageSize]? { source.contents.table.sourceSizes }

    /// Reads the id of each sample.
    ///
    /// - Throws: `FormatError` or `DatasetError` where `/ids` is missing, damaged or of another length.
    public func ids() throws -> [String] { try source.ids() }

    /// The ids, kept in memory from the first time on.
    func idsOfSamples() throws -> [String] {
        try keptIds.withLock { kept in
            if let kept { return kept }
            let ids = try ids()
            kept = ids
            return ids
        }
    }

    /// What the dataset says of its samples, with their ids.
    ///
    /// - Throws: as `ids()`.
    public func table() throws -> SampleTable {
        var table = source.contents.table
        table.labels = labels
        table.splits = splits
        table.splitNames = splitNames
        table.classNames = classNames
        table.ids = try ids()
        return table
    }

    /// How the images were resized when they were imported, so that their masks can be resized alike; nil where
    /// they were not, or the file does not say.
    ///
    /// - Throws: `FormatError` where the file is damaged; `DatasetError` with the code `wrongAttribute` where
    ///   `provenance` names a resizing that makes no sense.
    public func resizing() throws -> Resizing? { try source.resizing() }

    /// What the file says of the dataset's making, as it stands there; nil where it says nothing, or there is no such
    /// file.
    ///
    /// - Throws: `FormatError` where the file is damaged.
    package func provenanceText() throws -> String? { try source.provenanceText() }

    /// How the images are stored.
    ///
    /// - Throws: `FormatError` where the file is damaged.
    package func compression() throws -> Compression { try source.compression() }
}

// The splits.
extension Dataset {
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
            .unknownSplit, path: path,
            "there is no split “\(name)”: \(known); “all” takes every sample"
                + NearestNames(to: name, among: splitNames + ["all"]).question)
    }

    /// The split that a command takes where none is named: `name` where the dataset has splits, else `all`.
    ///
    /// A dataset with splits of other names gets `name` all the same, and then an error that lists them: all
    /// samples would mix what the splits keep apart.
    package func split(preferring name: String) -> String {
        splitNames.isEmpty ? "all" : name
    }
}

// The fingerprint.
extension Dataset {
    /// The hexadecimal SHA-256 over ids, labels, image shape and checksums.
    ///
    /// A dataset file has it stored. Of a folder of PNGs, whose images must be decoded for it, and of several files that
    /// are joined, it is computed when it is first asked for.
    ///
    /// - Throws: of a folder `DatasetError` with the code `unreadableImage`, or `FormatError`, with the file; of joined
    ///   files as `ids()`.
    public var fingerprint: String {
        get throws { try fingerprint { _, _ in } }
    }

    /// Whether the fingerprint need not be computed.
    package var hasFingerprint: Bool {
        original?.hasFingerprint ?? knownFingerprint.withLock { $0 != nil }
    }

    /// The same, telling how far decoding has come.
    ///
    /// - Parameter progress: called with the number of images done and the number of all of a folder.
    package func fingerprint(progress: (_ done: Int, _ total: Int) -> Void) throws -> String {
        if let original { return try original.fingerprint(progress: progress) }
        if let known = knownFingerprint.withLock({ $0 }) { return known }
        let ids = try ids()
        let fingerprint = try DatasetFingerprint.compute(
            id: { ids[$0] }, labels: labels, imageShape: imageShape,
            checksums: checksums(progress: progress))
        knownFingerprint.withLock { $0 = fingerprint }
        return fingerprint
    }

    /// The CRC-32 of each image's stored bytes.
    ///
    /// - Throws: as `fingerprint`.
    package func checksums(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws -> [UInt32] {
        try source.checksums(progress: progress)
    }
}
