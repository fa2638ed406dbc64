internal import RRFormats
internal import RRSchemas
internal import RRTensor

/// A dataset in a file of ours. All but images and ids is held in memory.
struct DatasetFile: DatasetSource {
    let contents: DatasetContents
    let storedFingerprint: String?
    private static let idPlace = "/ids"

    private let storedChecksums: [UInt32]
    /// Nil for a file that was written before there were any.
    private let digests: ContentDigests?
    private let images: HDF5Array
    /// The file of the images, by which a change to it is noticed.
    private let file: InputFile
    let block: ImageBlock

    /// - Throws: `FormatError` where the file is not there or is no sound HDF5; `DatasetError` where it is no dataset,
    ///   or its arrays do not fit each other.
    init(path: String) throws {
        let file = try HDF5File(reading: path)
        try FileFormat.dataset.check(file)
        digests = try ContentDigests(of: file)
        // Ids are checked as they are read.
        try digests?.check(file, excluding: [Self.idPlace])
        let reader = DatasetReader(file: file)
        let array = try reader.images()
        let count = array.shape[0]
        let elementType = try reader.elementType(of: array)
        let imageShape = try ImageShape(
            channels: array.shape[1], height: array.shape[2], width: array.shape[3])
        let color = try reader.color(of: array)
        storedChecksums = try reader.list("/checksum", count: count, as: UInt32.self)
        let (labels, classNames) = try reader.labels(count: count)
        let (splits, splitNames) = try reader.splits(count: count)
        contents = DatasetContents(
            path: path, sampleCount: count, imageShape: imageShape, elementType: elementType, color: color,
            table: SampleTable(
                labels: labels, classNames: classNames, splits: splits, splitNames: splitNames,
                groups: try reader.groups(count: count),
                sourceSizes: try reader.sourceSizes(count: count)))
        storedFingerprint = try reader.string("fingerprint")
        images = try HDF5Array(array)
        self.file = try images.ownFile ?? InputFile(reading: path)
        block = Self.block(of: images, layout: array.layout, rowSize: contents.imageSize)
    }

    private static func block(of images: HDF5Array, layout: HDF5Layout, rowSize: Int) -> ImageBlock {
        if images.ownFile != nil {
            // Small images cost a system call each; large ones come from the system's own cache as fast as from ours.
            return ImageBlock(rows: max(1, (8 << 10) / rowSize), isWorthKeeping: rowSize < 32 << 10)
        }
        var rows = 1
        if case .chunked(let extents, _) = layout, let extent = extents.first {
            rows = max(1, min(extent, images.shape[0]))
        }
        return ImageBlock(rows: rows, isWorthKeeping: true, isIndivisible: true)
    }

    var parts: [Dataset] { [] }
    var readsFolder: Bool { false }

    func makeReader() -> any ImageRowReader { HDF5RowReader(images) }

    func checkUnchanged() throws(FormatError) { try file.checkUnchanged() }

    func ids() throws -> [String] {
        let ids = try DatasetReader(file: HDF5File(reading: contents.path)).ids(count: contents.sampleCount)
        guard digests?[Self.idPlace].map({ $0 == ContentDigests.digest(of: ids) }) ?? true else {
            throw ContentDigests.changed(Self.idPlace, in: contents.path)
        }
        return ids
    }

    func checksums(progress: (Int, Int) -> Void) -> [UInt32] { storedChecksums }

    func verify(_ image: UnsafeRawBufferPointer, at index: Int) throws(DatasetError) {
        let (found, stored) = (CRC32.checksum(of: image), storedChecksums[index])
        guard found != stored else { return }
        let id = (try? ids()[index]).map { "“\($0)”" } ?? "without an id"
        throw DatasetError(
            .checksumMismatch, path: "\(contents.path):/images",
            "sample \(index) (\(id)) is corrupt: its bytes have the checksum \(found), "
                + "but \(stored) was stored. Import the dataset anew")
    }

    func resizing() throws -> Resizing? {
        guard let text = try provenanceText(), let resize = (try? JSONValue(parsing: text))?["resize"],
            resize != .null
        else { return nil }
        guard let resizing = Resizing(json: resize) else {
            throw DatasetError(
                .wrongAttribute, path: contents.path,
                "the attribute “provenance” names a resizing without a height, width and fit: "
                    + "\(resize.serialized().prefix(80))")
        }
        return resizing
    }

    func provenanceText() throws -> String? {
        guard case .string(let text)? = try HDF5File(reading: contents.path).attribute("provenance") else {
            return nil
        }
        return text
    }

    func compression() throws -> Compression {
        guard case .chunked(_, let filters) = try HDF5File(reading: contents.path).dataset("/images").layout,
            !filters.isEmpty
        else { return .none }
        return .deflate
    }
}

extension HDF5RowReader: ImageRowReader {}

/// Reads the parts of a dataset file and refuses what does not fit.
struct DatasetReader {
    let file: HDF5File

    private func fault(_ code: DatasetError.Code, _ objectPath: String, _ message: String) -> DatasetError {
        DatasetError(code, path: objectPath == "/" ? file.path : "\(file.path):\(objectPath)", message)
    }

    func require(_ objectPath: String) throws -> HDF5Dataset {
        guard file.exists(objectPath) else {
            let names = try file.memberNames(of: "/").joined(separator: ", ")
            throw fault(
                .missingObject, objectPath,
                "the array is missing; the file holds \(names.isEmpty ? "nothing" : names)")
        }
        return try file.dataset(objectPath)
    }

