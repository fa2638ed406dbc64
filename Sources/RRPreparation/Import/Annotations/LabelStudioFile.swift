internal import RRDatasets
internal import RRFormats
internal import RRSchemas

/// Annotations of Label Studio: its export as JSON or JSON-MIN, a list of tasks.
///
/// A brush covers the pixels that Label Studio's own converter says, where its cover is not 0. Polygons and rectangles are
/// filled as its COCO export is by pycocotools; a rectangle is turned about its upper left corner, as the pixels are. Of an
/// ellipse the pixels count whose centres lie in it. Of several annotations of a task that were not cancelled the union is
/// taken, predictions are not.
enum LabelStudioFile {
    /// Reads a file.
    ///
    /// - Throws: `FormatError` where the file cannot be read or is no JSON; `DatasetError` with the code `badAnnotation`.
    static func read(_ path: String) throws -> AnnotationSet {
        var reader = Reader(path: path)
        var parser = JSONParser(bytes: try FileBytes.read(path, takesPipe: true), allowsNonFinite: true)
        do {
            if parser.nextIsObject() {
                try reader.readTask(&parser)
            } else {
                guard parser.nextIsArray() else { throw reader.fault("the file holds no list of tasks") }
                try parser.readElements { try reader.readTask(&$0) }
            }
            try parser.readEnd()
        } catch let error as JSONError {
            throw FormatError(.malformed, path: path, "this is no sound JSON: \(error)")
        }
        return try reader.finish()
    }

    /// A task as it was read.
    private struct Task {
        var id: String?
        /// What may name its image, by the key that it stands under.
        var names: [String: String] = [:]
        var regions: [[LabelStudioRegion]] = []
        var hasData = false
    }

    private struct Reader {
        let path: String
        private var tasks: [Task] = []
        private var predictionCount = 0

        init(path: String) { self.path = path }

        func fault(_ message: String) -> DatasetError { DatasetError(.badAnnotation, path: path, message) }

        private func name(_ task: Task) -> String { "the task \(task.id ?? "number \(tasks.count)")" }

        mutating func readTask(_ parser: inout JSONParser) throws {
            var (task, flat) = (Task(), Task())
            var predictions = 0
            guard parser.nextIsObject() else { throw fault("\(name(task)) is no object") }
            try parser.readMembers { key, parser in
                switch key {
                case "id":
                    let value = try parser.readValue()
                    task.id = value.stringValue ?? value.integerValue.map(String.init)
                case "data" where parser.nextIsObject():
                    task.hasData = true
                    try parser.readMembers { key, parser in
                        if parser.nextIsString() {
                            task.names[key] = try parser.readValue().stringValue
                        } else {
                            try parser.skipValue()
                        }
                    }
                case "annotations", "completions":
                    guard parser.nextIsArray() else { return try parser.skipValue() }
                    task.hasData = true
                    try parser.readElements { parser in
                        if let regions = try annotation(&parser, of: task) { task.regions.append(regions) }
                    }
                case "predictions" where parser.nextIsArray():
                    try parser.readElements {
                        try $0.skipValue()
                        predictions += 1
                    }
                case "file_upload": task.names[key] = try parser.readValue().stringValue
                case "drafts", "comments", "meta": try parser.skipValue()
                case _ where parser.nextIsString(): flat.names[key] = try parser.readValue().stringValue
                case _ where parser.nextIsArray():
                    flat.regions += [try regions(&parser, of: task, isFlat: true)]
                default: try parser.skipValue()
                }
            }
            predictionCount += predictions
            if !task.hasData {
                task.names.merge(flat.names) { first, _ in first }
                task.regions = [Array(flat.regions.joined())]
            }
            tasks.append(task)
        }

        /// The regions of an annotation; nil where it was cancelled.
        private func annotation(
            _ parser: inout JSONParser, of task: Task
        ) throws -> [LabelStudioRegion]? {
            guard parser.nextIsObject() else {
                throw fault("\(name(task)) has an annotation that is no object")
            }
            var found: [LabelStudioRegion] = []
            var isCancelled = false
            try parser.readMembers { key, parser in
                switch key {
                case "was_cancelled", "skipped": isCancelled = try parser.readValue() == true || isCancelled
                case "result" where parser.nextIsArray():
                    found = try regions(&parser, of: task, isFlat: false)
                default: try parser.skipValue()
                }
            }
            return isCancelled ? nil : found
        }

