@testable import RRDatasets
@testable import RRFormats
@testable import RRPreparation

extension FuzzedReader {
    static let annotations: [FuzzedReader] = [
        FuzzedReader(name: "labelme") { _, path in try draw(LabelmeFiles.read([path], in: path)) },
        FuzzedReader(name: "cvat") { _, path in try draw(CVATFile.read(path)) },
        FuzzedReader(name: "label-studio") { _, path in try draw(LabelStudioFile.read(path)) },
        FuzzedReader(name: "yolo") { bytes, path in
            let folder = path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
            let name = path.split(separator: "/").last.map(String.init) ?? path
            try draw(YOLOLabels.read([name], in: folder))
        },
        FuzzedReader(name: "brush") { bytes, _ in
            guard bytes.count > 2 else { return }
            let (height, width) = (Int(bytes[0]), Int(bytes[1]))
            var place = 0
            try BrushRunLengths(Array(bytes.dropFirst(2))).forEachRun(height: height, width: width) {
                start, count, _ in
                place = start == place && count > 0 ? start + count : -1
            }
            guard place == height * width else { throw FuzzFinding("the runs leave pixels out") }
        },
    ]

    /// Draws every shape on a small image, whatever size the file says.
    private static func draw(_ set: AnnotationSet) throws {
        let (height, width) = (9, 7)
        var pixels = [UInt8](repeating: 0, count: height * width)
        for shape in set.images.flatMap(\.shapes) {
            pixels.withUnsafeMutableBufferPointer { pixels in
                let plane = DrawnPlane(pixels, height: height, width: width)
                for threshold in [nil, 0.5] { try? shape.form.draw(on: plane, threshold: threshold) }
            }
        }
        guard pixels.allSatisfy({ $0 <= 1 }) else {
            throw FuzzFinding("a mask has another value than 0 and 1")
        }
    }
}