    /// `/images`, of four dimensions and not empty.
    func images() throws -> HDF5Dataset {
        let images = try require("/images")
        guard images.shape.rank == 4 else {
            throw fault(.wrongShape, "/images", "the shape is \(images.shape), where (N, C, H, W) is needed")
        }
        guard images.shape.elementCount > 0 else {
            throw fault(.empty, "/images", "there are no pixels: the shape is \(images.shape)")
        }
        try images.checkSize()
        return images
    }

    func elementType(of images: HDF5Dataset) throws -> ImageElementType {
        guard let type = ImageElementType(images.elementType) else {
            throw fault(
                .wrongType, "/images",
                "the type is \(images.elementType), where uint8, uint16 or float32 (little-endian) is needed")
        }
        return type
    }

    /// The attribute `color`, or where it is missing what the number of channels suggests.
    func color(of images: HDF5Dataset) throws -> String {
        if let color = try file.attribute("color", of: "/images")?.text { return color }
        return [1: "gray", 3: "rgb"][images.shape[1]] ?? "other"
    }

    /// A list with an element for each sample.
    func list<Element: HDF5Element>(_ objectPath: String, count: Int, as type: Element.Type) throws
        -> [Element]
    {
        let dataset = try require(objectPath)
        guard dataset.shape.dimensions == [count] else {
            throw fault(
                .wrongShape, objectPath,
                "the shape is \(dataset.shape), but there are \(count) images: (\(count)) is needed")
        }
        guard dataset.elementType.isInteger else {
            throw fault(
                .wrongType, objectPath, "the type is \(dataset.elementType), where integers are needed")
        }
        return try dataset.readAll(as: type)
    }

    func string(_ attribute: String) throws -> String {
        guard let value = try file.attribute(attribute) else {
            throw fault(.missingObject, "/", "the attribute “\(attribute)” is missing")
        }
        guard let text = value.text else {
            throw fault(.wrongAttribute, "/", "the attribute “\(attribute)” is no text")
        }
        return text
    }

    /// A list of names that is an attribute of an array; nil where there is none.
    func names(_ attribute: String, of objectPath: String) throws -> [String]? {
        guard let value = try file.attribute(attribute, of: objectPath) else { return nil }
        guard let names = value.texts else {
            throw fault(.wrongAttribute, objectPath, "the attribute “\(attribute)” is no list of texts")
        }
        return names
    }

    /// The labels, where there are any, and what the classes are called.
    func labels(count: Int) throws -> (labels: [Int]?, classNames: [String]?) {
        guard file.exists("/labels") else { return (nil, nil) }
        let labels = try list("/labels", count: count, as: Int64.self).map { Int($0) }
        let classNames = try names("class_names", of: "/labels")
        let classCount = classNames?.count ?? min((labels.max() ?? -1), Dataset.largestBareLabel) + 1
        if let index = labels.firstIndex(where: { $0 < 0 || $0 >= classCount }) {
            throw fault(
                .labelOutOfRange, "/labels",
                "sample \(index) has the label \(labels[index]), but the classes are 0 to \(classCount - 1)")
        }
        return (labels, classNames)
    }

    /// The number of each sample's split, where there are any, and what the splits are called.
    func splits(count: Int) throws -> (splits: [UInt8]?, names: [String]) {
        guard file.exists("/split") else { return (nil, []) }
        let splits = try list("/split", count: count, as: UInt8.self)
        guard let names = try names("split_names", of: "/split") else {
            throw fault(.missingObject, "/split", "the attribute “split_names” is missing")
        }
        if let index = splits.firstIndex(where: { Int($0) >= names.count }) {
            throw fault(
                .splitOutOfRange, "/split",
                "sample \(index) is in split \(splits[index]), but \(names.count) splits are named")
        }
        return (splits, names)
    }

    /// The group of each sample; nil where there are none.
    func groups(count: Int) throws -> SampleGroups? {
        guard file.exists("/group") else { return nil }
        let numbers = try list("/group", count: count, as: Int64.self).map { Int($0) }
        let names = try names("group_names", of: "/group")
        let limit = names?.count ?? Dataset.largestBareLabel + 1
        if let index = numbers.firstIndex(where: { $0 < 0 || $0 >= limit }) {
            throw fault(
                .groupOutOfRange, "/group",
                "sample \(index) is in group \(numbers[index]), but the groups are 0 to \(limit - 1)")
        }
        return SampleGroups(numbers: numbers, names: names)
    }

    /// The size of each image before it was resized; nil where the file says none.
    func sourceSizes(count: Int) throws -> [ImageSize]? {
        guard file.exists("/source_size") else { return nil }
        let sizes = try require("/source_size")
        guard sizes.shape.dimensions == [count, 2], sizes.elementType.isInteger else {
            throw fault(
                .wrongShape, "/source_size",
                "this is \(sizes.elementType) of the shape \(sizes.shape), where integers (\(count), 2) are needed"
            )
        }
        let extents = try sizes.readAll(as: Int32.self)
        if let place = extents.firstIndex(where: { $0 < 1 }) {
            throw fault(
                .valueOutOfRange, "/source_size", "an extent of sample \(place / 2) is \(extents[place])")
        }
        return (0..<count).map {
            ImageSize(height: Int(extents[2 * $0]), width: Int(extents[2 * $0 + 1]))
        }
    }

    func ids(count: Int) throws -> [String] {
        let dataset = try require("/ids")
        guard dataset.shape.dimensions == [count] else {
            throw fault(
                .wrongShape, "/ids",
                "the shape is \(dataset.shape), but there are \(count) images: (\(count)) is needed")
        }
        return try dataset.readStrings()
    }
}
