/// How finely outlines are drawn.
private let scale = 5

extension COCORunLengths {
    /// The largest coordinate of a polygon, in pixels from the image's corner.
    private static let largestCoordinate = 1e6

    /// Fills a polygon by the very rule of pycocotools (`rleFrPoly` in `common/maskApi.c`).
    ///
    /// The outline is drawn on a grid five times finer than the pixels: along each edge the longer extent step by
    /// step, the other rounded. Where the outline steps into the middle fifth of a column of pixels, zeros and
    /// ones change at the row of pixels whose centre comes next. What lies outside of the image is clamped above
    /// and below, and left out to the left and right.
    ///
    /// - Parameter polygon: x and y of each vertex in turn, in pixels; the last is joined to the first.
    /// - Throws: `COCODefect` where there are fewer than three vertices, half of one, a coordinate that is not finite
    ///   or beyond 10⁶.
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
        _ = try Self.pixelCount(height: height, width: width)
        var (x, y): ([Int], [Int]) = ([], [])
        for position in stride(from: 0, to: vertices.count, by: 2) {
            x.append(try Self.scaled(vertices[position]))
            y.append(try Self.scaled(vertices[position + 1]))
        }
        x.append(x[0])
        y.append(y[0])

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

    /// The outline of a polygon on the finer grid, of which only the steps into the middle of columns are kept.
    private struct Outline {
        let height: Int
        let width: Int
        private let capacity: Int
        /// Where zeros and ones change, column by column.
        private(set) var changes: [Int] = []

        init(height: Int, width: Int) {
            self.height = height
            self.width = width
            capacity = max(1 << 16, 2 * height * width)
        }

        /// Draws an edge. Both directions of an edge have the same points: they are computed from its lesser end.
        mutating func draw(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
            if abs(end.x - start.x) >= abs(end.y - start.y) {
                drawFlat(from: start.x <= end.x ? start : end, to: start.x <= end.x ? end : start)
            } else {
                drawSteep(from: start.y <= end.y ? start : end, to: start.y <= end.y ? end : start)
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

        /// Draws an edge that takes a step down at each point; only those matter where it comes into a column's middle.
        private mutating func drawSteep(from low: (x: Int, y: Int), to high: (x: Int, y: Int)) {
            guard low.x != high.x else { return }
            let slope = Double(high.x - low.x) / Double(high.y - low.y)
            let (origin, isRising) = (Double(low.x), low.x < high.x)
            func isBeyond(_ boundary: Int, _ step: Int) -> Bool {
                let x = Int(origin + slope * Double(step) + 0.5)
                return isRising ? x > boundary : x <= boundary
            }
            let (left, right) = (min(low.x, high.x), max(low.x, high.x))
            var boundary = max(0, (left - scale / 2 + scale - 1) / scale) * scale + scale / 2
            while boundary < right, boundary / scale < width {
                // The first step beyond: about here, and then exactly.
                var step = Int((Double(boundary) + 0.5 - origin) / slope)
                while step > 0, isBeyond(boundary, step - 1) { step -= 1 }
                while !isBeyond(boundary, step) { step += 1 }
                change(column: boundary / scale, y: low.y + step - 1)
                boundary += scale
            }
        }

        /// Notes a change at the first row of pixels whose centre is not above a place.
        private mutating func change(column: Int, y: Int) {
            let row = max(0, y - scale / 2 + scale - 1) / scale
            changes.append(column * height + min(row, height))
            // However many edges there are, no more is kept than the image has pixels.
            if changes.count > capacity { changes = COCORunLengths.removingPairs(from: changes) }
        }
    }
}
