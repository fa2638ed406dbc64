/// Straight lines within an image by the rules of OpenCV (`imgproc/src/drawing.cpp`).
struct OpenCVLine {
    typealias Place = (x: Int, y: Int)

    /// The bits behind the point of what is finer than a pixel.
    static let fractionBits = 16
    private static let half = 1 << (fractionBits - 1)

    let start: Place
    let end: Place

    /// Draws the line by Bresenham's algorithm from the left to the right, both ends included (`Line`).
    func draw(on plane: DrawnPlane) {
        guard let line = clipped(height: plane.height, width: plane.width) else { return }
        var (place, goal) = line.start.x <= line.end.x ? (line.start, line.end) : (line.end, line.start)
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

    /// Draws the line where its ends are finer than pixels (`Line2`).
    func drawFinely(on plane: DrawnPlane) {
        let bits = Self.fractionBits
        guard let line = clipped(height: plane.height << bits, width: plane.width << bits) else { return }
        let (dx, dy) = (line.end.x - line.start.x, line.end.y - line.start.y)
        let isFlat = abs(dx) > abs(dy)
        let isForward = isFlat ? dx >= 0 : dy >= 0
        let (first, last) = isForward ? (line.start, line.end) : (line.end, line.start)
        plane.set(x: (last.x + Self.half) >> bits, y: (last.y + Self.half) >> bits)
        let sign = isForward ? 1 : -1
        let step = isFlat ? sign * dy << bits / (abs(dx) | 1) : sign * dx << bits / (abs(dy) | 1)
        var (x, y) = (first.x + Self.half, first.y + Self.half)
        for _ in 0...(isFlat ? last.x - first.x : last.y - first.y) >> bits {
            plane.set(x: x >> bits, y: y >> bits)
            x += isFlat ? 1 << bits : step
            y += isFlat ? step : 1 << bits
        }
    }

    /// The part of the line within an image; nil where there is none (`clipLine`).
    private func clipped(height: Int, width: Int) -> OpenCVLine? {
        let line = cut(height: height, width: width)
        let isInside =
            Self.side(line.start, height, width) == 0 && Self.side(line.end, height, width) == 0
        return isInside ? line : nil
    }

    /// On which sides of the image a place lies, a bit each: left, right, above, below.
    private static func side(_ place: Place, _ height: Int, _ width: Int) -> Int {
        (place.x < 0 ? 1 : place.x >= width ? 2 : 0) | (place.y < 0 ? 4 : place.y >= height ? 8 : 0)
    }

    /// Moves ends that lie outside to where the line meets the image, as far as it may meet it.
    func cut(height: Int, width: Int) -> OpenCVLine {
        var (one, two) = (start, end)
        var (first, second) = (Self.side(one, height, width), Self.side(two, height, width))
        func along(_ distance: Int, _ extent: Int, _ length: Int) -> Int {
            Int(Double(distance) * Double(extent) / Double(length))
        }
        guard first & second == 0, first | second != 0 else { return self }
        if first & 12 != 0 {
            let edge = first < 8 ? 0 : height - 1
            one.x += along(edge - one.y, two.x - one.x, two.y - one.y)
            one.y = edge
            first = Self.side(one, height, width) & 3
        }
        if second & 12 != 0 {
            let edge = second < 8 ? 0 : height - 1
            two.x += along(edge - two.y, two.x - one.x, two.y - one.y)
            two.y = edge
            second = Self.side(two, height, width) & 3
        }
        if first & second == 0, first | second != 0 {
            if first != 0 {
                let edge = first == 1 ? 0 : width - 1
                one.y += along(edge - one.x, two.y - one.y, two.x - one.x)
                one.x = edge
            }
            if second != 0 {
                let edge = second == 1 ? 0 : width - 1
                two.y += along(edge - two.x, two.y - one.y, two.x - one.x)
                two.x = edge
            }
        }
        return OpenCVLine(start: one, end: two)
    }
}
