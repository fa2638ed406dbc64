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
