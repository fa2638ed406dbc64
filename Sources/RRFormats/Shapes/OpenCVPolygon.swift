/// A filled polygon by the very rule of OpenCV's `fillPoly` without a shift (`imgproc/src/drawing.cpp`).
///
/// Ultralytics makes masks of YOLO's polygons by it. The outline is drawn by Bresenham's algorithm and belongs to the
/// polygon; each row is filled between pairs of edges, whose places are kept with 16 bits behind the point.
package struct OpenCVPolygon {
    private static let fractionBits = OpenCVLine.fractionBits

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
            let line = OpenCVLine(start: start, end: end)
            line.draw(on: plane)
            guard start.y != end.y else { continue }
            // Where a line leaves the image, its slope is that between the places where it does.
            let cut = line.cut(height: plane.height, width: plane.width)
            let isCut = cut.start.y != cut.end.y
            let one = (x: cut.start.x, y: isCut ? cut.start.y : start.y)
            let two = (x: cut.end.x, y: isCut ? cut.end.y : end.y)
            let slope = ((two.x - one.x) << Self.fractionBits) / (two.y - one.y)
            let (top, from) = start.y < end.y ? (start.y, one) : (end.y, two)
            edges.append(
                Edge(
                    top: top, bottom: max(start.y, end.y),
                    x: from.x << Self.fractionBits + (top - from.y) * slope, slope: slope))
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
}
