/// How finely outlines are drawn.
private let scale = 5

extension COCORunLengths {
    /// The largest coordinate of a polygon, in pixels from the image's corner.
    private static let largestCoordinate = 1e8

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

        var outline = Outline(height: height, width: width)
        for edge in 0..<x.count - 1 {
            outline.draw(from: (x[edge], y[edge]), to: (x[edge + 1], y[edge + 1]))
        }
        self.init(changes: outline.changes, height: height, width: width)
    }

    /// A coordinate on the finer grid, rounded towards the side that pycocotools rounds it to.
    private static func scaled(_ coordinate: Double) throws(COCODefect) -> Int {
        guard coordinate.isFinite, coordinate.magnitude <= largestCoordinate else {
            throw COCODefect("the coordinate \(coordinate) is no place in an image")
        }
        return Int(Double(scale) * coordinate + 0.5)
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

    /// The outline of a polygon on the finer grid, of which only the steps into the middle of columns are kept.
    private struct Outline {
        let height: Int
        let width: Int
        /// Where zeros and ones change, column by column.
        private(set) var changes: [Int] = []

        init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }

        /// Draws an edge. Both directions of an edge have the same points: they are computed from its lesser end.
        mutating func draw(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
            if abs(end.x - start.x) >= abs(end.y - start.y) {
                drawFlat(from: start.x <= end.x ? start : end, to: start.x <= end.x ? end : start)
            } else {
                drawSteep(from: start, to: end)
            }
        }

        /// Draws an edge that takes a step to the right at each point; only two points a column matter.
        private mutating func drawFlat(from low: (x: Int, y: Int), to high: (x: Int, y: Int)) {
            guard low.x < high.x else { return }
            let slope = Double(high.y - low.y) / Double(high.x - low.x)
            func place(_ x: Int) -> Int { Int(Double(low.y) + slope * Double(x - low.x) + 0.5) }
            let first = max(0, (low.x - scale / 2 + scale - 1) / scale)
            var x = first * scale + scale / 2
            while x < high.x, x / scale < width {
                change(column: x / scale, y: min(place(x), place(x + 1)))
                x += scale
            }
        }

        /// Draws an edge that takes a step down or up at each point.
        private mutating func drawSteep(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
            let isReversed = start.y > end.y
            let (low, high) = isReversed ? (end, start) : (start, end)
            let count = high.y - low.y
            let slope = Double(high.x - low.x) / Double(count)
            let (origin, sign) = (Double(low.x), isReversed ? -1 : 1)
            var step = isReversed ? count : 0
            var last = Int(origin + slope * Double(step) + 0.5)
            for _ in 0..<count {
                step += sign
                let x = Int(origin + slope * Double(step) + 0.5)
                guard x != last else { continue }
                let boundary = x < last ? x : x - 1
                last = x
                guard boundary >= 0, boundary % scale == scale / 2 else { continue }
                change(column: boundary / scale, y: low.y + min(step, step - sign))
            }
        }

        /// Notes a change at the first row of pixels whose centre is not above a place.
        private mutating func change(column: Int, y: Int) {
            guard column < width else { return }
            let row = max(0, y - scale / 2 + scale - 1) / scale
            changes.append(column * height + min(row, height))
        }
    }
}
