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

    private let placement: MaskPlacement
    private let inverts: Bool
    /// The rows of each of `samples`; some say that there is no box.
    private let rows: [[BoxTable.Row]]

    /// Reads a table and finds its rows' samples.
    ///
    /// - Throws: as `BoxTable.init(path:)`; `DatasetError` with the code `unmatchedMasks`, `ambiguousName`,
    ///   `contradictoryFolder`, `wrongMaskSize` or `badAnnotation`.
    init(path: String, names: SampleNames, dataset: Dataset, options: MaskImport.Options) throws {
        let placement = try MaskPlacement(dataset)
        let size = (placement.maskShape.height, placement.maskShape.width)
        let table = try BoxTable(
            path: path, form: options.boxes, imageSize: placement.resizes ? nil : size)
        let column = try table.nameColumn(for: names)
        let rowNames = table.rows.map { $0.names[column] }
        let match = try names.match(rowNames, at: path)
        guard match.samples.contains(where: { $0 != nil }) else {
            throw names.noMatch(
                of: rowNames, what: "boxes",
                remedy: "The column id holds ids, the column file_name ids with an extension", at: path)
        }
        var tally = MaskTally()
        tally.take(match)
        tally.readings = table.notes
        if table.nameColumns.count > 1 {
            tally.readings.append("the samples' names are those of the column \(table.nameColumns[column])")
        }
        var counts = MaskTally.Annotations()
        var taken: [Int: [BoxTable.Row]] = [:]
        for (position, sample) in match.samples.enumerated() {
            let row = table.rows[position]
            guard let sample else {
                tally.withoutSample.add(rowNames[position])
                if row.box != nil { counts.unmatched += 1 }
                continue
            }
            if let box = row.box {
                try Self.check(box, of: row, sample: sample, table, placement)
                counts.used += 1
            }
            taken[sample, default: []].append(row)
        }
        let boxes = taken.values.joined().compactMap { row in row.box.map { (row, $0) } }
        let overhanging = boxes.count { row, box in
            let (height, width) = Self.size(of: row, placement)
            return box.overhangs(height: height, width: width)
        }
        tally.readings += [MaskTally.note(onOverhanging: overhanging, of: boxes.count)].compactMap(\.self)
        tally.annotations = counts
        let order = taken.sorted { $0.key < $1.key }
        samples = order.map(\.key)
        rows = order.map(\.value)
        self.placement = placement
        self.tally = tally
        inverts = options.adjustment.inverts
        maskShape = placement.maskShape
        for rows in rows {
            let boxes = rows.filter { $0.box != nil }
            guard let first = boxes.first else { continue }
            let size = Self.size(of: first, placement)
            if let other = boxes.first(where: { Self.size(of: $0, placement) != size }) {
                throw DatasetError(
                    .badAnnotation, path: path,
                    "line \(other.line): the image has another size than on line \(first.line)")
            }
        }
    }

    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {
        let boxes = rows[position].filter { $0.box != nil }
        let (height, width) =
            boxes.first.map { Self.size(of: $0, placement) } ?? (maskShape.height, maskShape.width)
        let plane = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: height * width)
        defer { plane.deallocate() }
        plane.update(repeating: 0)
        for case let box? in boxes.map(\.box) {
            let columns = Self.pixels(from: box.left, to: box.right, of: box, extent: width)
            for row in Self.pixels(from: box.top, to: box.bottom, of: box, extent: height) {
                let line = row * width
                UnsafeMutableBufferPointer(
                    rebasing: plane[line + columns.lowerBound..<line + columns.upperBound]
                ).update(repeating: 1)
            }
        }
        if inverts { MaskAdjustment.invert(plane) }
        placement.place(rows: UnsafeBufferPointer(plane), height: height, width: width, into: mask)
    }
}

extension BoxMasks {
    /// The pixels whose centres lie from an edge on and before the next.
    private static func pixels(
        from start: Double, to end: Double, of box: BoxTable.Box, extent: Int
    ) -> Range<Int> {
        let scale = box.isNormalized ? Double(extent) : 1
        func first(_ edge: Double) -> Int {
            min(max(0, Int((edge * scale - 0.5).rounded(.up))), extent)
        }
        return first(start)..<max(first(start), first(end))
    }

    private static func size(of row: BoxTable.Row, _ placement: MaskPlacement) -> (height: Int, width: Int) {
        row.imageSize ?? (placement.maskShape.height, placement.maskShape.width)
    }

    private static func check(
        _ box: BoxTable.Box, of row: BoxTable.Row, sample: Int, _ table: BoxTable, _ placement: MaskPlacement
    ) throws {
        // Shares of an image that was stretched are shares of what it became.
        guard row.imageSize != nil || !placement.resizes || (box.isNormalized && placement.stretches) else {
            throw DatasetError(
                .badAnnotation, path: table.path,
                "the dataset's images were resized, so the boxes need the columns image_height and image_width: the "
                    + "size of the image that their pixels are of")
        }
        let (height, width) = size(of: row, placement)
        do {
            try placement.check(
                height: height, width: width, ofSample: sample, "the image of line \(row.line)",
                at: table.path)
        } catch {
            guard table.takesSizeFromExtents else { throw error }
            throw DatasetError(
                error.code, path: error.path,
                error.message
                    + ". The size is that of the columns width and height; where the boxes are of the dataset's images "
                    + "already, leave these columns out")
        }
        let (right, bottom) = box.isNormalized ? (1, 1) : (Double(width), Double(height))
        guard box.left < right, box.top < bottom, box.right > 0, box.bottom > 0 else {
            throw DatasetError(
                .badAnnotation, path: table.path,
                "line \(row.line): the box, x \(box.left) to \(box.right), y \(box.top) to \(box.bottom), lies outside of "
                    + "the image of H×W = \(height)×\(width)")
        }
    }
}