        /// The regions of a list, those of one id as one; a list without objects has none.
        private func regions(
            _ parser: inout JSONParser, of task: Task, isFlat: Bool
        ) throws -> [LabelStudioRegion] {
            var found: [LabelStudioRegion] = []
            var places: [String: Int] = [:]
            var position = 0
            try parser.readElements { parser in
                defer { position += 1 }
                guard !isFlat || parser.nextIsObject() else { return try parser.skipValue() }
                do {
                    let region = try LabelStudioRegion(&parser)
                    if let id = region.id, let place = places[id] {
                        found[place].join(region)
                    } else {
                        if let id = region.id { places[id] = found.count }
                        found.append(region)
                    }
                } catch let error as ShapeDefect {
                    throw fault("\(name(task)): region \(position): \(error)")
                }
            }
            return found
        }

        func finish() throws -> AnnotationSet {
            guard !tasks.isEmpty else { throw fault("there are no tasks") }
            let keys = Set(tasks.flatMap(\.names.keys)).sorted()
            guard !keys.isEmpty else { throw fault("no task names its image in “data”") }
            var set = AnnotationSet(
                path: path,
                namings: keys.flatMap { ["“\($0)”", "“\($0)” without the eight characters of an upload"] })
            var unionCount = 0
            for task in tasks {
                if task.regions.count > 1 { unionCount += 1 }
                set.images.append(try image(task, keys, &set.untaken))
            }
            if unionCount > 0 {
                set.notes.append(
                    "images with several annotations, whose union is taken: \(unionCount)")
            }
            if predictionCount > 0 {
                set.notes.append("predictions, which are not taken: \(predictionCount)")
            }
            return set
        }

        private func image(
            _ task: Task, _ keys: [String], _ untaken: inout [String: Int]
        ) throws -> AnnotatedImage {
            let name = "the task \(task.id ?? "of “\(task.names[keys[0]] ?? "")”")"
            var image = AnnotatedImage(
                names: keys.flatMap { key in
                    let stem = task.names[key].map(LabelStudioNames.stem) ?? ""
                    return [stem, LabelStudioNames.withoutUpload(stem)]
                }, description: name, path: path, isLookedAt: !task.regions.isEmpty)
            var targets: Set<String> = []
            for (position, region) in task.regions.joined().enumerated() where region.isDrawn {
                do throws(ShapeDefect) {
                    let size = try region.imageSize()
                    if let known = image.size, known != size {
                        throw ShapeDefect("the image has another size than for the regions before it")
                    }
                    image.size = size
                    guard let form = try region.form() else {
                        untaken[region.kind.isEmpty ? "point" : region.kind, default: 0] += 1
                        continue
                    }
                    if let target = region.target { targets.insert(target) }
                    image.shapes.append(AnnotatedShape(form, labels: region.labels, position: position))
                } catch {
                    throw fault("\(name): region \(position): \(error)")
                }
            }
            guard targets.count <= 1 else {
                throw fault(
                    "\(name) has regions on several images (\(targets.sorted().joined(separator: ", "))); which is the "
                        + "sample's cannot be told")
            }
            return image
        }
    }
}

/// What Label Studio calls an image: the address that it is served under.
enum LabelStudioNames {
    /// The path without what serves it and without an extension: `photos/a` for `/data/local-files/?d=photos/a.jpg`.
    static func stem(_ address: String) -> String {
        var path = Substring(address)
        if let local = path.firstRange(of: "?d=") {
            path = path[local.upperBound...].prefix { $0 != "&" }
        } else if let scheme = path.firstRange(of: "://") {
            path = path[scheme.upperBound...].drop { $0 != "/" }.prefix { $0 != "?" && $0 != "#" }
        }
        return COCOMasks.stem(of: String(decoded(path).drop { $0 == "/" }))
    }

    /// A stem without the eight hexadecimal digits and the hyphen that an upload puts before a file's name.
    static func withoutUpload(_ stem: String) -> String {
        let name = SampleNames.baseName(stem)
        let start = name.prefix(9)
        guard start.count == 9, start.last == "-",
            start.dropLast().allSatisfy({ $0.isHexDigit && $0.isASCII })
        else { return stem }
        return String(stem.dropLast(name.count)) + name.dropFirst(9)
    }

    /// A text with `%20` read as what it means; one that is none stays.
    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                bytes.append(UInt8(digits[0] * 16 + digits[1]))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self) ?? String(text)
    }
}
