internal import RRDatasets
internal import RRFormats

/// Which columns of a table say what of a box; names are compared without case and separators.
struct BoxColumns {
    /// Columns that may name the sample, and whether they name its file.
    let names: [(position: Int, isFile: Bool)]
    /// The height and width of the image.
    let imageSize: [Int]?

    private let table: CSVTable
    /// The columns of a box's numbers, or the one with lists of them.
    private let numbers: [Int]
    /// What the numbers are; nil where lists do not say it by the name of their column.
    let form: BoxForm?
    /// The name of the column with lists; nil where each number has a column.
    let listName: String?
    private let loneExtents: [Int]?
    private let classColumn: Int?
    private let targetColumn: Int?

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
                    + "x_min, y_min, x_max and y_max or x, y, width and height, or a column bbox with four numbers in each cell"
            )
        }
        let (edges, corners) = (try complete(Self.edges), try complete(Self.corners))
        let centres = try complete(Self.centres)
        let atEdges = try edges.isEmpty && corners.isEmpty ? complete(Self.cornersAtEdges) : []
        let found =
            edges.map { (BoxForm.edges, $0) } + (corners + atEdges).map { (BoxForm.corner, $0) }
            + centres.map { (BoxForm.centre, $0) }
        if found.isEmpty, let list = BoxList.column(among: plain) {
            (form, numbers, listName) = (list.form, [list.position], table.header[list.position])
        } else {
            guard found.count == 1, let (form, numbers) = found.first else { throw fault() }
            (self.form, self.numbers, listName) = (form, numbers, nil)
        }
        imageSize = try complete(Self.imageExtents).first
        loneExtents =
            if form == .edges || listName != nil { try complete([["height", "width"]]).first } else { nil }

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

    /// The four numbers of each box of a record; none where it says that there is no box.
    ///
    /// - Throws: what `fault` makes of a number that is none, and a line that both has a box and says that there is none.
    func boxes(
        of record: CSVTable.Record, _ fault: (String) -> DatasetError
    ) throws -> [[Double]] {
        let name = classColumn.map { record.fields[$0] } ?? ""
        let saysNone = name.lowercased().filter(\.isLetter) == "nofinding"
        let target = targetColumn.flatMap { CSVCell.number(record.fields[$0], table.delimiter) }
        let boxes = try listName.map { try list(of: record, $0, fault) } ?? numbers(of: record, fault)
        guard !boxes.isEmpty else {
            guard target != 1 else { throw fault("the target is 1, but there is no box") }
            return []
        }
        // VinDr's tables fill the box of a picture without findings with 0, 0, 1, 1.
        if saysNone, boxes == [[0, 0, 1, 1]] { return [] }
        guard !saysNone, target != 0 else {
            throw fault(
                "there is a box, but \(saysNone ? "“\(name)”" : "the target 0") says that there is none")
        }
        return boxes
    }

    private func list(
        of record: CSVTable.Record, _ name: String, _ fault: (String) -> DatasetError
    ) throws -> [[Double]] {
        let text = record.fields[numbers[0]]
        guard let boxes = BoxList.boxes(in: text) else {
            throw fault("\(name) is “\(text)”, no list of four numbers, such as [12, 30, 8, 8]")
        }
        return boxes
    }

    private func numbers(
        of record: CSVTable.Record, _ fault: (String) -> DatasetError
    ) throws -> [[Double]] {
        let cells = numbers.map { record.fields[$0] }
        guard cells.contains(where: { !CSVCell.lacksNumber($0) }) else { return [] }
        let values = try zip(numbers, cells).map { column, cell in
            guard let number = CSVCell.number(cell, table.delimiter), number.isFinite, number.magnitude <= 1e9
            else { throw fault("\(table.header[column]) is “\(cell)”, no number of pixels") }
            return number
        }
        return [values]
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
