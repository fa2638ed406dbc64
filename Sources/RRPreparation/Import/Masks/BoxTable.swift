internal import RRDatasets
internal import RRFormats

/// Boxes of a CSV file, in the order of its lines.
struct BoxTable: Sendable {
    struct Box: Sendable {
        var left: Double
        var top: Double
        var right: Double
        var bottom: Double
        /// Whether the edges are shares of the image's width and height, 0 to 1.
        var isNormalized = false

        /// Whether it reaches out of an image by more than a pixel.
        func overhangs(height: Int, width: Int) -> Bool {
            let scale = isNormalized ? (1.0, 1.0) : (Double(height), Double(width))
            let slack = isNormalized ? 0.002 : 1
            return left < -slack || top < -slack || right > scale.1 + slack || bottom > scale.0 + slack
        }
    }

    struct Row: Sendable {
        let line: Int
        /// The name of the sample by each of the table's columns that may name it.
        let names: [String]
        /// Nil where the line says that its sample has none.
        var box: Box?
        /// The height and width of the image that the box is in, where the table has them.
        var imageSize: (height: Int, width: Int)?
    }

    let path: String
    private(set) var rows: [Row] = []
    /// The columns that may name the sample.
    let nameColumns: [String]
    /// Whether the size of an image stands in columns that could be a box's.
    private(set) var takesSizeFromExtents = false
    /// How the table was read, where that is not as plain as day.
    private(set) var notes: [Message] = []

    /// Reads a table.
    ///
    /// A column names the sample, `id`, `file_name` or as others call it; four have the box: `x_min`, `y_min`, `x_max` and
    /// `y_max`, or `x`, `y`, `width` and `height`, or as others call them. Where the images were resized, `image_height` and
    /// `image_width` are needed. Or a column `bbox` has lists of four numbers. A line without a box says that its sample has none. Other columns are passed over.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no CSV; `DatasetError` with the code
    ///   `badAnnotation` that names the line.
    ///
    /// - Parameters:
    ///   - form: what the numbers of lists are; nil for what the boxes show.
    ///   - imageSize: that of the dataset's images, where the boxes are theirs.
    init(path: String, form: BoxForm? = nil, imageSize: (height: Int, width: Int)? = nil) throws {
        self.path = path
        let table = try CSVTable(path: path)
        let columns = try BoxColumns(table, at: path)
        guard form == nil || columns.listName != nil else {
            throw DatasetError(
                .invalidOption, path: path,
                "\(option: .boxes) is for a column of lists, but each number of a box has a column here")
        }
        let form = form ?? columns.form
        nameColumns = columns.names.map { table.header[$0.position] }
        var extents: [(height: Double?, width: Double?)] = []
        var negativeCount = 0
        var lists: [[Double]?] = []
        try table.forEachRecord { record in
            func fault(_ message: String) -> DatasetError {
                DatasetError(.badAnnotation, path: path, "line \(record.line): \(message)")
            }
            let names = try columns.names.map { name in
                guard let text = CSVCell.value(record.fields[name.position]) else {
                    throw fault("the \(table.header[name.position]) is empty")
                }
                return name.isFile ? COCOMasks.stem(of: text) : text
            }
            let size = try columns.imageSize?.map { column in
                let text = record.fields[column]
                guard let number = CSVCell.number(text, table.delimiter), let extent = Int(exactly: number),
                    1...1_000_000 ~= extent
                else { throw fault("\(table.header[column]) is “\(text)”, no number of pixels") }
                return extent
            }
            let extent = columns.extents(of: record)
            let boxes = try columns.boxes(of: record, fault)
            if boxes.isEmpty { negativeCount += 1 }
            for numbers in boxes.map(Optional.some) + (boxes.isEmpty ? [nil] : []) {
                let box = try numbers.flatMap { numbers in try form?.checkedBox(numbers, fault) }
                rows.append(
                    Row(line: record.line, names: names, box: box, imageSize: size.map { ($0[0], $0[1]) }))
                extents.append(extent)
                lists.append(numbers)
            }
        }
        if form == nil, let name = columns.listName {
            try takeLists(lists, extents, column: name, imageSize: imageSize)
        }
        if table.delimiter != .comma { notes.append("values are separated by \(table.delimiter.name)") }
        if negativeCount > 0 {
            notes.append("lines without a box, which say that nothing is marked: \(negativeCount)")
        }
        takeShares()
        if columns.imageSize == nil { takeSizes(extents) }
    }

