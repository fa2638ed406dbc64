internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// What a COCO annotation file says of its images, categories and annotations, the segmentations not yet read.
///
/// The file's bytes are kept, and of each annotation the place of its segmentation: made to values, the polygons of a
/// large file would take six times its size.
struct COCOAnnotationFile: Sendable {
    /// An id; COCO's are whole numbers, others write `7.0`, `"7"`, which are the same, or text.
    enum Identifier: Hashable, Sendable, CustomStringConvertible {
        case number(Int)
        case text(String)

        var description: String {
            switch self {
            case .number(let number): String(number)
            case .text(let text): "“\(text)”"
            }
        }
    }

    struct Image: Sendable {
        let id: Identifier
        let fileName: String
        /// Rows of pixels; nil where the file does not say, or says nonsense.
        let height: Int?
        /// Pixels in a row.
        let width: Int?
    }

    struct Category: Sendable {
        let id: Identifier
        let name: String?
    }

    struct Annotation: Sendable {
        /// Its place in the list, from 0.
        let position: Int
        let id: Identifier?
        let imageId: Identifier
        let categoryId: Identifier?
        /// Where the segmentation begins in the file; nil where there is none, or an empty one.
        let segmentation: Int?
        /// Whether there is a segmentation that is an empty list, also of empty lists.
        let hasEmptySegmentation: Bool
        let hasBox: Bool
        /// x, y, width and height, in pixels.
        let box: (Double, Double, Double, Double)
        let area: Double?

        /// `annotation 17`
        var description: String {
            id.map { "annotation \($0)" } ?? "annotation number \(position) of the list"
        }
    }

    let path: String
    let bytes: [UInt8]
    private(set) var images: [Image] = []
    private(set) var categories: [Category] = []
    private(set) var annotations: [Annotation] = []

    /// Reads a file.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no JSON; `DatasetError` with the code
    ///   `badAnnotation`.
    init(path: String) throws {
        self.path = path
        bytes = try FileBytes.read(path, takesPipe: true)
        var parser = JSONParser(bytes: bytes, allowsNonFinite: true)
        var found: Set<String> = []
        do {
            guard parser.nextIsObject() else { throw fault("the file holds no JSON object") }
            try parser.readMembers { key, parser in
                if ["images", "categories", "annotations"].contains(key) {
                    guard found.insert(key).inserted else { throw fault("“\(key)” is given twice") }
                    guard parser.nextIsArray() else { throw fault("“\(key)” is no list") }
                }
                switch key {
                case "images": try parser.readElements { images.append(try image(&$0)) }
                case "categories": try parser.readElements { categories.append(try category(&$0)) }
                case "annotations": try parser.readElements { annotations.append(try annotation(&$0)) }
                default: try parser.skipValue()
                }
            }
            try parser.readEnd()
        } catch let error as JSONError {
            throw FormatError(.malformed, path: path, "this is no sound JSON: \(error)")
        }
        for key in ["images", "annotations"] where !found.contains(key) {
            throw fault(
                "there is no list “\(key)”; a COCO annotation file has “images”, “annotations” and “categories”"
            )
        }
    }

    private func fault(_ message: String) -> DatasetError {
        DatasetError(.badAnnotation, path: path, message)
    }

    private func image(_ parser: inout JSONParser) throws -> Image {
        let what = "image number \(images.count) of the list"
        guard parser.nextIsObject() else { throw fault("\(what) is no object") }
        var (id, fileName, height, width): (Identifier?, String?, Int?, Int?)
        try parser.readMembers { key, parser in
            switch key {
            case "id": id = try identifier(&parser, "the id of \(what)")
            case "file_name": fileName = try parser.readValue().stringValue
            case "height": height = try parser.readValue().integerValue
            case "width": width = try parser.readValue().integerValue
            default: try parser.skipValue()
            }
        }
        guard let id else { throw fault("\(what) has no id") }
        guard let fileName, !fileName.isEmpty else { throw fault("image \(id) has no file_name") }
        return Image(id: id, fileName: fileName, height: height, width: width)
    }

