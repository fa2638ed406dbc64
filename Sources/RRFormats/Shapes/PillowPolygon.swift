/// A filled polygon by the very rule of Pillow's `ImageDraw.polygon` (`polygon_generic` in `libImaging/Draw.c`).
///
/// Vertices are cut to whole numbers. Each row of pixels is filled between pairs of places where it meets edges, from the
/// first pixel that is not left of a place to the last that is not right of the next; horizontal edges are drawn whole, an
/// edge that ends on a row above the last meets it twice, and where two edges make a corner, the place is moved to join what
/// the neighbouring row has. An outline of the same colour is never drawn apart. All places are single precision.
struct PillowPolygon {
    private struct Edge {
        var x: (start: Int, least: Int, greatest: Int)
        var y: (start: Int, least: Int, greatest: Int)
        var slope: Float

        init(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
            x = (start.x, min(start.x, end.x), max(start.x, end.x))
            y = (start.y, min(start.y, end.y), max(start.y, end.y))
            slope = start.y == end.y ? 0 : Float(end.x - start.x) / Float(end.y - start.y)
        }

        /// The place where the edge meets a row.
        func place(at row: Int) -> Float { Float(row - y.start) * slope + Float(x.start) }
    }

    private var edges: [Edge] = []

    /// The polygon of some vertices, the last of which is joined to the first.
    init(_ vertices: [(x: Int, y: Int)]) {
        for position in vertices.indices.dropLast() {
            let (start, end) = (vertices[position], vertices[position + 1])
            if position > 0, !edges.isEmpty, start.y == end.y, start.y == vertices[position - 1].y {
                // Horizontal edges that go on in one direction are one.
                let before = vertices[position - 1].x
                if end.x > start.x, start.x > before {
                    edges[edges.count - 1].x.greatest = end.x
                    continue
                } else if end.x < start.x, start.x < before {
                    edges[edges.count - 1].x.least = end.x
                    continue
                }
            }
            edges.append(Edge(from: start, to: end))
        }
        if let first = vertices.first, let last = vertices.last, first != last {
            edges.append(Edge(from: last, to: first))
        }
    }

    func fill(_ plane: DrawnPlane) {
        let bottom = min(edges.lazy.map(\.y.greatest).max() ?? 0, plane.height)
        let top = max(min(edges.lazy.map(\.y.least).min() ?? 0, plane.height - 1), 0)
        var beginning: [Int: [Int]] = [:]
        for (number, edge) in edges.enumerated() {
            if edge.y.least == edge.y.greatest {
                plane.fill(row: edge.y.least, from: edge.x.least, through: edge.x.greatest)
            } else if edge.y.greatest >= top, edge.y.least <= bottom {
                beginning[max(edge.y.least, top), default: []].append(number)
            }
        }
        guard top <= bottom else { return }
        var active: [Int] = []
        var places: [Float] = []
        for row in top...bottom {
            active.removeAll { edges[$0].y.greatest < row }
            if let more = beginning[row] {
                active = Self.merged(active, more)
            }
            findPlaces(active, row: row, lastRow: bottom, &places)
            places.sort()
            for pair in stride(from: 1, to: places.count, by: 2) {
                plane.fill(
                    row: row, from: Self.roundedUp(places[pair - 1]), through: Self.roundedDown(places[pair]))
            }
        }
    }

    /// The places where a row meets the edges, which come in the order of the polygon.
    private func findPlaces(_ active: [Int], row: Int, lastRow: Int, _ places: inout [Float]) {
        places.removeAll(keepingCapacity: true)
        // The first edge that begins, and the first that ends, at each rounded place of the row.
        var (begun, ended): ([Float: Int], [Float: Int]) = ([:], [:])
        for number in active {
            let edge = edges[number]
            var place = edge.place(at: row)
            let (begins, ends) = (row == edge.y.least, row == edge.y.greatest)
            let corner = place.rounded(.toNearestOrAwayFromZero)
            if ends, row < lastRow {
                places.append(place)
            } else if begins || ends, edge.slope != 0 {
                // On the last row what is above counts, else what is below.
                let step = ends ? -1 : 1
                if let other = (ends ? ended : begun)[corner] {
                    let (one, two) = (edge.place(at: row + step), edges[other].place(at: row + step))
                    if place > one + 1, place > two + 1 {
                        place = max(one, two).rounded(.toNearestOrAwayFromZero) + 1
                    } else if place < one - 1, place < two - 1 {
                        place = min(one, two).rounded(.toNearestOrAwayFromZero) - 1
                    }
                }
            }
            places.append(place)
            guard edge.slope != 0 else { continue }
            if begins, begun[corner] == nil { begun[corner] = number }
            if ends, ended[corner] == nil { ended[corner] = number }
        }
    }

    /// Two ascending lists as one.
    private static func merged(_ first: [Int], _ second: [Int]) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(first.count + second.count)
        var position = 0
        for number in second {
            while position < first.count, first[position] < number {
                result.append(first[position])
                position += 1
            }
            result.append(number)
        }
        return result + first[position...]
    }

    /// To the nearest whole number, halves away from zero.
    static func roundedUp(_ place: Float) -> Int { roundedUp(Double(place)) }
    static func roundedUp(_ place: Double) -> Int {
        Int(place >= 0 ? (place + 0.5).rounded(.down) : -(place.magnitude + 0.5).rounded(.down))
    }

    /// To the nearest whole number, halves towards zero.
    static func roundedDown(_ place: Float) -> Int { roundedDown(Double(place)) }
    static func roundedDown(_ place: Double) -> Int {
        Int(place >= 0 ? (place - 0.5).rounded(.up) : -(place.magnitude - 0.5).rounded(.up))
    }
}
