internal import Glibc

/// A filled ellipse by the very rule of OpenCV's `ellipse` (`imgproc/src/drawing.cpp`), as CVAT's exports call it.
///
/// Centre, radii and rotation are rounded to whole pixels and degrees, halves to even. The ellipse is a convex polygon of a
/// vertex every 5 to 90 degrees, with 16 bits behind the point; its outline belongs to it.
package struct OpenCVEllipse: Sendable {
    private static let one = 1 << OpenCVLine.fractionBits

    private let vertices: [OpenCVLine.Place]

    /// - Parameters:
    ///   - centre: in pixels, of which none is beyond 10⁶; so the radii.
    ///   - rotation: in degrees, from x towards y.
    package init(centre: SIMD2<Double>, radii: SIMD2<Double>, rotation: Double) {
        let (middle, extent) = (centre.rounded(.toNearestOrEven), radii.rounded(.toNearestOrEven))
        let reach = max(extent.x.magnitude, extent.y.magnitude)
        let step = reach < 3 ? 90 : reach < 10 ? 30 : reach < 15 ? 18 : 5
        let turn = Int(rotation.rounded(.toNearestOrEven)) % 360
        let (sine, cosine) = (Self.sine(turn), Self.sine(turn + 90))
        var vertices: [OpenCVLine.Place] = []
        for angle in stride(from: 0, through: 360, by: step) {
            let x = extent.x.magnitude * Double(Self.one) * Self.sine(angle + 90)
            let y = extent.y.magnitude * Double(Self.one) * Self.sine(angle)
            let place = (
                x: Self.fine(middle.x * Double(Self.one) + x * cosine - y * sine),
                y: Self.fine(middle.y * Double(Self.one) + x * sine + y * cosine)
            )
            if vertices.last.map({ $0 != place }) ?? true { vertices.append(place) }
        }
        self.vertices = vertices.count > 1 ? vertices : vertices + vertices
    }

    /// The sine of whole degrees with seven digits in single precision, as OpenCV's table has it.
    private static func sine(_ degrees: Int) -> Double {
        Double(Float((sin(Double(degrees) * .pi / 180) * 1e7).rounded() / 1e7))
    }

    /// A place as OpenCV rounds it, whole pixels first.
    private static func fine(_ place: Double) -> Int {
        let whole = Int((place / Double(one)).rounded(.toNearestOrEven)) * one
        return whole + Int((place - Double(whole)).rounded(.toNearestOrEven))
    }

    /// One of the two chains of edges that lead down from the highest vertex.
    private struct Chain {
        var vertex: Int
        let direction: Int
        var x = -OpenCVEllipse.one
        var slope = 0
        /// The row where its edge ends.
        var end: Int
    }

    /// Fills the polygon row by row between two chains of edges (`FillConvexPoly`).
    package func fill(_ plane: DrawnPlane) {
        var before = vertices[vertices.count - 1]
        for vertex in vertices {
            OpenCVLine(start: before, end: vertex).drawFinely(on: plane)
            before = vertex
        }
        func row(_ y: Int) -> Int { (y + Self.one / 2) >> OpenCVLine.fractionBits }
        let highest = vertices.indices.min { vertices[$0].y < vertices[$1].y } ?? 0
        let top = row(vertices[highest].y)
        let bottom = min(row(vertices.lazy.map(\.y).max() ?? 0), plane.height - 1)
        guard vertices.count > 2, top <= bottom else { return }
        var chains = [1, vertices.count - 1].map { Chain(vertex: highest, direction: $0, end: top) }
        var left = vertices.count
        for y in top...bottom {
            for side in chains.indices where y >= chains[side].end {
                var from = chains[side].vertex
                while true {
                    left -= 1
                    guard left >= 0 else { break }
                    let to = (from + chains[side].direction) % vertices.count
                    let end = row(vertices[to].y)
                    if end > y {
                        let rows = end - y
                        chains[side].slope = ((vertices[to].x - vertices[from].x) * 2 + rows) / (2 * rows)
                        chains[side].x = vertices[from].x
                        chains[side].vertex = to
                        chains[side].end = end
                        break
                    }
                    from = to
                }
            }
            // An edge was wanted and none was left.
            if left < 0 { return }
            let places = chains.map(\.x).sorted()
            plane.fill(row: y, from: row(places[0]), through: row(places[1]))
            for side in chains.indices { chains[side].x += chains[side].slope }
        }
    }
}
