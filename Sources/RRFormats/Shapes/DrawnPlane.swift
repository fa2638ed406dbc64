internal import Glibc

/// Pixels that shapes are drawn on: rows from the top, `(H, W)`, a byte each that is 0 or 1.
///
/// Shapes only set pixels, so that several drawn on one plane are their union; what lies outside is left out.
package struct DrawnPlane {
    package let height: Int
    package let width: Int
    package let pixels: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter pixels: `height · width` bytes, which outlive the plane.
    package init(_ pixels: UnsafeMutableBufferPointer<UInt8>, height: Int, width: Int) {
        precondition(pixels.count == height * width)
        (self.pixels, self.height, self.width) = (pixels, height, width)
    }

    func set(x: Int, y: Int) {
        guard 0..<width ~= x, 0..<height ~= y else { return }
        pixels[y * width + x] = 1
    }

    /// Sets the pixels of a row from one column to another, both included.
    func fill(row: Int, from first: Int, through last: Int) {
        guard 0..<height ~= row else { return }
        let (first, last) = (max(first, 0), min(last, width - 1))
        guard first <= last else { return }
        UnsafeMutableBufferPointer(rebasing: pixels[row * width + first...row * width + last])
            .update(repeating: 1)
    }
}

extension DrawnPlane {
    /// Sets the ones of COCO's runs, which are of an image of the same size.
    package func fill(_ runs: COCORunLengths) {
        precondition(runs.height == height && runs.width == width)
        var start = 0
        for (position, count) in runs.counts.enumerated() {
            if position % 2 == 1 {
                for place in start..<start + count { pixels[place % height * width + place / height] = 1 }
            }
            start += count
        }
    }

    /// Sets the pixels whose centres lie in an ellipse or on it.
    ///
    /// - Parameters:
    ///   - centre: x and y in pixels from the image's corner; the centre of the first pixel is at ½, ½.
    ///   - radii: along the ellipse's own axes, of at least 0.
    ///   - rotation: in degrees, from x towards y, which is clockwise where y points down.
    package func fillEllipse(centre: (x: Double, y: Double), radii: (x: Double, y: Double), rotation: Double)
    {
        let numbers = [centre.x, centre.y, radii.x, radii.y, rotation]
        guard numbers.allSatisfy(\.isFinite), radii.x > 0, radii.y > 0 else { return }
        let angle = rotation * .pi / 180
        let (cosine, sine) = (cos(angle), sin(angle))
        let reach = max(radii.x, radii.y)
        func range(_ middle: Double, _ extent: Int) -> Range<Int> {
            let first = min(max((middle - reach).rounded(.down), 0), Double(extent))
            let last = min(max((middle + reach).rounded(.up), 0), Double(extent))
            return Int(first)..<max(Int(first), Int(last))
        }
        let columns = range(centre.x, width)
        for row in range(centre.y, height) {
            let y = Double(row) + 0.5 - centre.y
            for column in columns {
                let x = Double(column) + 0.5 - centre.x
                let along = (x * cosine + y * sine) / radii.x
                let across = (y * cosine - x * sine) / radii.y
                if along * along + across * across <= 1 { pixels[row * width + column] = 1 }
            }
        }
    }

    /// Sets the pixels whose centres lie from an edge on and before the next: column c for `left ≤ c + ½ < right`.
    package func fillBox(left: Double, top: Double, right: Double, bottom: Double) {
        guard [left, top, right, bottom].allSatisfy(\.isFinite) else { return }
        func first(_ edge: Double, _ extent: Int) -> Int {
            Int(min(max((edge - 0.5).rounded(.up), 0), Double(extent)))
        }
        for row in first(top, height)..<max(first(top, height), first(bottom, height)) {
            fill(row: row, from: first(left, width), through: first(right, width) - 1)
        }
    }
}

/// What is wrong with a shape or an encoded mask; whoever knows the annotation says which it is.
package struct ShapeDefect: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
