internal import RRDatasets
internal import RRFormats
internal import RRSchemas

extension COCOAnnotationFile {
    /// Reads an annotation's segmentation, or where it has none its box, as masks of an image whose union it is.
    ///
    /// - Throws: `DatasetError` with the code `badAnnotation` that names the annotation and the defect.
    func masks(of annotation: Annotation, height: Int, width: Int) throws -> [COCORunLengths] {
        do throws(COCODefect) {
            guard let place = annotation.segmentation else {
                guard annotation.hasBox else {
                    throw COCODefect("there is neither a segmentation nor a bbox")
                }
                let (x, y, boxWidth, boxHeight) = annotation.box
                return [
                    try COCORunLengths(box: [x, y, boxWidth, boxHeight], height: height, width: width)
                ]
            }
            var parser = JSONParser(bytes: bytes, position: place, allowsNonFinite: true)
            if parser.nextIsArray() {
                return try polygons(&parser).map { (polygon) throws(COCODefect) in
                    try COCORunLengths(polygon: polygon, height: height, width: width)
                }
            }
            return [try runLengths(&parser, height: height, width: width)]
        } catch {
            throw DatasetError(.badAnnotation, path: path, "\(annotation.description): \(error)")
        }
    }

    private func polygons(_ parser: inout JSONParser) throws(COCODefect) -> [[Double]] {
        var polygons: [[Double]] = []
        do {
            try parser.readElements { parser in
                guard parser.nextIsArray() else {
                    throw COCODefect("the segmentation is no list of polygons, each a list of numbers")
                }
                var numbers: [Double] = []
                try parser.readElements { parser in
                    guard let number = try parser.readValue().doubleValue else {
                        throw COCODefect("a polygon holds something that is no number")
                    }
                    numbers.append(number)
                }
                polygons.append(numbers)
            }
        } catch {
            throw error as? COCODefect ?? COCODefect("\(error)")
        }
        return polygons
    }

    private func runLengths(
        _ parser: inout JSONParser, height: Int, width: Int
    ) throws(COCODefect) -> COCORunLengths {
        let value: JSONValue
        do { value = try parser.readValue() } catch { throw COCODefect("\(error)") }
        guard let counts = value["counts"], let size = value["size"]?.arrayValue else {
            throw COCODefect(
                "the segmentation is neither a list of polygons nor an object with size and counts")
        }
        guard size == [.integer(height), .integer(width)] else {
            let sizes = size.map { $0.serialized() }.joined(separator: "×").prefix(60)
            throw COCODefect("the runs are for H×W = \(sizes), but the image has \(height)×\(width)")
        }
        switch counts {
        case .string(let text): return try COCORunLengths(compressed: text, height: height, width: width)
        case .array(let list):
            let numbers = list.compactMap(\.integerValue)
            guard numbers.count == list.count else {
                throw COCODefect("the runs hold something that is no whole number")
            }
            return try COCORunLengths(counts: numbers, height: height, width: width)
        default: throw COCODefect("the counts are neither text nor a list")
        }
    }
}
