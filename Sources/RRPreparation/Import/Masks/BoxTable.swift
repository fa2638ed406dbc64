internal import RRDatasets
internal import RRFormats

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
