internal import RRDatasets
internal import RRFormats

/// Which columns of a table say what of a box; names are compared without case and separators.
struct BoxColumns {
    /// Columns that may name the sample, and whether they name its file.
    let names: [(position: Int, isFile: Bool)]
    /// The height and width of the image.
    let imageSize: [Int]?

    private let table: CSVTable
    private let form: Form
    private let numbers: [Int]
    private let loneExtents: [Int]?
    private let classColumn: Int?
    private let targetColumn: Int?

    /// What four numbers of a box are.
    private enum Form {
        /// The left, upper, right and lower edge.
        case edges
        /// The left and upper edge, width and height.
        case corner
        /// The centre, width and height.
        case centre
    }

    private static let edges = [
        ["xmin", "ymin", "xmax", "ymax"], ["x0", "y0", "x1", "y1"], ["x1", "y1", "x2", "y2"],
        ["left", "top", "right", "bottom"], ["bboxxmin", "bboxymin", "bboxxmax", "bboxymax"],
        ["bboxx1", "bboxy1", "bboxx2", "bboxy2"],
    ]
    private static let corners = [
        ["x", "y", "width", "height"], ["x", "y", "w", "h"], ["left", "top", "width", "height"],
        ["left", "top", "w", "h"], ["bboxx", "bboxy", "bboxwidth", "bboxheight"],
        ["bboxx", "bboxy", "bboxw", "bboxh"], ["bboxx", "y", "w", "h"],
    ]
    private static let cornersAtEdges = [
        ["xmin", "ymin", "width", "height"], ["xmin", "ymin", "w", "h"], ["x1", "y1", "width", "height"],
        ["x1", "y1", "w", "h"],
    ]
    private static let centres = [
        ["xcenter", "ycenter", "width", "height"], ["xcentre", "ycentre", "width", "height"],
        ["xcenter", "ycenter", "w", "h"], ["centerx", "centery", "width", "height"], ["cx", "cy", "w", "h"],
        ["cx", "cy", "width", "height"],
    ]
    private static let imageExtents = [
        ["imageheight", "imagewidth"], ["imgheight", "imgwidth"], ["imageh", "imagew"], ["imgh", "imgw"],
        ["originalheight", "originalwidth"], ["origheight", "origwidth"],
    ]
    /// What others call the column with the sample's id or file.
    private static let otherNames = [
        "imageid", "image", "imagename", "imagefile", "imagefilename", "imagepath", "imageindex", "img",
        "imgid", "imgname", "imgpath", "imgfilename", "file", "filename", "filepath", "path", "fname",
        "patientid", "studyid", "sampleid",
    ]
    private static let fileEndings = [
        ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".dcm", ".dicom",
    ]

