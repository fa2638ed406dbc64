internal import RRDatasets
internal import RRFormats

/// Annotations of CVAT in its own XML, “CVAT for images 1.1”.
///
/// Polygons, boxes and boxes that are turned are filled as CVAT's exporters do, by pycocotools, and ellipses by OpenCV; a mask
/// has runs row by row within its box. Polylines, points, skeletons and cuboids enclose
/// nothing and are left out.
struct CVATFile {
    /// Reads a file.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no XML; `DatasetError` with the code `badAnnotation`.
    static func read(_ path: String) throws -> AnnotationSet {
        let bytes = try FileBytes.read(path, takesPipe: true)
        let reader = Reader(path: path)
        try XMLScanner.scan(bytes, path: path) { try reader.take($0) }
        return try reader.finish()
    }

    private static let untaken: Set = ["polyline", "points", "skeleton", "cuboid"]

    /// What was read so far; one thread uses it.
    private final class Reader {
        private let path: String
        private var set: AnnotationSet
        private var open: [String] = []
        private var image: AnnotatedImage?
        private var shapeCount = 0
        private var labelName = ""

        init(path: String) {
            self.path = path
            set = AnnotationSet(path: path, namings: ["the images' names"])
        }

        func fault(_ message: String) -> DatasetError { DatasetError(.badAnnotation, path: path, message) }

        func take(_ event: XMLScanner.Event) throws {
            switch event {
            case .start(let element):
                guard open.first == nil || open.first == "annotations",
                    open.first != nil || element.name == "annotations"
                else {
                    throw fault("the file's first element is <\(element.name)>, not CVAT's <annotations>")
                }
                try begin(element)
                open.append(element.name)
            case .text(let text):
                if open.suffix(2) == ["label", "name"] { labelName += text }
            case .end(let name):
                open.removeLast()
                if name == "image", let ended = image {
                    set.images.append(ended)
                    image = nil
                } else if name == "name", open.last == "label" {
                    set.listedLabels.append(labelName)
                    labelName = ""
                }
            }
        }

        private func begin(_ element: XMLScanner.Element) throws {
            if open.count == 1, element.name == "track" {
                throw fault(
                    "line \(element.line): these are tracks of a video; export the task as “CVAT for images 1.1”"
                )
            }
            if open.count == 1, element.name == "image" {
                image = try CVATFile.image(element, path: path)
                shapeCount = 0
                return
            }
            guard image != nil, open.last == "image", element.name != "tag" else { return }
            defer { shapeCount += 1 }
            guard !CVATFile.untaken.contains(element.name) else {
                set.untaken[element.name, default: 0] += 1
                return
            }
            do throws(ShapeDefect) {
                let form = try CVATFile.form(element)
                let labels = [element.attributes["label"]].compactMap(\.self)
                image?.shapes.append(AnnotatedShape(form, labels: labels, position: shapeCount))
            } catch {
                throw fault("line \(element.line): <\(element.name)>: \(error)")
            }
        }

        func finish() throws -> AnnotationSet {
            guard !set.images.isEmpty else { throw fault("there is no <image> in <annotations>") }
            return set
        }
    }

    private static func image(_ element: XMLScanner.Element, path: String) throws -> AnnotatedImage {
        func fault(_ message: String) -> DatasetError {
            DatasetError(.badAnnotation, path: path, "line \(element.line): \(message)")
        }
        guard let name = element.attributes["name"], !name.isEmpty else {
            throw fault("an <image> has no name")
        }
        guard let height = element.attributes["height"].flatMap(Int.init),
            let width = element.attributes["width"].flatMap(Int.init)
        else { throw fault("the image “\(name)” has no height and width") }
        return AnnotatedImage(
            names: [COCOMasks.stem(of: name)], size: (height, width), description: "the image “\(name)”",
            path: path, isLookedAt: false)
    }

    private static func form(_ element: XMLScanner.Element) throws(ShapeDefect) -> AnnotationForm {
        func number(_ name: String) throws(ShapeDefect) -> Double {
            guard let text = element.attributes[name], let number = Double(text), number.isFinite,
                number.magnitude <= 1e6
            else { throw ShapeDefect("\(name) is “\(element.attributes[name] ?? "")”, no place in an image") }
            return number
        }
        func whole(_ name: String) throws(ShapeDefect) -> Int {
            guard let whole = Int(exactly: try number(name)) else {
                throw ShapeDefect("\(name) is “\(element.attributes[name] ?? "")”, no whole number")
            }
            return whole
        }
        let rotation = element.attributes["rotation"] == nil ? 0 : try number("rotation")
        switch element.name {
        case "polygon": return .polygon(try points(element.attributes["points"] ?? ""))
        case "box":
            let (left, top) = (try number("xtl"), try number("ytl"))
            let (right, bottom) = (try number("xbr"), try number("ybr"))
            guard rotation != 0 else { return .box([left, top, right - left, bottom - top]) }
            return .polygon(
                TurnedBox.corners(
                    left: left, top: top, right: right, bottom: bottom, rotation: rotation,
                    around: SIMD2(left + (right - left) / 2, top + (bottom - top) / 2)))
        case "ellipse":
            return .roundedEllipse(
                OpenCVEllipse(
                    centre: SIMD2(try number("cx"), try number("cy")),
                    radii: SIMD2(try number("rx"), try number("ry")), rotation: rotation))
        case "mask":
            let box = AnnotationForm.PixelBox(
                left: try whole("left"), top: try whole("top"), height: try whole("height"),
                width: try whole("width"))
            return .rowRuns(counts: try counts(element.attributes["rle"] ?? ""), box: box)
        default: throw ShapeDefect("this kind of shape is not known")
        }
    }

    /// `1.5,2;3,4`
    private static func points(_ text: String) throws(ShapeDefect) -> [Double] {
        var numbers: [Double] = []
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: ",", omittingEmptySubsequences: false)
            let found = parts.compactMap { Double($0.trimmingSpaces) }
            guard parts.count == 2, found.count == 2 else {
                throw ShapeDefect("the point “\(pair)” is not x and y, two numbers")
            }
            numbers += found
        }
        return numbers
    }

    private static func counts(_ text: String) throws(ShapeDefect) -> [Int] {
        var counts: [Int] = []
        for part in text.split(separator: ",") {
            guard let count = Int(part.trimmingSpaces) else {
                throw ShapeDefect("the run “\(part)” is no whole number")
            }
            counts.append(count)
        }
        return counts
    }
}

extension Substring {
    /// The text without spaces before and after it.
    fileprivate var trimmingSpaces: Substring {
        let rest = drop { $0 == " " }
        return rest.lastIndex { $0 != " " }.map { rest[...$0] } ?? ""
    }
}