    private func category(_ parser: inout JSONParser) throws -> Category {
        let what = "category number \(categories.count) of the list"
        guard parser.nextIsObject() else { throw fault("\(what) is no object") }
        var (id, name): (Identifier?, String?)
        try parser.readMembers { key, parser in
            switch key {
            case "id": id = try identifier(&parser, "the id of \(what)")
            case "name": name = try parser.readValue().stringValue
            default: try parser.skipValue()
            }
        }
        guard let id else { throw fault("\(what) has no id") }
        return Category(id: id, name: name)
    }

    private func annotation(_ parser: inout JSONParser) throws -> Annotation {
        let position = annotations.count
        let what = "annotation number \(position) of the list"
        guard parser.nextIsObject() else { throw fault("\(what) is no object") }
        var (id, imageId, categoryId): (Identifier?, Identifier?, Identifier?)
        var (segmentation, area): (Int?, Double?)
        var hasEmptySegmentation = false
        var box: JSONValue?
        try parser.readMembers { key, parser in
            switch key {
            case "id": id = try identifier(&parser, "the id of \(what)")
            case "image_id": imageId = try identifier(&parser, "the image_id of \(what)")
            case "category_id": categoryId = try optionalIdentifier(&parser)
            case "segmentation":
                hasEmptySegmentation = parser.nextIsArray() && !Self.isSomething(&parser)
                segmentation = Self.isSomething(&parser) ? parser.position : nil
                try parser.skipValue()
            case "bbox": box = try parser.readValue()
            case "area": area = try parser.readValue().doubleValue
            default: try parser.skipValue()
            }
        }
        let named = id.map { "annotation \($0)" } ?? what
        guard let imageId else { throw fault("\(named) has no image_id") }
        let numbers = box.flatMap { $0 == .null || $0 == .array([]) ? nil : $0 }
        let sides = numbers?.arrayValue?.compactMap(\.doubleValue) ?? []
        guard numbers == nil || sides.count == 4, numbers?.arrayValue?.count ?? 0 == sides.count else {
            throw fault("\(named): the bbox is not x, y, width and height")
        }
        return Annotation(
            position: position, id: id, imageId: imageId, categoryId: categoryId, segmentation: segmentation,
            hasEmptySegmentation: hasEmptySegmentation, hasBox: numbers != nil,
            box: sides.count == 4 ? (sides[0], sides[1], sides[2], sides[3]) : (0, 0, 0, 0), area: area)
    }

    /// Whether a segmentation comes: neither null nor an empty list, also of empty lists.
    private static func isSomething(_ parser: inout JSONParser) -> Bool {
        guard parser.nextIsArray() else { return !parser.nextIsNull() }
        var ahead = parser
        if ahead.skipEmptyArray() { return false }
        var isSomething = false
        ahead = parser
        do {
            try ahead.readElements { parser in
                guard !isSomething, parser.nextIsArray(), parser.skipEmptyArray() else {
                    isSomething = true
                    return try parser.skipValue()
                }
            }
        } catch {
            // Whoever reads the segmentation says what is wrong with it.
            return true
        }
        return isSomething
    }

    private func optionalIdentifier(_ parser: inout JSONParser) throws -> Identifier? {
        switch try parser.readValue() {
        case .integer(let number): .number(number)
        case .number(let number): Int(exactly: number).map { .number($0) }
        case .string(let text): Int(text).flatMap { String($0) == text ? .number($0) : nil } ?? .text(text)
        default: nil
        }
    }

    private func identifier(_ parser: inout JSONParser, _ what: String) throws -> Identifier {
        guard let identifier = try optionalIdentifier(&parser) else {
            throw fault("\(what) is neither a whole number nor text")
        }
        return identifier
    }
}
