internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// Masks from a table of boxes: a sample's is the union of its boxes.
///
/// A pixel is in a box where its centre is: column c for `x_min ≤ c + ½ < x_max`, and rows alike. So boxes between whole
/// numbers have `x_max − x_min` columns, the one at `x_max` not among them.
struct BoxMasks: MaskSource {
    let maskShape: ImageShape
    let samples: [Int]
    let tally: MaskTally

    private let path: String
    private let placement: MaskPlacement
    private let boxes: [[BoxTable.Box]]

    /// Reads a table and finds its rows' samples.
    ///
    /// - Throws: as `BoxTable.init(path:)`; `DatasetError` with the code `unmatchedMasks`, `ambiguousName`,
    ///   `wrongMaskSize` or `badAnnotation`.
    init(path: String, names: SampleNames, dataset: Dataset) throws {
        let table = try BoxTable(path: path)
        let placement = try MaskPlacement(dataset)
        let match = try names.match(table.boxes.map(\.name), at: path)
        let found = match.samples
        guard found.contains(where: { $0 != nil }) else {
            throw names.noMatch(
                of: table.boxes.map(\.name), what: "boxes",
                remedy: "The column id holds ids, the column file_name ids with an extension", at: path)
        }
        var tally = MaskTally()
        tally.take(match)
        var counts = MaskTally.Annotations()
        var taken: [Int: [BoxTable.Box]] = [:]
        for (box, sample) in zip(table.boxes, found) {
            guard let sample else {
                tally.withoutSample.add(box.name)
                counts.unmatched += 1
                continue
            }
            try Self.check(box, placement, at: path)
            counts.used += 1
            taken[sample, default: []].append(box)
        }
        tally.annotations = counts
        let order = taken.sorted { $0.key < $1.key }
        samples = order.map(\.key)
        boxes = order.map(\.value)
        self.path = path
        self.placement = placement
        self.tally = tally
        maskShape = placement.maskShape
        for boxes in boxes {
            let first = Self.size(of: boxes[0], placement)
            if let other = boxes.first(where: { Self.size(of: $0, placement) != first }) {
                throw DatasetError(
                    .badAnnotation, path: path,
                    "line \(other.line): the image has another size than on line \(boxes[0].line)")
            }
        }
    }

    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {
        let (height, width) = Self.size(of: boxes[position][0], placement)
        let plane = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width)
        defer { plane.deallocate() }
        plane.update(repeating: 0)
        for box in boxes[position] {
            let columns = Self.pixels(from: box.left, to: box.right, extent: width)
            for row in Self.pixels(from: box.top, to: box.bottom, extent: height) {
                let line = row * width
                UnsafeMutableBufferPointer(
                    rebasing: plane[line + columns.lowerBound..<line + columns.upperBound]
                ).update(repeating: 1)
            }
        }
        placement.place(rows: UnsafeBufferPointer(plane), height: height, width: width, into: mask)
    }
}

extension BoxMasks {
    /// The pixels whose centres lie from an edge on and before the next.
    private static func pixels(from start: Double, to end: Double, extent: Int) -> Range<Int> {
        func first(_ edge: Double) -> Int { min(max(0, Int((edge - 0.5).rounded(.up))), extent) }
        return first(start)..<max(first(start), first(end))
    }

    private static func size(of box: BoxTable.Box, _ placement: MaskPlacement) -> (height: Int, width: Int) {
        box.imageSize ?? (placement.maskShape.height, placement.maskShape.width)
    }

    private static func check(_ box: BoxTable.Box, _ placement: MaskPlacement, at path: String) throws {
        guard box.imageSize != nil || !placement.resizes else {
            throw DatasetError(
                .badAnnotation, path: path,
                "the dataset's images were resized, so the boxes need the columns image_height and image_width: the "
                    + "size of the image that their pixels are of")
        }
        let (height, width) = size(of: box, placement)
        try placement.check(height: height, width: width, of: "the image of line \(box.line)", at: path)
        guard box.left < Double(width), box.top < Double(height), box.right > 0, box.bottom > 0 else {
            throw DatasetError(
                .badAnnotation, path: path,
                "line \(box.line): the box, x \(box.left) to \(box.right), y \(box.top) to \(box.bottom), lies outside of "
                    + "the image of H×W = \(height)×\(width)")
        }
    }
}

/// Boxes of a CSV file, in the order of its lines.
struct BoxTable: Sendable {
    struct Box: Sendable {
        let line: Int
        /// The id of a sample, or the name of its file without the extension.
        let name: String
        let left: Double
        let top: Double
        let right: Double
        let bottom: Double
        /// The height and width of the image that the box is in, where the table has them.
        let imageSize: (height: Int, width: Int)?
    }

    let boxes: [Box]

    private static let corners = ["x_min", "y_min", "x_max", "y_max"]
    private static let extents = ["x", "y", "width", "height"]
    private static let imageExtents = ["image_height", "image_width"]

    /// Reads a table.
    ///
    /// The columns are `id` or `file_name`; `x_min`, `y_min`, `x_max` and `y_max`, or `x`, `y`, `width` and `height`;
    /// and, where the images were resized, `image_height` and `image_width`. Others are passed over.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no CSV; `DatasetError` with the code
    ///   `badAnnotation` that names the line.
    init(path: String) throws {
        let table = try CSVTable(path: path)
        func columns(_ names: [String]) throws -> [Int]? {
            let found = try names.compactMap { try table.column($0) }
            return found.count == names.count ? found : nil
        }
        let (corners, extents) = (try columns(Self.corners), try columns(Self.extents))
        let (id, fileName) = (try table.column("id"), try table.column("file_name"))
        guard (corners == nil) != (extents == nil), (id == nil) != (fileName == nil),
            let nameColumn = id ?? fileName, let numberColumns = corners ?? extents
        else {
            throw DatasetError(
                .badAnnotation, path: path,
                "the header names \(table.header.joined(separator: ", ")); needed are either id or file_name, and either "
                    + "x_min, y_min, x_max and y_max or x, y, width and height")
        }
        let sizeColumns = try columns(Self.imageExtents)
        var boxes: [Box] = []
        try table.forEachRecord { record in
            func fault(_ message: String) -> DatasetError {
                DatasetError(.badAnnotation, path: path, "line \(record.line): \(message)")
            }
            var numbers: [Double] = []
            for column in numberColumns {
                guard let number = Double(record.fields[column]), number.isFinite, number.magnitude <= 1e9
                else {
                    throw fault("\(table.header[column]) is “\(record.fields[column])”, no number of pixels")
                }
                numbers.append(number)
            }
            if extents != nil {
                numbers[2] += numbers[0]
                numbers[3] += numbers[1]
            }
            guard numbers[2] >= numbers[0], numbers[3] >= numbers[1] else {
                throw fault(
                    "the box ends before it begins: x \(numbers[0]) to \(numbers[2]), y \(numbers[1]) to \(numbers[3])"
                )
            }
            let size = try sizeColumns?.map { column in
                guard let extent = Int(record.fields[column]), 1...1_000_000 ~= extent else {
                    throw fault("\(table.header[column]) is “\(record.fields[column])”, no number of pixels")
                }
                return extent
            }
            let name = record.fields[nameColumn]
            guard !name.isEmpty else { throw fault("the \(table.header[nameColumn]) is empty") }
            boxes.append(
                Box(
                    line: record.line, name: fileName == nil ? name : COCOMasks.stem(of: name),
                    left: numbers[0],
                    top: numbers[1], right: numbers[2], bottom: numbers[3],
                    imageSize: size.map { ($0[0], $0[1]) }))
        }
        self.boxes = boxes
    }
}
