import Foundation
import RRFormats
import TestSupport
import Testing

/// `Fixtures/formats/annotations/shapes.json` has what labelme, OpenCV and Label Studio make of random shapes.
@Suite("Shapes as the tools draw them")
struct DrawnShapeTests {
    struct Shape: Decodable {
        let rule: String
        let height: Int
        let width: Int
        let points: [[Double]]
        let mask: [Int]
    }

    struct Brush: Decodable {
        let height: Int
        let width: Int
        let rle: [UInt8]
        let any: [Int]
        let half: [Int]
    }

    struct Content: Decodable {
        let shapes: [Shape]
        let brushes: [Brush]
    }

    let content: Content

    init() throws {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/annotations/shapes.json")))
        content = try JSONDecoder().decode(Content.self, from: data)
    }

    /// What a body draws, as the lengths of runs row by row.
    static func runs(height: Int, width: Int, _ draw: (DrawnPlane) throws -> Void) rethrows -> [Int] {
        var pixels = [UInt8](repeating: 0, count: height * width)
        try pixels.withUnsafeMutableBufferPointer {
            try draw(DrawnPlane($0, height: height, width: width))
        }
        var (runs, last, length): ([Int], UInt8, Int) = ([], 0, 0)
        for pixel in pixels {
            if pixel != last {
                runs.append(length)
                (last, length) = (pixel, 0)
            }
            length += 1
        }
        return runs + [length]
    }

    static func draw(_ shape: Shape, on plane: DrawnPlane) throws {
        let points = shape.points.map { SIMD2($0[0], $0[1]) }
        switch shape.rule {
        case "polygon": try PillowShape.polygon(points).draw(on: plane)
        case "rectangle": try PillowShape.rectangle(points[0], points[1]).draw(on: plane)
        case "circle":
            let reach = points[0] - points[1]
            let radius = (reach * reach).sum().squareRoot()
            try PillowShape.circle(centre: points[0], radius: radius).draw(on: plane)
        case "line", "linestrip": try PillowShape.lines(points, width: 10).draw(on: plane)
        case "point": try PillowShape.circle(centre: points[0], radius: 5).draw(on: plane)
        case "ellipse":
            OpenCVEllipse(centre: points[0], radii: points[1], rotation: points[2].x).fill(plane)
        default: OpenCVPolygon(points.map { (Int($0.x), Int($0.y)) }).fill(plane)
        }
    }

    @Test(
        "shapes fill the very pixels that labelme and OpenCV fill",
        arguments: ["polygon", "rectangle", "circle", "line", "linestrip", "point", "opencv", "ellipse"])
    func shapes(rule: String) throws {
        let shapes = content.shapes.filter { $0.rule == rule }
        #expect(shapes.count >= 40)
        var (wrong, area) = (0, 0)
        for shape in shapes {
            let runs = try Self.runs(height: shape.height, width: shape.width) {
                try Self.draw(shape, on: $0)
            }
            area += stride(from: 1, to: runs.count, by: 2).reduce(0) { $0 + runs[$1] }
            guard runs != shape.mask else { continue }
            wrong += 1
            if wrong < 3 { Issue.record("\(shape)\n\(runs)") }
        }
        #expect(wrong == 0, "of \(shapes.count)")
        #expect(area > 1_000)
    }

    @Test("a brush covers the pixels that Label Studio's converter covers")
    func brushes() throws {
        #expect(content.brushes.count == 8)
        for brush in content.brushes {
            for (least, expected) in [(1, brush.any), (128, brush.half)] {
                let runs = try Self.runs(height: brush.height, width: brush.width) { plane in
                    try BrushRunLengths(brush.rle).forEachRun(height: brush.height, width: brush.width) {
                        start, count, cover in
                        if cover >= least {
                            for place in start..<start + count { plane.pixels[place] = 1 }
                        }
                    }
                }
                #expect(runs == expected, "\(brush.height)×\(brush.width)")
            }
        }
    }

