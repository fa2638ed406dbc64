/// A filled polygon by the very rule of OpenCV's `fillPoly` without a shift (`imgproc/src/drawing.cpp`).
///
/// Ultralytics makes masks of YOLO's polygons by it. The outline is drawn by Bresenham's algorithm and belongs to the
/// polygon; each row is filled between pairs of edges, whose places are kept with 16 bits behind the point.
package struct OpenCVPolygon {
    private static let fractionBits = 16

    private struct Edge {
        var top: Int
        var bottom: Int
        var x: Int
        var slope: Int
    }

    private let vertices: [(x: Int, y: Int)]

    /// - Parameter vertices: whole places of which none is beyond 10⁶; the last is joined to the first.
    package init(_ vertices: [(x: Int, y: Int)]) { self.vertices = vertices }

    package func fill(_ plane: DrawnPlane) {
        guard var start = vertices.last else { return }
        var edges: [Edge] = []
        for end in vertices {
            defer { start = end }
            if let line = Self.clipped(start, end, plane) { Self.draw(from: line.0, to: line.1, plane) }
            guard start.y != end.y else { continue }
            // Where a line leaves the image, its slope is that between the places where it does.
            let ends = Self.cut(start, end, plane)
            let isCut = ends.0.y != ends.1.y
            let (one, two) = ((ends.0.x, isCut ? ends.0.y : start.y), (ends.1.x, isCut ? ends.1.y : end.y))
            let slope = ((two.0 - one.0) << Self.fractionBits) / (two.1 - one.1)
            let (top, from) = start.y < end.y ? (start.y, one) : (end.y, two)
            edges.append(
                Edge(
                    top: top, bottom: max(start.y, end.y),
                    x: from.0 << Self.fractionBits + (top - from.1) * slope, slope: slope))
        }
        if edges.count > 1 { Self.fill(edges, plane) }
    }

    /// Fills between edges that are drawn: they are paired in the order of their places, row by row.
    private static func fill(_ unsorted: [Edge], _ plane: DrawnPlane) {
        let edges = unsorted.sorted { ($0.top, $0.x, $0.slope) < ($1.top, $1.x, $1.slope) }
        let bottom = min(edges.lazy.map(\.bottom).max() ?? 0, plane.height)
        var active: [Edge] = []
        var next = 0
        var row = edges[0].top
        while row < bottom {
            defer { row += 1 }
            var merged: [Edge] = []
            merged.reserveCapacity(active.count + 2)
            func complete() {
                guard merged.count % 2 == 0 else { return }
                let pair = (merged.count - 2, merged.count - 1)
                let (one, two) = (merged[pair.0].x, merged[pair.1].x)
                plane.fill(
                    row: row, from: (min(one, two) + 1 << fractionBits - 1) >> fractionBits,
                    through: max(one, two) >> fractionBits)
                merged[pair.0].x += merged[pair.0].slope
                merged[pair.1].x += merged[pair.1].slope
            }
            for edge in active where edge.bottom != row {
                while next < edges.count, edges[next].top == row, edges[next].x <= edge.x {
                    merged.append(edges[next])
                    next += 1
                    complete()
                }
                merged.append(edge)
                complete()
            }
            while next < edges.count, edges[next].top == row {
                merged.append(edges[next])
                next += 1
                complete()
            }
            sort(&merged)
            active = merged
        }
    }

    /// Sorts by place, and leaves the order of those at one; nearly always they are sorted already.
    private static func sort(_ edges: inout [Edge]) {
        guard zip(edges, edges.dropFirst()).contains(where: { $0.x > $1.x }) else { return }
        edges = edges.enumerated().sorted { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }
            .map(\.element)
    }

    /// The part of a line within the image; nil where there is none (`clipLine`).
    private static func clipped(
        _ start: (x: Int, y: Int), _ end: (x: Int, y: Int), _ plane: DrawnPlane
    ) -> ((x: Int, y: Int), (x: Int, y: Int))? {
        let (one, two) = cut(start, end, plane)
        let sides = side(one, plane) | side(two, plane)
        return sides == 0 ? (one, two) : nil
    }

    /// On which sides of the image a place lies, a bit each: left, right, above, below.
    private static func side(_ place: (x: Int, y: Int), _ plane: DrawnPlane) -> Int {
        (place.x < 0 ? 1 : place.x >= plane.width ? 2 : 0)
            | (place.y < 0 ? 4 : place.y >= plane.height ? 8 : 0)
    }

    /// Moves the ends of a line that lie outside to where it meets the image, as far as it may meet it.
    private static func cut(
        _ start: (x: Int, y: Int), _ end: (x: Int, y: Int), _ plane: DrawnPlane
    ) -> ((x: Int, y: Int), (x: Int, y: Int)) {
        var (one, two) = (start, end)
        var (first, second) = (side(one, plane), side(two, plane))
        func along(_ distance: Int, _ extent: Int, _ length: Int) -> Int {
            Int(Double(distance) * Double(extent) / Double(length))
        }
        guard first & second == 0, first | second != 0 else { return (one, two) }
        if first & 12 != 0 {
            let edge = first < 8 ? 0 : plane.height - 1
            one.x += along(edge - one.y, two.x - one.x, two.y - one.y)
            one.y = edge
            first = side(one, plane) & 3
        }
        if second & 12 != 0 {
            let edge = second < 8 ? 0 : plane.height - 1
            two.x += along(edge - two.y, two.x - one.x, two.y - one.y)
            two.y = edge
            second = side(two, plane) & 3
        }
        guard first & second == 0, first | second != 0 else { return (one, two) }
        if first != 0 {
            let edge = first == 1 ? 0 : plane.width - 1
            one.y += along(edge - one.x, two.y - one.y, two.x - one.x)
            one.x = edge
        }
        if second != 0 {
            let edge = second == 1 ? 0 : plane.width - 1
            two.y += along(edge - two.x, two.y - one.y, two.x - one.x)
            two.x = edge
        }
        return (one, two)
    }

    /// Draws a line within the image from the left to the right, both ends included.
    private static func draw(from start: (x: Int, y: Int), to end: (x: Int, y: Int), _ plane: DrawnPlane) {
        var (place, goal) = start.x <= end.x ? (start, end) : (end, start)
        let (dx, dy) = (goal.x - place.x, abs(goal.y - place.y))
        let step = goal.y < place.y ? -1 : 1
        let isSteep = dy > dx
        let (long, short) = isSteep ? (dy, dx) : (dx, dy)
        var error = long - 2 * short
        for _ in 0...long {
            plane.set(x: place.x, y: place.y)
            let turns = error < 0
            error += (turns ? 2 * long : 0) - 2 * short
            if isSteep {
                place.y += step
                if turns { place.x += 1 }
            } else {
                place.x += 1
                if turns { place.y += step }
            }
        }
        goal = place
    }
}
