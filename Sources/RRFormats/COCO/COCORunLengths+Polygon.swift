extension COCORunLengths {
    /// The largest coordinate of a polygon, in pixels from the image's corner.
    private static let largestCoordinate = 1e8
    /// How finely the outline is drawn.
    private static let scale = 5

    /// Fills a polygon by the very rule of pycocotools (`rleFrPoly` in `common/maskApi.c`).
    ///
    /// The outline is drawn on a grid five times finer than the pixels: along each edge the longer extent step by
    /// step, the other rounded. Where the outline steps into the middle fifth of a column of pixels, zeros and
    /// ones change at the row of pixels whose centre comes next. What lies outside of the image is clamped above
    /// and below, and left out to the left and right.
    ///
    /// - Parameter polygon: x and y of each vertex in turn, in pixels; the last is joined to the first.
    /// - Throws: `COCODefect` where there are fewer than three vertices, half of one, a coordinate that is not finite
    ///   or beyond 10⁸, or an outline that is out of all proportion to the image.
    package init(polygon: [Double], height: Int, width: Int) throws(COCODefect) {
        guard polygon.count % 2 == 0, polygon.count >= 6 else {
            throw COCODefect(
                "a polygon has \(polygon.count) numbers; x and y of at least three vertices are needed")
        }
        try self.init(vertices: polygon, height: height, width: width)
    }

    /// Fills a box by the rule of pycocotools: as the polygon of its corners.
    ///
    /// - Parameter box: x, y, width and height, in pixels.
    /// - Throws: `COCODefect` where there are not four numbers, an extent is negative, and as the polygon.
    package init(box: [Double], height: Int, width: Int) throws(COCODefect) {
        guard box.count == 4 else {
            throw COCODefect("a box has \(box.count) numbers; x, y, width and height are needed")
        }
        guard !(box[2] < 0 || box[3] < 0) else {
            throw COCODefect("a box has the width \(box[2]) and the height \(box[3])")
        }
        let (left, top, right, bottom) = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        try self.init(
            vertices: [left, top, left, bottom, right, bottom, right, top], height: height, width: width)
    }

    private init(vertices: [Double], height: Int, width: Int) throws(COCODefect) {
        let pixelCount = try Self.pixelCount(height: height, width: width)
        var (x, y): ([Int], [Int]) = ([], [])
        for position in stride(from: 0, to: vertices.count, by: 2) {
            x.append(try Self.scaled(vertices[position]))
            y.append(try Self.scaled(vertices[position + 1]))
        }
        x.append(x[0])
        y.append(y[0])
        try Self.checkLength(x, y, pixelCount: pixelCount)

        var changes: [Int] = []
        // The outline's point before; none lies beside the first.
        var last = (x: x[0], y: y[0])
        for edge in 0..<x.count - 1 {
            let start = (x: x[edge], y: y[edge])
            let end = (x: x[edge + 1], y: y[edge + 1])
            Self.walk(from: start, to: end) { point in
                defer { last = point }
                guard point.x != last.x else { return }
                let boundary = point.x < last.x ? point.x : point.x - 1
                guard boundary >= 0, boundary % Self.scale == Self.scale / 2, boundary / Self.scale < width
                else { return }
                let row = Self.row(below: min(point.y, last.y))
                changes.append(boundary / Self.scale * height + min(row, height))
            }
        }
        self.init(changes: changes, height: height, width: width)
    }

    /// A coordinate on the finer grid, rounded towards the side that pycocotools rounds it to.
    private static func scaled(_ coordinate: Double) throws(COCODefect) -> Int {
        guard coordinate.isFinite, coordinate.magnitude <= largestCoordinate else {
            throw COCODefect("the coordinate \(coordinate) is no place in an image")
        }
        return Int(Double(scale) * coordinate + 0.5)
    }

    /// The first row of pixels whose centre is not above a place on the finer grid; 0 for what is above the image.
    private static func row(below place: Int) -> Int {
        max(0, place - scale / 2 + scale - 1) / scale
    }

    /// Refuses outlines whose drawing would take a time that their file's size does not suggest.
    private static func checkLength(_ x: [Int], _ y: [Int], pixelCount: Int) throws(COCODefect) {
        let most = max(1 << 22, min(pixelCount, 1 << 50) * 125)
        var length = 0
        for edge in 0..<x.count - 1 {
            length += max(abs(x[edge] - x[edge + 1]), abs(y[edge] - y[edge + 1])) + 1
            guard length <= most else {
                throw COCODefect(
                    "a polygon's outline is longer than \(most / scale) pixels, out of all proportion to the image"
                )
            }
        }
    }

    /// Calls a body with the points of an edge on the finer grid, from start to end.
    @inline(__always)
    private static func walk(
        from start: (x: Int, y: Int), to end: (x: Int, y: Int), _ body: ((x: Int, y: Int)) -> Void
    ) {
        let (extentX, extentY) = (abs(end.x - start.x), abs(end.y - start.y))
        guard max(extentX, extentY) > 0 else { return body(start) }
        let isFlat = extentX >= extentY
        // Both directions of an edge have the same points: it is computed from its lesser end.
        let isReversed = isFlat ? start.x > end.x : start.y > end.y
        let (low, high) = isReversed ? (end, start) : (start, end)
        let count = isFlat ? extentX : extentY
        let slope = Double(isFlat ? high.y - low.y : high.x - low.x) / Double(count)
        for number in 0...count {
            let step = isReversed ? count - number : number
            let other = Int(Double(isFlat ? low.y : low.x) + slope * Double(step) + 0.5)
            body(isFlat ? (low.x + step, other) : (other, low.y + step))
        }
    }
}
