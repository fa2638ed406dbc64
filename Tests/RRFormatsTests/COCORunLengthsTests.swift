import Foundation
import RRFormats
import TestSupport
import Testing

/// `Fixtures/formats/masks` has what pycocotools makes of polygons, boxes and noise.
@Suite("COCO run lengths")
struct COCORunLengthsTests {
    struct Shape: Decodable {
        let kind: String
        let height: Int
        let width: Int
        let polygon: [Double]?
        let box: [Double]?
        let counts: String
    }

    struct Noise: Decodable {
        let height: Int
        let width: Int
        let counts: String
        let runs: [Int]
    }

    static func read<Content: Decodable>(_ name: String, as type: Content.Type) throws -> Content {
        let data = try Data(contentsOf: URL(filePath: Fixtures.path("formats/masks/\(name)")))
        return try JSONDecoder().decode(type, from: data)
    }

    /// The ones and zeros, column by column.
    static func plane(_ runs: COCORunLengths) -> [UInt8] {
        var plane = [UInt8](repeating: 0, count: runs.height * runs.width)
        plane.withUnsafeMutableBufferPointer { runs.formUnion(into: $0) }
        return plane
    }

    @Test("polygons and boxes fill the very pixels that pycocotools fills")
    func shapes() throws {
        let shapes = try Self.read("segmentations.json", as: [Shape].self)
        #expect(shapes.count == 160)
        var area = 0
        for shape in shapes {
            let (height, width) = (shape.height, shape.width)
            let expected = try COCORunLengths(compressed: shape.counts, height: height, width: width)
            let runs =
                try shape.polygon.map { try COCORunLengths(polygon: $0, height: height, width: width) }
                ?? COCORunLengths(box: shape.box ?? [], height: height, width: width)
            #expect(
                Self.plane(runs) == Self.plane(expected),
                "\(shape.kind) \(height)×\(width) \(shape.polygon ?? shape.box ?? [])")
            #expect(runs.area == Self.plane(expected).reduce(0) { $0 + Int($1) })
            area += runs.area
        }
        #expect(area > 4_000)
    }

    @Test("run-length text unpacks to the runs that pycocotools packed")
    func text() throws {
        let noise = try Self.read("runs.json", as: [Noise].self)
        #expect(noise.count == 12)
        for noise in noise {
            let (height, width) = (noise.height, noise.width)
            let unpacked = try COCORunLengths(compressed: noise.counts, height: height, width: width)
            #expect(unpacked.counts == noise.runs)
            #expect(try COCORunLengths(counts: noise.runs, height: height, width: width) == unpacked)
        }
    }

    @Test("a plane keeps what another mask has set")
    func union() throws {
        var plane = [UInt8](repeating: 0, count: 6)
        for counts in [[1, 2, 3], [4, 1, 1]] {
            let runs = try COCORunLengths(counts: counts, height: 2, width: 3)
            plane.withUnsafeMutableBufferPointer { runs.formUnion(into: $0) }
        }
        #expect(plane == [0, 1, 1, 0, 1, 0])
    }

    @Test(
        "runs that do not add up are refused with both figures",
        arguments: [
            ([5], "add up to 5"), ([], "add up to 0"), ([3, 4], "more than the 6 pixels"),
            ([3, -1, 4], "run 1 has the length -1"), ([Int.max, Int.max], "more than the 6 pixels"),
        ])
    func counts(counts: [Int], hint: String) {
        let error = #expect(throws: COCODefect.self) {
            try COCORunLengths(counts: counts, height: 2, width: 3)
        }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test(
        "damaged run-length text is refused",
        arguments: [
            ("6 ", "byte 32"), ("3p", "byte 112"), ("3é", "byte 195"), ("P", "cut short"),
            ("5", "add up to 5"),
            ("34", "more than the 6 pixels"), ("O", "length -1"),
            ("PPPPPPPPPPPPP0", "more than 60 bits"),
            ("1111OOOO", "run 6 of the run-length text has the length -1"),
            ("", "add up to 0"),
        ])
    func damagedText(text: String, hint: String) {
        let error = #expect(throws: COCODefect.self) {
            try COCORunLengths(compressed: text, height: 2, width: 3)
        }
        #expect(error?.description.contains(hint) == true, "\(text): \(error?.description ?? "")")
    }

    @Test(
        "polygons that are none are refused",
        arguments: [
            ([1, 2, 3, 4], "4 numbers"), ([1, 2, 3, 4, 5, 6, 7], "7 numbers"), ([], "0 numbers"),
            ([0, 0, .nan, 1, 2, 2], "coordinate nan"), ([0, 0, .infinity, 1, 2, 2], "coordinate inf"),
            ([0, 0, 1e300, 1, 2, 2], "coordinate 1e+300"),
            ([0, 0, 1_000_001, 0, 0, 1], "coordinate 1000001.0"),
        ])
    func damagedPolygons(polygon: [Double], hint: String) {
        let error = #expect(throws: COCODefect.self) {
            try COCORunLengths(polygon: polygon, height: 9, width: 9)
        }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test("any number of edges takes memory and time in proportion, far outside of the image too")
    func manyEdges() throws {
        // Twice the same way round, again and again: an even number of changes at each place.
        let once: [Double] = [0, 0, 8, 0, 8, 9e5, -9e5, 9e5]
        let polygon = Array(repeatElement(once, count: 20_000).joined())
        let even = try COCORunLengths(polygon: polygon, height: 9, width: 9)
        #expect(even.area == 0)
        let odd = try COCORunLengths(polygon: once, height: 9, width: 9)
        #expect(odd.area == 72)
        #expect(try COCORunLengths(polygon: polygon + once, height: 9, width: 9) == odd)
    }

    @Test(
        "boxes and sizes that are none are refused",
        arguments: [
            ([1, 2, 3], 9, "3 numbers"), ([1, 2, -3, 1], 9, "width -3"),
            ([1, 2, .nan, 1], 9, "coordinate nan"),
            ([1, 2, 3, 1], 0, "0×9"), ([1, 2, 3, 1], Int.max, "there is no mask"),
        ])
    func damagedBoxes(box: [Double], height: Int, hint: String) {
        let error = #expect(throws: COCODefect.self) {
            try COCORunLengths(box: box, height: height, width: 9)
        }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }
}
