internal import RRDatasets
internal import RRFormats
internal import RRSchemas

extension COCOAnnotationFile {
    /// Reads an annotation's segmentation, or where it has none its box, as masks of an image whose union it is.
    ///
    /// - Parameters:
    ///   - isNormalized: whether coordinates are shares of the image's width and height.
    ///   - flaw: told of a polygon of fewer than three vertices, or of none at all, which marks nothing.
    /// - Throws: `DatasetError` with the code `badAnnotation` that names the annotation and the defect, and what `flaw`
    ///   throws.
    func masks(
        of annotation: Annotation, height: Int, width: Int, isNormalized: Bool = false,
        flaw: (COCODefect) throws(COCODefect) -> Void
    ) throws -> [COCORunLengths] {
        func pixels(_ coordinates: [Double]) -> [Double] {
            guard isNormalized else { return coordinates }
            return coordinates.enumerated().map { $1 * Double($0 % 2 == 0 ? width : height) }
        }
        do throws(COCODefect) {
            guard let place = annotation.segmentation else {
                guard annotation.hasBox else {
                    let defect = COCODefect("there is neither a segmentation nor a bbox")
                    guard annotation.hasEmptySegmentation else { throw defect }
                    try flaw(defect)
                    return []
                }
                let (x, y, boxWidth, boxHeight) = annotation.box
                return [
                    try COCORunLengths(
                        box: pixels([x, y, boxWidth, boxHeight]), height: height, width: width)
                ]
            }
            var parser = JSONParser(bytes: bytes, position: place, allowsNonFinite: true)
            if parser.nextIsArray() {
                var masks: [COCORunLengths] = []
                for polygon in try polygons(&parser) {
                    guard polygon.count >= 6 || polygon.count % 2 == 1 else {
                        try flaw(
                            COCODefect(
                                "a polygon has \(polygon.count) numbers; x and y of at least three vertices are needed"
                            ))
                        continue
                    }
                    masks.append(
                        try COCORunLengths(polygon: pixels(polygon), height: height, width: width))
                }
                return masks
            }
            return [try runLengths(&parser, height: height, width: width)]
        } catch {
            throw DatasetError(.badAnnotation, path: path, "\(annotation.description): \(error)")
        }
    }

    /// Whether all coordinates of some annotations are from 0 to 1, and not all of them whole: shares of an image.
    ///
    /// The first coordinate beyond ends it.
    func hasNormalizedCoordinates(_ numbers: [Int]) -> Bool {
        var hasShares = false
        func areShares(_ coordinates: [Double]) -> Bool {
            hasShares = hasShares || coordinates.contains { $0.rounded() != $0 }
            return coordinates.allSatisfy { 0...1.001 ~= $0 }
        }
        for annotation in numbers.lazy.map({ annotations[$0] }) {
            let (x, y, width, height) = annotation.box
            if annotation.hasBox, !areShares([x, y, width, height]) { return false }
            guard let place = annotation.segmentation else { continue }
            var parser = JSONParser(bytes: bytes, position: place, allowsNonFinite: true)
            guard parser.nextIsArray(), let polygons = try? polygons(&parser), polygons.allSatisfy(areShares)
            else { return false }
        }
        return hasShares
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
        guard size.map(\.integerValue) == [height, width] else {
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
