internal import RRFormats
internal import RRSchemas

/// A region of Label Studio, coordinates in percent of the image.
struct LabelStudioRegion {
    private(set) var id: String?
    /// The tag of the image that it is on.
    private(set) var target: String?
    private(set) var kind = ""
    private(set) var labels: [String] = []
    private var width: Int?
    private var height: Int?
    private var imageRotation = 0.0
    private var numbers: [String: Double] = [:]
    private var points: [Double]?
    private var runs: [UInt8]?

    private static let numberNames: Set = ["x", "y", "width", "height", "rotation", "radiusX", "radiusY"]
    private static let largest = 1e6

    /// Reads a region; what it is may stand in an object “value”, or beside the rest where the export is JSON-MIN.
    ///
    /// - Throws: `JSONError`, or `ShapeDefect` for what cannot be.
    init(_ parser: inout JSONParser) throws { try readMembers(&parser) }

    private mutating func readMembers(_ parser: inout JSONParser) throws {
        guard parser.nextIsObject() else { throw ShapeDefect("it is no object") }
        var copy = self
        try parser.readMembers { key, parser in
            switch key {
            case "value" where parser.nextIsObject(): try copy.readMembers(&parser)
            case "id":
                let value = try parser.readValue()
                copy.id = value.stringValue ?? value.integerValue.map(String.init)
            case "to_name": copy.target = try parser.readValue().stringValue
            case "type": copy.kind = try parser.readValue().stringValue ?? ""
            case "original_width": copy.width = try parser.readValue().integerValue
            case "original_height": copy.height = try parser.readValue().integerValue
            case "image_rotation": copy.imageRotation = try parser.readValue().doubleValue ?? 0
            case "points" where parser.nextIsArray(): copy.points = try Self.points(&parser)
            case "rle" where parser.nextIsArray(): copy.runs = try Self.bytes(&parser)
            case _ where key.hasSuffix("labels") && parser.nextIsArray():
                copy.labels += try parser.readValue().arrayValue?.compactMap(\.stringValue) ?? []
            case _ where Self.numberNames.contains(key):
                copy.numbers[key] = try parser.readValue().doubleValue
            default: try parser.skipValue()
            }
        }
        self = copy
    }

    private static func points(_ parser: inout JSONParser) throws -> [Double] {
        var numbers: [Double] = []
        try parser.readElements { parser in
            let pair = try parser.readValue().arrayValue ?? []
            let found = pair.compactMap(\.doubleValue)
            guard pair.count == 2, found.count == 2 else {
                throw ShapeDefect("a point is not x and y, two numbers")
            }
            numbers += found
        }
        return numbers
    }

    private static func bytes(_ parser: inout JSONParser) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try parser.readElements { parser in
            guard let number = try parser.readValue().integerValue, let byte = UInt8(exactly: number) else {
                throw ShapeDefect("the brush's rle holds something that is no byte, 0 to 255")
            }
            bytes.append(byte)
        }
        return bytes
    }

    /// Whether it has anything to draw, be it that nothing is enclosed.
    var isDrawn: Bool { runs != nil || points != nil || numbers["x"] != nil }

    /// Takes what another result says of the same region: a label stands by itself where the project has tags of labels
    /// and tags of shapes.
    mutating func join(_ other: LabelStudioRegion) {
        labels += other.labels.filter { !labels.contains($0) }
        guard !isDrawn, other.isDrawn else { return }
        let joined = labels
        self = other
        labels = joined
    }

    /// The size of the image.
    ///
    /// - Throws: `ShapeDefect` where it is not there, or the image was turned in Label Studio.
    func imageSize() throws(ShapeDefect) -> (height: Int, width: Int) {
        guard imageRotation == 0 else {
            throw ShapeDefect(
                "the image was turned by \(imageRotation) degrees in Label Studio; such regions are not read")
        }
        guard let height, let width, height > 0, width > 0 else {
            throw ShapeDefect("there are no original_width and original_height")
        }
        return (height, width)
    }

    /// What is to be drawn, in pixels; nil for what encloses nothing.
    ///
    /// - Throws: `ShapeDefect` for numbers that are missing or no places.
    func form() throws(ShapeDefect) -> AnnotationForm? {
        let size = try imageSize()
        let (height, width) = (Double(size.height), Double(size.width))
        func pixels(_ name: String, _ extent: Double) throws(ShapeDefect) -> Double {
            let number = numbers[name] ?? .nan
            guard number.isFinite, number.magnitude <= Self.largest else {
                throw ShapeDefect("\(name) is \(number), no share of the image in percent")
            }
            return number / 100 * extent
        }
        if let runs { return .brush(BrushRunLengths(runs)) }
        if let points {
            return .polygon(points.enumerated().map { $1 / 100 * ($0 % 2 == 0 ? width : height) })
        }
        guard numbers["x"] != nil else { return nil }
        let (x, y) = (try pixels("x", width), try pixels("y", height))
        let rotation = numbers["rotation"] == nil ? 0 : try pixels("rotation", 100)
        if numbers["radiusX"] != nil {
            return .ellipse(
                centre: SIMD2(x, y),
                radii: SIMD2(try pixels("radiusX", width), try pixels("radiusY", height)),
                rotation: rotation)
        }
        guard numbers["height"] != nil else { return nil }
        let (boxWidth, boxHeight) = (try pixels("width", width), try pixels("height", height))
        guard rotation != 0 else { return .box([x, y, boxWidth, boxHeight]) }
        return .polygon(
            TurnedBox.corners(
                left: x, top: y, right: x + boxWidth, bottom: y + boxHeight, rotation: rotation,
                around: SIMD2(x, y)))
    }
}