    /// - Throws: `DatasetError` with the code `badAnnotation`; `FormatError` where two columns have one name.
    init(_ table: CSVTable, at path: String) throws {
        self.table = table
        let plain = table.header.map { name in name.lowercased().filter { $0.isLetter || $0.isNumber } }
        func position(_ name: String) throws -> Int? {
            guard let first = plain.firstIndex(of: name) else { return nil }
            // Two columns of a name that matters are an error, whoever of the two is meant.
            if plain.lastIndex(of: name) != first { _ = try table.column(table.header[first]) }
            return first
        }
        func complete(_ lists: [[String]]) throws -> [[Int]] {
            try lists.map { try $0.compactMap(position) }.filter { $0.count == lists[0].count }
        }
        func fault() -> DatasetError {
            DatasetError(
                .badAnnotation, path: path,
                "the header names \(table.header.joined(separator: ", ")); needed are either id or file_name, and either "
                    + "x_min, y_min, x_max and y_max or x, y, width and height")
        }
        let (edges, corners) = (try complete(Self.edges), try complete(Self.corners))
        let centres = try complete(Self.centres)
        let atEdges = try edges.isEmpty && corners.isEmpty ? complete(Self.cornersAtEdges) : []
        let found =
            edges.map { (Form.edges, $0) } + (corners + atEdges).map { (Form.corner, $0) }
            + centres.map { (Form.centre, $0) }
        guard found.count == 1, let (form, numbers) = found.first else { throw fault() }
        (self.form, self.numbers) = (form, numbers)
        imageSize = try complete(Self.imageExtents).first
        loneExtents =
            if form == .edges { try complete([["height", "width"]]).first } else { nil }

        let (id, file) = (try table.column("id"), try table.column("file_name"))
        guard id == nil || file == nil else { throw fault() }
        let others = plain.indices.filter { position in
            Self.otherNames.contains(plain[position]) && position != file
        }
        func isFile(_ position: Int) -> Bool {
            var (isFirst, ends) = (true, false)
            try? table.forEachRecord { record in
                guard isFirst else { return }
                isFirst = false
                let text = record.fields[position].lowercased()
                ends = Self.fileEndings.contains { text.hasSuffix($0) }
            }
            return ends
        }
        names =
            (id.map { [($0, false)] } ?? []) + (file.map { [($0, true)] } ?? [])
            + others.map { ($0, isFile($0)) }
        guard !names.isEmpty else { throw fault() }
        classColumn = plain.firstIndex {
            ["classname", "class", "label", "finding", "category"].contains($0)
        }
        targetColumn = plain.firstIndex(of: "target")
    }

    /// The box of a record; nil where it says that there is none.
    ///
    /// - Throws: what `fault` makes of a number that is none, a box that ends before it begins, and a line that both has a
    ///   box and says that there is none.
    func box(
        of record: CSVTable.Record, _ fault: (String) -> DatasetError
    ) throws -> BoxTable.Box? {
        let cells = numbers.map { record.fields[$0] }
        let lacking = cells.filter(CSVCell.lacksNumber).count
        let name = classColumn.map { record.fields[$0] } ?? ""
        let saysNone = name.lowercased().filter(\.isLetter) == "nofinding"
        let target = targetColumn.flatMap { CSVCell.number(record.fields[$0], table.delimiter) }
        if lacking == cells.count {
            guard target != 1 else { throw fault("the target is 1, but there is no box") }
            return nil
        }
        var values: [Double] = []
        for (column, cell) in zip(numbers, cells) {
            guard let number = CSVCell.number(cell, table.delimiter), number.isFinite, number.magnitude <= 1e9
            else { throw fault("\(table.header[column]) is “\(cell)”, no number of pixels") }
            values.append(number)
        }
        // VinDr's tables fill the box of a picture without findings with 0, 0, 1, 1.
        if saysNone, values == [0, 0, 1, 1] { return nil }
        guard !saysNone, target != 0 else {
            throw fault(
                "there is a box, but \(saysNone ? "“\(name)”" : "the target 0") says that there is none")
        }
        let (first, second, third, fourth) = (values[0], values[1], values[2], values[3])
        let box =
            switch form {
            case .edges: BoxTable.Box(left: first, top: second, right: third, bottom: fourth)
            case .corner:
                BoxTable.Box(left: first, top: second, right: first + third, bottom: second + fourth)
            case .centre:
                BoxTable.Box(
                    left: first - third / 2, top: second - fourth / 2, right: first + third / 2,
                    bottom: second + fourth / 2)
            }
        guard box.right >= box.left, box.bottom >= box.top else {
            throw fault(
                "the box ends before it begins: x \(box.left) to \(box.right), y \(box.top) to \(box.bottom)")
        }
        return box
    }

    /// What columns of height and width say beside four edges.
    func extents(of record: CSVTable.Record) -> (height: Double?, width: Double?) {
        guard let loneExtents else { return (nil, nil) }
        return (
            CSVCell.number(record.fields[loneExtents[0]], table.delimiter),
            CSVCell.number(record.fields[loneExtents[1]], table.delimiter)
        )
    }
}
