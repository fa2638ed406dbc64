@testable import RRDatasets
@testable import RRFormats
@testable import RRPreparation
@testable import RRSchemas
@testable import RRStreaming
@testable import RRTraining

extension FuzzedReader {
    static let texts: [FuzzedReader] = [
        FuzzedReader(name: "json") { bytes, _ in
            let value = try JSONValue(parsing: bytes)
            let text = value.serialized()
            guard try JSONValue(parsing: text).serialized() == text else {
                throw FuzzFinding("what was written is read otherwise")
            }
            for schema in [JSONSchema.dataset, .masks, .metrics, .model] { _ = schema.validate(value) }
        },
        FuzzedReader(name: "model") { _, path in _ = try ModelFile.read(path) },
        FuzzedReader(name: "run") { _, path in
            let configuration = try RunDocument.read(
                path, format: RunConfiguration.format, role: "configuration of a run")
            _ = try RunConfiguration.normalization(in: configuration, path: path)
        },
        FuzzedReader(name: "cursor") { _, path in
            guard let dataset else { throw FuzzFinding("the dataset of the cursors is not there") }
            let options = StreamOptions(batchSize: 2, split: "all")
            _ = try CursorFile(path: path, dataset: dataset, masks: nil, options: options).read()
        },
        FuzzedReader(name: "coco") { _, path in
            let file = try COCOAnnotationFile(path: path)
            _ = file.hasNormalizedCoordinates(Array(file.annotations.indices))
            let (height, width) = (9, 7)
            var columns = [UInt8](repeating: 0, count: height * width)
            for annotation in file.annotations {
                let masks = try? file.masks(of: annotation, height: height, width: width) { _ in }
                for mask in masks ?? [] {
                    columns.withUnsafeMutableBufferPointer { mask.formUnion(into: $0) }
                }
            }
        },
        FuzzedReader(name: "run-lengths") { bytes, _ in
            let text = String(decoding: bytes.dropFirst(2), as: UTF8.self)
            guard bytes.count > 2 else { return }
            let mask = try COCORunLengths(
                compressed: text, height: Int(bytes[0]), width: Int(bytes[1]))
            var columns = [UInt8](repeating: 0, count: mask.height * mask.width)
            columns.withUnsafeMutableBufferPointer { mask.formUnion(into: $0) }
            guard columns.reduce(0, { $0 + Int($1) }) == mask.area else {
                throw FuzzFinding("the mask has other ones than its area says")
            }
        },
        FuzzedReader(name: "csv") { _, path in
            let table = try CSVTable(path: path)
            try table.forEachRecord { record in
                for field in record.fields {
                    _ = CSVCell.value(field)
                    _ = CSVCell.number(field, table.delimiter)
                }
            }
        },
        FuzzedReader(name: "boxes") { _, path in _ = try BoxTable(path: path) },
        FuzzedReader(name: "metadata") { _, path in
            _ = try ImageListFile.forEachRow(of: path, columns: ImageListOptions(), trustsLinks: false) { _ in
            }
        },
        FuzzedReader(name: "metadata-lines") { bytes, path in
            let named = path + ".jsonl"
            try FileBytes.write(bytes, to: named)
            defer { FileTree.remove(named) }
            _ = try ImageListFile.forEachRow(of: named, columns: ImageListOptions(), trustsLinks: false) {
                _ in
            }
        },
    ]

    /// The dataset that cursors are of: no HDF5, which is read in processes too small for a sanitizer.
    private static let dataset: Dataset? = try? Dataset(
        path: #filePath.replacing("Tests/Fuzzing/Readers/FuzzedReader+Texts.swift", with: "")
            + "Fixtures/fashion/test")
}
