internal import RRFormats
internal import RRSchemas
public import RRTensor

/// Images with labels, ids and splits, read from a dataset file.
///
/// All but the images and ids is held in memory. Any number of threads may read at once.
public final class Dataset: Sendable {
    /// What our files name as their `creator`.
    package static let creator = "rrdata 0.1.0"

    /// The file.
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
    /// The hexadecimal SHA-256 over ids, labels, image shape and checksums.
    public let fingerprint: String

    /// The CRC-32 of each image's stored bytes.
    package let checksums: [UInt32]
    let source: any ImageSource
    /// Which samples' checksums have been found right.
    let verified: VerifiedSamples
    /// The datasets that this one joins; empty where it is of one file.
    package let parts: [Dataset]

    /// Opens a dataset file.
    ///
    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no
    ///   dataset, or its arrays do not fit each other.
    public init(path: String) throws {
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
        checksums = try reader.list("/checksum", count: count, as: UInt32.self)
        (labels, classNames, classCount) = try reader.labels(count: count)
        (splits, splitNames) = try reader.splits(count: count)
        groups = try reader.groups(count: count)
        fingerprint = try reader.string("fingerprint")
        source = try reader.source(
            of: images, elementType: elementType, rowSize: imageShape.elementCount * elementType.size)
        verified = VerifiedSamples(count: count)
        parts = []
    }

    /// Takes what was joined of datasets that fit each other.
    init(_ join: DatasetJoin, fingerprint: String) {
        let first = join.first
        path = join.parts.map(\.path).joined(separator: " + ")
        sampleCount = join.checksums.count
        (imageShape, elementType, color) = (first.imageShape, first.elementType, first.color)
        (labels, classNames, classCount) = (join.labels, first.classNames, join.classCount)
        (splitNames, splits) = (join.splitNames, join.splits)
        groups = join.groups
        self.fingerprint = fingerprint
        checksums = join.checksums
        source = JoinedImageSource(join.parts.map { ($0.source, $0.sampleCount) }, rowSize: first.imageSize)
        verified = VerifiedSamples(count: join.checksums.count)
        parts = join.parts
    }

    /// Reads the id of each sample.
    ///
    /// - Throws: `FormatError` or `DatasetError` where `/ids` is missing, damaged or of another length.
    public func ids() throws -> [String] {
        guard parts.isEmpty else { return try parts.flatMap { try $0.ids() } }
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