    @Test(
        "a damaged brush is refused by its defect",
        arguments: [
            ([], "cut short"), ([0, 0, 0, 4], "cut short"), ([0, 0, 0, 8] + Self.head, "has 8 values"),
            ([255, 255, 255, 255] + Self.head, "4294967295 values"),
            // 16 bits a value.
            ([0, 0, 0, 4, 0x79, 0x1B, 0xF8], "16 bits"),
            // A run of 8 where there are 4 values.
            ([0, 0, 0, 4, 0x39, 0x1B, 0xFC, 0xE0, 0], "beyond the 4 values"),
            ([0, 0, 0, 4] + Self.head, "cut short"),
        ])
    func damagedBrush(bytes: [UInt8], hint: String) throws {
        let error = #expect(throws: ShapeDefect.self) {
            try BrushRunLengths(bytes).forEachRun(height: 1, width: 1) { _, _, _ in }
        }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    /// Eight bits a value, sizes of 3, 4, 8 and 16 bits, and the beginning of a run.
    static let head: [UInt8] = [0x39, 0x1B, 0xFC]

    @Test("a coordinate that is no place and a circle that is too large are refused")
    func hostile() throws {
        let faults: [(PillowShape, String)] = [
            (.polygon([[0, 0], [.nan, 1], [3, 3]]), "nan"),
            (.polygon([[0, 0], [1e7, 1], [3, 3]]), "1e+07"),
            (.rectangle([0, -.infinity], [3, 3]), "-inf"),
            (.lines([[0, 0], [0, 2e6]], width: 10), "2e+06"),
            (.circle(centre: [3, 3], radius: 20_001), "20001"),
            (.circle(centre: [.nan, 3], radius: 2), "nan"),
            (.circle(centre: [3, 3], radius: .nan), "nan"),
        ]
        for (shape, hint) in faults {
            let error = #expect(throws: ShapeDefect.self) {
                _ = try Self.runs(height: 4, width: 4) { try shape.draw(on: $0) }
            }
            let text = error?.description ?? ""
            #expect(text.contains(hint) || text.contains("\(Double(hint) ?? 0)"), "\(text)")
        }
    }

    @Test("a polygon of many corners on one row is drawn in no time worth a word")
    func manyCorners() throws {
        let points = (0..<200_000).map { SIMD2(Double($0 % 997), Double($0 % 2)) }
        let runs = try Self.runs(height: 3, width: 1000) { try PillowShape.polygon(points).draw(on: $0) }
        #expect(runs.count > 1)
    }

    @Test("an ellipse has the pixels whose centres lie in it, turned clockwise")
    func ellipse() {
        func rows(_ rotation: Double) -> [Int] {
            Self.runs(height: 5, width: 7) {
                $0.fillEllipse(centre: (3.5, 2.5), radii: (3, 1), rotation: rotation)
            }
        }
        #expect(rows(0) == [10, 1, 3, 7, 3, 1, 10])
        #expect(rows(90) == [3, 1, 6, 1, 5, 3, 5, 1, 6, 1, 3])
        // Towards the bottom right where it is turned by 45 degrees clockwise.
        let turned = Self.runs(height: 5, width: 7) {
            $0.fillEllipse(centre: (3.5, 2.5), radii: (3, 0.6), rotation: 45)
        }
        #expect(turned == [1, 1, 7, 1, 7, 1, 7, 1, 7, 1, 1])
        #expect(
            Self.runs(height: 2, width: 2) { $0.fillEllipse(centre: (1, 1), radii: (0, 3), rotation: 0) } == [
                4
            ])
    }

    @Test("a box has the pixels whose centres lie from its edges on and before the next")
    func box() {
        func runs(_ left: Double, _ right: Double) -> [Int] {
            Self.runs(height: 1, width: 6) { $0.fillBox(left: left, top: 0, right: right, bottom: 1) }
        }
        #expect(runs(1, 3) == [1, 2, 3] && runs(1.5, 3.5) == [1, 2, 3] && runs(1.6, 3.6) == [2, 2, 2])
        #expect(runs(-9, 99) == [0, 6] && runs(3, 3) == [6] && runs(-9, -5) == [6])
    }
}
