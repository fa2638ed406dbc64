internal import Glibc

/// Filled shapes as Pillow's `ImageDraw` draws them with an outline of the same colour, pixel by pixel.
///
/// labelme makes masks of them (`labelme/utils/shape.py`). Coordinates are cut to whole numbers first, so what is drawn at
/// 3.9 is at pixel 3; the pixels of the outline belong to the shape.
package enum PillowShape: Sendable, Equatable {
    /// A point x, y.
    package typealias Point = SIMD2<Double>

    case polygon([Point])
    /// Two corners that lie opposite each other.
    case rectangle(Point, Point)
    case circle(centre: Point, radius: Double)
    /// Straight lines from point to point, each drawn by itself.
    case lines([Point], width: Int)

    /// The largest coordinate, in pixels from the image's corner.
    private static let largestCoordinate = 1e6
    /// The largest radius: beyond it Pillow's arithmetic overflows.
    private static let largestRadius = 20_000.0

    /// Draws the shape.
    ///
    /// - Throws: `ShapeDefect` where a coordinate is not finite or beyond 10⁶, or a radius beyond 20,000.
    package func draw(on plane: DrawnPlane) throws(ShapeDefect) {
        switch self {
        case .polygon(let points):
            PillowPolygon(try points.map { point throws(ShapeDefect) in try Self.whole(point) }).fill(plane)
        case .rectangle(let one, let two):
            let (first, last) = (
                try Self.whole(Point(min(one.x, two.x), min(one.y, two.y))),
                try Self.whole(Point(max(one.x, two.x), max(one.y, two.y)))
            )
            for row in 0..<plane.height where first.y...last.y ~= row {
                plane.fill(row: row, from: first.x, through: last.x)
            }
        case .circle(let centre, let radius):
            guard radius <= Self.largestRadius else {
                throw ShapeDefect("a circle has the radius \(radius); at most \(Self.largestRadius) is drawn")
            }
            Self.fillEllipse(
                from: try Self.whole(centre - radius), to: try Self.whole(centre + radius), plane)
        case .lines(let points, let width):
            for (start, end) in zip(points, points.dropFirst()) {
                Self.drawLine(from: try Self.whole(start), to: try Self.whole(end), width: width, plane)
            }
        }
    }

    private static func whole(_ point: Point) throws(ShapeDefect) -> (x: Int, y: Int) {
        for coordinate in [point.x, point.y] {
            guard coordinate.isFinite, coordinate.magnitude <= largestCoordinate else {
                throw ShapeDefect("the coordinate \(coordinate) is no place in an image")
            }
        }
        return (Int(point.x), Int(point.y))
    }

    /// Draws a line as the rectangle around it (`ImagingDrawWideLine`).
    private static func drawLine(
        from start: (x: Int, y: Int), to end: (x: Int, y: Int), width: Int, _ plane: DrawnPlane
    ) {
        let (dx, dy) = (Double(end.x - start.x), Double(end.y - start.y))
        guard dx != 0 || dy != 0 else { return plane.set(x: start.x, y: start.y) }
        let length = hypot(dx, dy)
        let half = Double(width - 1) / 2
        let greater = Double(PillowPolygon.roundedUp(half)) / length
        let lesser = Double(PillowPolygon.roundedDown(half)) / length
        let (left, right) = (PillowPolygon.roundedDown(lesser * dy), PillowPolygon.roundedDown(greater * dy))
        let (above, below) = (PillowPolygon.roundedDown(lesser * dx), PillowPolygon.roundedDown(greater * dx))
        PillowPolygon([
            (start.x - left, start.y + below), (end.x - left, end.y + below),
            (end.x + right, end.y - above), (start.x + right, start.y - above),
        ]).fill(plane)
    }

    /// Fills an ellipse in a rectangle whose pixels at the edges belong to it (`ellipseNew`).
    ///
    /// A quarter of the outline is followed on a grid of half pixels from the right to the bottom: of the three next points
    /// the one that the ellipse's equation fits best.
    private static func fillEllipse(
        from first: (x: Int, y: Int), to last: (x: Int, y: Int), _ plane: DrawnPlane
    ) {
        let (a, b) = (last.x - first.x, last.y - first.y)
        guard a >= 0, b >= 0, a + b > 0 else { return }
        let (a2, b2) = (a * a, b * b)
        func misfit(_ x: Int, _ y: Int) -> Int { abs(a2 * y * y + b2 * x * x - a2 * b2) }
        var (x, y) = (a, b % 2)
        var filled = -1
        while true {
            // The first point that is met on a row is the outermost.
            if y > filled {
                filled = y
                for row in [first.y + (y + b) / 2, first.y + (b - y) / 2] {
                    plane.fill(row: row, from: first.x + (a - x) / 2, through: first.x + (x + a) / 2)
                }
            }
            guard x != a % 2 || y != b else { return }
            var next = (x: x, y: y + 2)
            if x > 1 {
                var least = misfit(next.x, next.y)
                if misfit(x - 2, y + 2) < least {
                    next = (x - 2, y + 2)
                    least = misfit(next.x, next.y)
                }
                if misfit(x - 2, y) < least { next = (x - 2, y) }
            }
            (x, y) = next
        }
    }
}
