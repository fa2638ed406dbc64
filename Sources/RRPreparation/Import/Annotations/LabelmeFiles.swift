internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// Annotations of labelme: a JSON file for each image.
///
/// Pixels are those of labelme's own `labelme.utils.shape_to_mask`: polygons, rectangles and circles with their outlines, lines
/// of 10 pixels, points of radius 5, and masks in base64 that stand between two corners, both included. Coordinates are those
/// of the image as viewers show it, turned by its Exif orientation.
enum LabelmeFiles {
    private static let lineWidth = 10
    private static let pointRadius = 5.0

    /// Reads files.
    ///
    /// - Parameters:
    ///   - files: paths relative to the folder, or one file.
    /// - Throws: `FormatError` where a file cannot be read or is no JSON; `DatasetError` with the code `badAnnotation`.
    static func read(_ files: [String], in folder: String) throws -> AnnotationSet {
        var set = AnnotationSet(path: folder, namings: ["the annotations' files", "imagePath"])
        for file in files {
            let path = file == folder ? file : folder + "/" + file
            let relative = file == folder ? SampleNames.baseName(file) : file
            let bytes = try FileBytes.read(path, takesPipe: file == folder)
            do {
                try set.images.append(image(bytes, at: path, named: relative, &set.untaken))
            } catch let error as JSONError {
                throw FormatError(.malformed, path: path, "this is no sound JSON: \(error)")
            }
        }
        return set
    }

    private static func image(
        _ bytes: [UInt8], at path: String, named name: String, _ untaken: inout [String: Int]
    ) throws -> AnnotatedImage {
        func fault(_ message: String) -> DatasetError { DatasetError(.badAnnotation, path: path, message) }
        var parser = JSONParser(bytes: bytes, allowsNonFinite: true)
        guard parser.nextIsObject() else { throw fault("the file holds no JSON object") }
        var (imagePath, height, width): (String?, Int?, Int?)
        var shapes: [AnnotatedShape]?
        try parser.readMembers { key, parser in
            switch key {
            case "imagePath": imagePath = try parser.readValue().stringValue
            case "imageHeight": height = try parser.readValue().integerValue
            case "imageWidth": width = try parser.readValue().integerValue
            case "shapes":
                guard shapes == nil else { throw fault("“shapes” is given twice") }
                guard parser.nextIsArray() else { throw fault("“shapes” is no list") }
                var position = 0
                var found: [AnnotatedShape] = []
                try parser.readElements { parser in
                    let value = try parser.readValue()
                    do throws(ShapeDefect) {
                        if let shape = try shape(value, position: position, &untaken) { found.append(shape) }
                    } catch {
                        throw fault("shape \(position): \(error)")
                    }
                    position += 1
                }
                shapes = found
            default: try parser.skipValue()
            }
        }
        try parser.readEnd()
        guard let shapes else { throw fault("there is no list “shapes”, which labelme's files have") }
        // The name in the file is relative to it.
        let named = imagePath.map { $0.replacing("\\", with: "/") } ?? ""
        let above = name.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        let isBelow = !named.isEmpty && !named.hasPrefix("/") && !named.split(separator: "/").contains("..")
        var size: (Int, Int)?
        if let height, let width { size = (height, width) }
        return AnnotatedImage(
            names: [COCOMasks.stem(of: name), COCOMasks.stem(of: isBelow ? above + named : named)],
            size: size, description: "the image “\(imagePath ?? name)”", path: path, shapes: shapes,
            isLookedAt: true)
    }

    /// A shape; nil for a kind that labelme draws nothing for.
    private static func shape(
        _ value: JSONValue, position: Int, _ untaken: inout [String: Int]
    ) throws(ShapeDefect) -> AnnotatedShape? {
        guard let list = value["points"]?.arrayValue else { throw ShapeDefect("there is no list “points”") }
        var points: [SIMD2<Double>] = []
        for pair in list {
            let numbers = pair.arrayValue?.compactMap(\.doubleValue) ?? []
            guard numbers.count == 2, pair.arrayValue?.count == 2 else {
                throw ShapeDefect("a point is not x and y, two numbers")
            }
            points.append(SIMD2(numbers[0], numbers[1]))
        }
        let kind = value["shape_type"]?.stringValue ?? "polygon"
        func check(_ count: Int) throws(ShapeDefect) {
            guard points.count == count else {
                throw ShapeDefect("the \(kind) has \(points.count) points, not \(count)")
            }
        }
        let form: AnnotationForm
        switch kind {
        case "polygon": form = .drawn(.polygon(points))
        case "oriented_rectangle", "rotation":
            try check(4)
            form = .drawn(.polygon(points))
        case "rectangle": form = .drawn(try rectangle(points))
        case "circle":
            try check(2)
            let reach = points[0] - points[1]
            form = .drawn(.circle(centre: points[0], radius: (reach * reach).sum().squareRoot()))
        case "line", "linestrip":
            if kind == "line" { try check(2) }
            form = .drawn(.lines(points, width: lineWidth))
        case "point":
            try check(1)
            form = .drawn(.circle(centre: points[0], radius: pointRadius))
        case "mask":
            try check(2)
            form = try mask(value["mask"], from: points[0], to: points[1])
        default:
            untaken[kind, default: 0] += 1
            return nil
        }
        return AnnotatedShape(
            form, labels: [value["label"]?.stringValue].compactMap(\.self), position: position)
    }

    /// A rectangle of two corners that lie opposite each other, or of all four, as forks of labelme write it.
    private static func rectangle(_ points: [SIMD2<Double>]) throws(ShapeDefect) -> PillowShape {
        guard let first = points.first, points.count == 2 || points.count == 4 else {
            throw ShapeDefect("the rectangle has \(points.count) points, not 2")
        }
        let (least, most) = points.reduce((first, first)) {
            (pointwiseMin($0.0, $1), pointwiseMax($0.1, $1))
        }
        let areCorners = points.allSatisfy {
            ($0.x == least.x || $0.x == most.x) && ($0.y == least.y || $0.y == most.y)
        }
        guard points.count == 2 || areCorners else {
            throw ShapeDefect("the rectangle's four points are no corners of one along the axes")
        }
        return .rectangle(least, most)
    }

    private static func mask(
        _ value: JSONValue?, from first: SIMD2<Double>, to last: SIMD2<Double>
    ) throws(ShapeDefect) -> AnnotationForm {
        guard let text = value?.stringValue, let bytes = Base64.bytes(of: text) else {
            throw ShapeDefect("the mask is no PNG file in base64")
        }
        let numbers = [first.x, first.y, last.x, last.y]
        guard numbers.allSatisfy({ $0.isFinite && 0...1e6 ~= $0 }), Int(last.x) >= Int(first.x),
            Int(last.y) >= Int(first.y)
        else { throw ShapeDefect("the corners of the mask are no places in an image, the upper left first") }
        return .image(
            bytes,
            box: AnnotationForm.PixelBox(
                left: Int(first.x), top: Int(first.y), height: Int(last.y) - Int(first.y) + 1,
                width: Int(last.x) - Int(first.x) + 1))
    }
}
