internal import RRFormats

/// The form of a region, and with it the rule by which its tool makes pixels of it.
enum AnnotationForm: Sendable {
    /// As labelme draws it: `PillowShape`.
    case drawn(PillowShape)
    /// x and y of each vertex, filled as pycocotools does, which CVAT and Label Studio export to.
    case polygon([Double])
    /// x, y, width and height, filled as pycocotools does.
    case box([Double])
    /// Pixels whose centres lie within; `DrawnPlane.fillEllipse`.
    case ellipse(centre: SIMD2<Double>, radii: SIMD2<Double>, rotation: Double)
    /// An ellipse as CVAT exports it.
    case roundedEllipse(OpenCVEllipse)
    /// Vertices as shares of the image, filled as Ultralytics does: cut to whole pixels, then by OpenCV.
    case sharesPolygon([SIMD2<Float>])
    /// Edges as shares of the image; pixels whose centres lie within.
    case sharesBox(BoxTable.Box)
    /// Runs of zeros and ones in turn, row by row within a box.
    case rowRuns(counts: [Int], box: PixelBox)
    /// A brush's cover of the whole image.
    case brush(BrushRunLengths)
    /// A PNG file that is a mask of a box.
    case image([UInt8], box: PixelBox)

    /// Whole pixels.
    struct PixelBox: Sendable {
        let left: Int
        let top: Int
        let height: Int
        let width: Int

        /// Whether all of it lies in an image.
        func isWithin(height: Int, width: Int) -> Bool {
            left >= 0 && top >= 0 && self.height > 0 && self.width > 0 && self.height <= height - top
                && self.width <= width - left
        }
    }

    /// What is wrong with a polygon that has too few vertices to enclose anything; nil for all else.
    var degeneracy: String? {
        let count: Int
        switch self {
        case .polygon(let numbers): count = numbers.count / 2
        case .drawn(.polygon(let points)): count = points.count
        case .sharesPolygon(let points): count = points.count
        default: return nil
        }
        return count < 3 ? "a polygon has \(count) vertices; at least three are needed" : nil
    }

    /// Sets the pixels of the region.
    ///
    /// - Parameter threshold: from which share of the largest value a soft mask counts; nil for all that is not 0.
    /// - Throws: `ShapeDefect`, `COCODefect`, and `FormatError` for an image that cannot be decoded.
    func draw(on plane: DrawnPlane, threshold: Double?) throws {
        let (height, width) = (plane.height, plane.width)
        switch self {
        case .drawn(let shape): try shape.draw(on: plane)
        case .polygon(let numbers):
            plane.fill(try COCORunLengths(polygon: numbers, height: height, width: width))
        case .box(let numbers): plane.fill(try COCORunLengths(box: numbers, height: height, width: width))
        case .ellipse(let centre, let radii, let rotation):
            plane.fillEllipse(centre: (centre.x, centre.y), radii: (radii.x, radii.y), rotation: rotation)
        case .roundedEllipse(let ellipse): ellipse.fill(plane)
        case .sharesPolygon(let points):
            let size = SIMD2(Float(width), Float(height))
            let places = points.map { $0 * size }
            OpenCVPolygon(places.map { (Int($0.x), Int($0.y)) }).fill(plane)
        case .sharesBox(let box):
            plane.fillBox(
                left: box.left * Double(width), top: box.top * Double(height),
                right: box.right * Double(width), bottom: box.bottom * Double(height))
        case .rowRuns(let counts, let box): try Self.draw(counts, box, plane)
        case .brush(let brush):
            try brush.forEachRun(height: height, width: width) { start, count, cover in
                guard threshold.map({ Double(cover) / 255 >= $0 }) ?? (cover > 0) else { return }
                UnsafeMutableBufferPointer(rebasing: plane.pixels[start..<start + count]).update(repeating: 1)
            }
        case .image(let bytes, let box): try Self.draw(bytes, box, threshold, plane)
        }
    }

    private static func check(_ box: PixelBox, _ plane: DrawnPlane) throws(ShapeDefect) {
        guard box.isWithin(height: plane.height, width: plane.width) else {
            throw ShapeDefect(
                "the mask of H×W = \(box.height)×\(box.width) at x \(box.left), y \(box.top) is not within the image, "
                    + "which has \(plane.height)×\(plane.width)")
        }
    }

    private static func draw(
        _ counts: [Int], _ box: PixelBox, _ plane: DrawnPlane
    ) throws(ShapeDefect) {
        try check(box, plane)
        let size = box.height * box.width
        var start = 0
        for (position, count) in counts.enumerated() {
            guard count >= 0, count <= size - start else {
                throw ShapeDefect(
                    "the runs have more than the \(size) pixels of H×W = \(box.height)×\(box.width), or one of them is "
                        + "below 0")
            }
            if position % 2 == 1 {
                for place in start..<start + count {
                    let (row, column) = (box.top + place / box.width, box.left + place % box.width)
                    plane.pixels[row * plane.width + column] = 1
                }
            }
            start += count
        }
        guard start == size else {
            throw ShapeDefect(
                "the runs add up to \(start) pixels, but H×W = \(box.height)×\(box.width) has \(size)")
        }
    }

    private static func draw(
        _ bytes: [UInt8], _ box: PixelBox, _ threshold: Double?, _ plane: DrawnPlane
    ) throws {
        try check(box, plane)
        let header = try bytes.withUnsafeBytes { try PNGDecoder.storage(of: $0, path: "mask").storedHeader }
        guard header.height == box.height, header.width == box.width else {
            throw ShapeDefect(
                "the mask's image has H×W = \(header.height)×\(header.width), but its corners are "
                    + "\(box.height)×\(box.width) pixels apart")
        }
        let image = try PNGDecoder.decodeStored(bytes, path: "mask")
        guard image.channels == 1, image.bitDepth == 8 else {
            throw ShapeDefect("the mask's image is \(header), but masks are gray, of at most 8 bits")
        }
        let largest = image.samples.max().map { $0 > 1 ? 255.0 : 1 } ?? 1
        for (place, value) in image.samples.enumerated() {
            guard threshold.map({ Double(value) / largest >= $0 }) ?? (value > 0) else { continue }
            let (row, column) = (box.top + place / box.width, box.left + place % box.width)
            plane.pixels[row * plane.width + column] = 1
        }
    }
}
