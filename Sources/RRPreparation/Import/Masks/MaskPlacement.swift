internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Brings masks of one channel to the size of a dataset's images, as the images were.
struct MaskPlacement: Sendable {
    /// The shape `(1, H, W)` of the masks that come out.
    let maskShape: ImageShape
    private let resizing: Resizing?
    /// The size of each sample's image before it was resized; nil where nobody knows.
    private let sourceSizes: [ImageSize]?

    /// The most pixels of a mask that is to be resized; it bounds the memory that a file can ask for.
    private static let largestPixelCount = 1 << 27

    /// - Throws: `FormatError` or `DatasetError` where what the dataset says of its resizing is damaged.
    init(_ dataset: Dataset) throws {
        maskShape = try ImageShape(
            channels: 1, height: dataset.imageShape.height, width: dataset.imageShape.width)
        resizing = try dataset.resizing()
        sourceSizes = dataset.sourceSizes
    }

    /// What those should know whose masks cannot be compared with their images; nil where they can.
    var note: Message? {
        resizing != nil && sourceSizes == nil
            ? "the dataset does not say how large its images were before they were resized, so masks of any size are "
                + "taken; a dataset that this release imports says it"
            : nil
    }

    /// Whether masks may have another size than the dataset's images.
    var resizes: Bool { resizing != nil }

    /// Whether each image was scaled as a whole, so that shares of it are those of what it became.
    var stretches: Bool { resizing?.fit == .stretch }

    /// Checks that a sample's mask can have a size: that of its image, before it was resized or after.
    ///
    /// - Throws: `DatasetError` with the code `wrongMaskSize` that names both sizes.
    func check(
        height: Int, width: Int, ofSample sample: Int, _ what: String, at path: String
    ) throws(DatasetError) {
        if resizing != nil {
            if let size = sourceSizes?[sample], !fits(height: height, width: width, sample: sample) {
                let isTurned = size.height == width && size.width == height
                throw DatasetError(
                    .wrongMaskSize, path: path,
                    "\(what) is of H×W = \(height)×\(width), but the image was of \(size) before it was resized to "
                        + "\(maskShape.height)×\(maskShape.width): a mask has the one size or the other"
                        + (isTurned ? Self.hintAtTurning : ""))
            }
            let (count, overflow) = height.multipliedReportingOverflow(by: width)
            guard height > 0, width > 0, !overflow, count <= Self.largestPixelCount else {
                throw DatasetError(
                    .wrongMaskSize, path: path,
                    "\(what) is of H×W = \(height)×\(width); at most \(Self.largestPixelCount) pixels are resized"
                )
            }
            return
        }
        guard height == maskShape.height, width == maskShape.width else {
            let isTurned = height == maskShape.width && width == maskShape.height
            let turning: Message = isTurned ? Self.hintAtTurning : ""
            throw DatasetError(
                .wrongMaskSize, path: path,
                "\(what) is of H×W = \(height)×\(width), but the dataset's images are of "
                    + "\(maskShape.height)×\(maskShape.width), and the dataset knows of no resizing; resize images and "
                    + "masks together with import pngs \(option: .size) \(maskShape.height)x\(maskShape.width)\(turning)"
            )
        }
    }

    /// Whether a size is that of a sample's image, before it was resized or after.
    func fits(height: Int, width: Int, sample: Int) -> Bool {
        height == maskShape.height && width == maskShape.width
            || sourceSizes?[sample] == ImageSize(height: height, width: width)
    }

    private static let hintAtTurning: Message =
        ". It fits once it is turned: were the images turned by their eXIf chunks, as \(option: .orientation) says, or the "
        + "masks?"

    /// Writes a plane of rows, of a size that was checked, in the size of the images.
    func place(
        rows: UnsafeBufferPointer<UInt8>, height: Int, width: Int,
        into mask: UnsafeMutableBufferPointer<UInt8>
    ) {
        if let resizing, height != maskShape.height || width != maskShape.width {
            resizing.pickNearest(rows, height: height, width: width, into: mask)
        } else {
            _ = mask.update(fromContentsOf: rows)
        }
    }

    /// Writes a plane of columns, `(W, H)`, in the size of the images.
    func place(
        columns: UnsafeBufferPointer<UInt8>, height: Int, width: Int,
        into mask: UnsafeMutableBufferPointer<UInt8>
    ) {
        guard height != maskShape.height || width != maskShape.width else {
            return Self.turn(columns, height: height, width: width, into: mask)
        }
        let rows = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width)
        defer { rows.deallocate() }
        Self.turn(columns, height: height, width: width, into: rows)
        place(rows: UnsafeBufferPointer(rows), height: height, width: width, into: mask)
    }

    /// Makes rows of columns, a tile at a time that stays in the cache.
    private static func turn(
        _ columns: UnsafeBufferPointer<UInt8>, height: Int, width: Int,
        into rows: UnsafeMutableBufferPointer<UInt8>
    ) {
        let tile = 32
        for top in stride(from: 0, to: height, by: tile) {
            for left in stride(from: 0, to: width, by: tile) {
                for row in top..<min(top + tile, height) {
                    for column in left..<min(left + tile, width) {
                        rows[row * width + column] = columns[column * height + row]
                    }
                }
            }
        }
    }
}