    /// Takes the numbers of lists for what they must be.
    ///
    /// - Throws: `DatasetError` with the code `badAnnotation` where they can be several things, or none.
    private mutating func takeLists(
        _ lists: [[Double]?], _ extents: [(height: Double?, width: Double?)], column: String,
        imageSize: (height: Int, width: Int)?
    ) throws {
        let boxes = rows.indices.compactMap { row -> BoxList.Numbers? in
            guard let numbers = lists[row] else { return nil }
            if let size = rows[row].imageSize { return (numbers, (Double(size.height), Double(size.width))) }
            if let height = extents[row].height, let width = extents[row].width {
                return (numbers, (height, width))
            }
            return (numbers, imageSize.map { (Double($0.height), Double($0.width)) })
        }
        let forms = BoxList.forms(of: boxes)
        guard let form = forms.first, !boxes.isEmpty else {
            guard !boxes.isEmpty else { return }
            let tried = [BoxForm.corner, .edges].map(\.words).joined(separator: " and as ")
            throw DatasetError(
                .badAnnotation, path: path,
                "the boxes of the column \(column) end before they begin, read as \(tried); \(option: .boxes) cxcywh "
                    + "reads them as \(BoxForm.centre.words)")
        }
        guard forms.count == 1 else {
            let line = zip(rows, lists).first { $1 != nil }?.0.line ?? 0
            let readings = forms.map { "\($0.rawValue) (\($0.words))" }.joined(separator: ", or as ")
            throw DatasetError(
                .badAnnotation, path: path,
                "line \(line): the boxes of the column \(column) can be read as \(readings), and nothing tells which: "
                    + "\(option: .boxes) \(forms.map(\.rawValue).joined(separator: " or ")) says which")
        }
        for row in rows.indices { rows[row].box = lists[row].map(form.box) }
        notes.append(
            "the lists of the column \(column) are read as \(form.words), which alone fits all boxes; "
                + "\(option: .boxes) says it outright")
    }

    /// Takes coordinates for shares of the image where all are from 0 to 1, and not all of them whole.
    private mutating func takeShares() {
        let edges = rows.compactMap(\.box).flatMap { [$0.left, $0.top, $0.right, $0.bottom] }
        guard edges.allSatisfy({ 0...1.001 ~= $0 }), edges.contains(where: { $0.rounded() != $0 }) else {
            return
        }
        for row in rows.indices { rows[row].box?.isNormalized = true }
        notes.append("all coordinates are from 0 to 1: they are shares of the image's width and height")
    }

    /// Takes the columns `width` and `height` beside four edges for the image's size where they are not the box's and all
    /// boxes lie within.
    private mutating func takeSizes(_ extents: [(height: Double?, width: Double?)]) {
        let lines = zip(rows, extents).filter { $0.0.box != nil }
        let sizes = lines.map { row, extent -> (box: Box, height: Int, width: Int)? in
            guard let box = row.box, let height = extent.height.flatMap(Int.init(exactly:)),
                let width = extent.width.flatMap(Int.init(exactly:)), 1...1_000_000 ~= height,
                1...1_000_000 ~= width
            else { return nil }
            return (box, height, width)
        }
        let known = sizes.compactMap(\.self)
        guard known.count == sizes.count, !known.isEmpty else { return }
        let areOfBoxes = known.allSatisfy { box, height, width in
            abs(box.right - box.left - Double(width)) <= 1.5
                && abs(box.bottom - box.top - Double(height)) <= 1.5
        }
        let holdAll = known.allSatisfy { box, height, width in
            box.isNormalized || (box.right <= Double(width) + 1 && box.bottom <= Double(height) + 1)
        }
        guard holdAll, !areOfBoxes else { return }
        takesSizeFromExtents = true
        for position in rows.indices where rows[position].box != nil {
            guard let height = extents[position].height, let width = extents[position].width else { continue }
            rows[position].imageSize = (Int(height), Int(width))
        }
        notes.append("the columns width and height are taken for the image's size: all boxes lie within it")
    }

    /// The column that names the samples: the one whose names are samples of the dataset.
    ///
    /// - Throws: `DatasetError` with the code `badAnnotation` where two columns name different samples equally well.
    func nameColumn(for names: SampleNames) throws -> Int {
        guard nameColumns.count > 1 else { return 0 }
        let found = nameColumns.indices.map { column in
            try? names.match(rows.map { $0.names[column] }, at: path)
        }
        func rank(_ column: Int) -> (Int, Int) {
            guard let match = found[column] else { return (0, 0) }
            let count = match.samples.count { $0 != nil }
            return (count == 0 ? 0 : match.matching == .id ? 2 : 1, count)
        }
        let best = nameColumns.indices.max { rank($0) < rank($1) } ?? 0
        let first = nameColumns.indices.first { rank($0) == rank(best) } ?? best
        for other in nameColumns.indices
        where other != first && rank(other) == rank(first) && rank(first).1 > 0 {
            guard let one = found[first]?.samples, let two = found[other]?.samples,
                let position = zip(one, two).enumerated().first(where: { $1.0 != $1.1 })?.offset
            else { continue }
            throw DatasetError(
                .badAnnotation, path: path,
                "line \(rows[position].line): the columns \(nameColumns[first]) and \(nameColumns[other]) name "
                    + "different samples, “\(rows[position].names[first])” and “\(rows[position].names[other])”; leave "
                    + "out the one that is not meant")
        }
        return first
    }
}
