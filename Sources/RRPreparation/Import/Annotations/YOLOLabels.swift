internal import RRDatasets
internal import RRFormats

/// Labels of YOLO: a text file for each image, a line for each object, all numbers but the class shares of the image.
///
/// `class x y width height` is a box, of which the pixels count whose centres lie in it; `class x1 y1 x2 y2 …` with at least
/// three vertices is a polygon, filled as Ultralytics' `polygon2mask` fills it: places in single precision, cut to whole
/// pixels, OpenCV's `fillPoly`. A file without a line says that nothing is marked.
enum YOLOLabels {
    /// As Ultralytics has it.
    private static let bounds: ClosedRange<Float> = -0.01...1.01

    /// Reads files.
    ///
    /// - Parameter files: paths relative to the folder.
    /// - Throws: `FormatError` where a file cannot be read; `DatasetError` with the code `badAnnotation`.
    static func read(_ files: [String], in folder: String) throws -> AnnotationSet {
        var set = AnnotationSet(
            path: folder,
            namings: [
                "the label files", "the label files without “labels”",
                "the label files with “images” for “labels”",
            ])
        for file in files {
            let stem = COCOMasks.stem(of: file)
            let parts = stem.split(separator: "/")
            var image = AnnotatedImage(
                names: [
                    stem, parts.filter { $0 != "labels" }.joined(separator: "/"),
                    parts.map { $0 == "labels" ? "images" : $0 }.joined(separator: "/"),
                ], description: "the image of “\(file)”", path: folder + "/" + file, isLookedAt: true)
            let bytes = try FileBytes.read(image.path)
            for (position, line) in lines(of: bytes).enumerated() {
                do throws(ShapeDefect) {
                    guard let (label, form) = try object(line) else { continue }
                    image.shapes.append(AnnotatedShape(form, labels: [label], position: position))
                } catch {
                    throw DatasetError(.badAnnotation, path: image.path, "line \(position + 1): \(error)")
                }
            }
            set.images.append(image)
        }
        let classes = try YOLOClassNames(beside: folder)
        set.classNames = classes.names
        if let file = classes.file { set.notes.append("the names of the classes are those of \(file)") }
        return set
    }

    /// Whether bytes begin with a line of an object, or there is nothing.
    static func areLabels(_ start: [UInt8]) -> Bool {
        let all = lines(of: start)
        guard let first = all.first(where: { !$0.allSatisfy(\.isWhitespace) }) else { return true }
        let words = first.split(whereSeparator: \.isWhitespace)
        return words.count >= 5 && Int(words[0]) != nil && words.dropFirst().allSatisfy { Double($0) != nil }
    }

    private static func lines(of bytes: [UInt8]) -> [Substring] {
        let text = String(
            decoding: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
        return text.split(omittingEmptySubsequences: false) { $0.isNewline }
    }

    /// The class and the form of a line; nil where it is empty.
    private static func object(_ line: Substring) throws(ShapeDefect) -> (label: String, AnnotationForm)? {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let first = words.first else { return nil }
        guard let number = Double(first), let label = Int(exactly: number), label >= 0 else {
            throw ShapeDefect("the class is “\(first)”, no whole number")
        }
        let numbers = words.dropFirst().compactMap { Float($0) }
        guard numbers.count == words.count - 1 else {
            throw ShapeDefect("there is something that is no number")
        }
        guard numbers.count == 4 || (numbers.count >= 6 && numbers.count.isMultiple(of: 2)) else {
            throw ShapeDefect(
                "there are \(numbers.count) numbers after the class; a box has 4, a polygon x and y of at least three "
                    + "vertices, and neither a confidence")
        }
        if let outside = numbers.first(where: { !bounds.contains($0) }) {
            throw ShapeDefect("\(outside) is no share of the image, 0 to 1")
        }
        guard numbers.count == 4 else {
            return (
                String(label),
                .sharesPolygon(
                    stride(from: 0, to: numbers.count, by: 2).map { SIMD2(numbers[$0], numbers[$0 + 1]) })
            )
        }
        guard
            let box = try? BoxForm.centre.checkedBox(
                words.dropFirst().compactMap { Double($0) },
                { _ in
                    DatasetError(.badAnnotation, path: "", "")
                })
        else { throw ShapeDefect("the box has a width or height below 0") }
        return (String(label), .sharesBox(box))
    }
}
