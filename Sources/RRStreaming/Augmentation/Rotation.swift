internal import Glibc
internal import RRTensor

/// A turn about the centre of the image, counterclockwise; what comes in from outside is zero.
///
/// The geometry is that of torchvision's `rotate(image, angle)`: the pixel at (x, y) from the centre, y downwards, comes
/// from (x cos − y sin, x sin + y cos).
struct Rotation {
    private let cosine: Double
    private let sine: Double
    private let shape: ImageShape

    init(degrees: Double, _ shape: ImageShape) {
        // Whole quarters exactly: their sines and cosines are, and pixels fall on pixels.
        let quarter = (degrees / 90).rounded(.toNearestOrEven)
        let rest = (degrees - quarter * 90) * .pi / 180
        let (c, s) = (cos(rest), sin(rest))
        switch (Int(quarter) % 4 + 4) % 4 {
        case 1: (cosine, sine) = (-s, c)
        case 2: (cosine, sine) = (-c, -s)
        case 3: (cosine, sine) = (s, -c)
        default: (cosine, sine) = (c, s)
        }
        self.shape = shape
    }

    /// Where a pixel comes from, in source pixels.
    private func source(row: Int, column: Int) -> (row: Double, column: Double) {
        let y = Double(row) + 0.5 - Double(shape.height) / 2
        let x = Double(column) + 0.5 - Double(shape.width) / 2
        let down: Double = x * sine + y * cosine
        let right: Double = x * cosine - y * sine
        return (down + Double(shape.height) / 2 - 0.5, right + Double(shape.width) / 2 - 0.5)
    }

    /// Turns all channels `(C, H, W)` in place, interpolating linearly.
    func turn(_ image: UnsafeMutableBufferPointer<Float>, _ scratch: PictureScratch) {
        let original = scratch.floats(shape.elementCount)
        _ = original.update(fromContentsOf: image)
        if scratch.taps.count < shape.width {
            scratch.taps = Array(repeating: RotationTap(), count: shape.width)
        }
        scratch.taps.withUnsafeMutableBufferPointer { taps in
            for row in 0..<shape.height {
                for column in 0..<shape.width {
                    let source = source(row: row, column: column)
                    taps[column] = RotationTap(row: source.row, column: source.column, shape)
                }
                for channel in 0..<shape.channels {
                    let plane = UnsafeMutableBufferPointer(
                        rebasing: original[channel * shape.pixelCount..<(channel + 1) * shape.pixelCount])
                    let start = channel * shape.pixelCount + row * shape.width
                    for column in 0..<shape.width { image[start + column] = taps[column].value(in: plane) }
                }
            }
        }
    }

    /// Turns the channels of a mask in place, taking the nearest pixels.
    func turn(_ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: PictureScratch) {
        let original = scratch.copy(of: mask)
        for row in 0..<shape.height {
            for column in 0..<shape.width {
                let source = source(row: row, column: column)
                let nearest = (
                    row: source.row.rounded(.toNearestOrEven), column: source.column.rounded(.toNearestOrEven)
                )
                let isInside =
                    nearest.row >= 0 && nearest.row < Double(shape.height) && nearest.column >= 0
                    && nearest.column < Double(shape.width)
                let position = isInside ? Int(nearest.row) * shape.width + Int(nearest.column) : 0
                for plane in stride(from: 0, to: mask.count, by: shape.pixelCount) {
                    mask[plane + row * shape.width + column] = isInside ? original[plane + position] : 0
                }
            }
        }
    }
}

/// The four pixels that a pixel is interpolated from; one outside of the image has the weight 0.
struct RotationTap {
    private var topLeft = 0
    private var topRight = 0
    private var bottomLeft = 0
    private var bottomRight = 0
    private var weights = SIMD4<Float>()

    init() {}

    init(row: Double, column: Double, _ shape: ImageShape) {
        let (top, left) = (row.rounded(.down), column.rounded(.down))
        let (down, right) = (Float(row - top), Float(column - left))
        let rows = (Int(top), Int(top) + 1)
        let columns = (Int(left), Int(left) + 1)
        let upper: Float = 0..<shape.height ~= rows.0 ? 1 - down : 0
        let lower: Float = 0..<shape.height ~= rows.1 ? down : 0
        let before: Float = 0..<shape.width ~= columns.0 ? 1 - right : 0
        let after: Float = 0..<shape.width ~= columns.1 ? right : 0
        weights = SIMD4(upper * before, upper * after, lower * before, lower * after)
        func position(_ row: Int, _ column: Int) -> Int {
            min(max(row, 0), shape.height - 1) * shape.width + min(max(column, 0), shape.width - 1)
        }
        topLeft = position(rows.0, columns.0)
        topRight = position(rows.0, columns.1)
        bottomLeft = position(rows.1, columns.0)
        bottomRight = position(rows.1, columns.1)
    }

    @inline(__always)
    func value(in plane: UnsafeMutableBufferPointer<Float>) -> Float {
        (weights * SIMD4(plane[topLeft], plane[topRight], plane[bottomLeft], plane[bottomRight])).sum()
    }
}
