import Foundation
import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Sizes of masks whose images were resized")
struct MaskSizeTests {
    let folder: TemporaryFolder

    /// Two images, of 12×8 and 6×10 pixels (H×W), that become 4×4.
    init() throws {
        folder = try TemporaryFolder()
        try write("in/a/0.png", height: 12, width: 8)
        try write("in/b/1.png", height: 6, width: 10)
        try run(["import", "pngs", "in", "--size", "4x4", "-o", "d.h5"])
    }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    /// Writes a gray image, white in its upper half.
    private func write(_ name: String, height: Int, width: Int) throws {
        let samples = (0..<height * width).map { $0 < height / 2 * width ? UInt8(255) : 0 }
        let image = PNGImage(width: width, height: height, channels: 1, bitDepth: 8, samples: samples)
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    private func importing(_ source: String, status: Int32 = 0, for dataset: String = "d.h5") throws -> String
    {
        try run(["import", "masks", source, "--for", dataset, "-o", "m.h5", "--force"], status: status).errors
    }

    /// The mask of a sample of `m.h5`.
    private func mask(_ sample: Int) throws -> [Int] {
        let file = try ArrayFile(path: folder.path("m.h5"))
        let rows = try file.array("/row").integers()
        let size = 16
        return try file.array("/A").integers()[Int(rows[sample]) * size..<(Int(rows[sample]) + 1) * size]
            .map { Int($0) }
    }

    private static let upperHalf = Array(repeating: 1, count: 8) + Array(repeating: 0, count: 8)

    @Test("a dataset remembers the sizes of its images, and one whose images were not resized has none")
    func sourceSizes() throws {
        let sizes = try ArrayFile(path: folder.path("d.h5")).array("/source_size")
        #expect(sizes.shape.dimensions == [2, 2])
        #expect(try sizes.integers().map { Int($0) } == [12, 8, 6, 10])
        try write("plain/a/0.png", height: 4, width: 4)
        try run(["import", "pngs", "plain", "-o", "plain.h5"])
        #expect(try !HDF5File(reading: folder.path("plain.h5")).exists("/source_size"))
        let description = try JSONValue(parsing: run(["info", "d.h5", "--json"]).text)
        #expect(description["format_version"] == "1.1")
        #expect(description["arrays"]?["source_size"]?["shape"] == [2, 2])
        try run(["validate", "d.h5", "--deep"])
        // A file that is left out takes its size along.
        try folder.write(Array("no PNG".utf8), to: "in/a/1.png")
        try run(["import", "pngs", "in", "--size", "4x4", "--on-error", "skip", "-o", "skipped.h5"])
        #expect(try Dataset(path: folder.path("skipped.h5")).sourceSizes?.map(\.height) == [12, 6])
        // A folder that is read as it is says the same.
        var reading = ImageFolderOptions()
        reading.resizing = try Resizing(height: 4, width: 4)
        try FileManager.default.removeItem(atPath: folder.path("in/a/1.png"))
        #expect(
            try Dataset(pngFolder: folder.path("in"), reading: reading).sourceSizes
                == Dataset(path: folder.path("d.h5")).sourceSizes)
    }

    @Test("a mask has the size of its image, before it was resized or after")
    func fitting() throws {
        try write("masks/a/0.png", height: 12, width: 8)
        try write("masks/b/1.png", height: 4, width: 4)
        #expect(try !importing("masks").contains("size"))
        #expect(try mask(0) == Self.upperHalf && mask(1) == Self.upperHalf)
    }

    @Test(
        "a mask of any other size is refused, with the sizes",
        arguments: [(8, 12), (6, 10), (24, 16), (1, 1)])
    func others(height: Int, width: Int) throws {
        try write("masks/a/0.png", height: height, width: width)
        let errors = try importing("masks", status: 65)
        #expect(errors.contains("masks/a/0.png"))
        #expect(
            errors.contains(
                "the mask is of H×W = \(height)×\(width), but the image was of 12×8 before it was resized to 4×4"
            ))
        #expect(errors.contains("fits once it is turned") == (height == 8))
        #expect(FileTree.kind(of: folder.path("m.h5")) == nil)
        // Together with the images.
        let command = ["import", "pngs", "in", "--size", "4x4", "--masks", "masks", "-o", "e.h5"]
        let together = try run(command + ["--masks-output", "n.h5"], status: 65).errors
        #expect(together.contains("the image was of 12×8"))
        #expect(FileTree.kind(of: folder.path("e.h5")) == nil)
    }

    @Test(
        "COCO's sizes of images are held against the images",
        arguments: [(12, 8, Int32(0)), (8, 12, 65), (4, 4, 0)])
    func coco(height: Int, width: Int, status: Int32) throws {
        let (top, half) = (height / 2, width)
        try folder.write(
            Array(
                """
                {"images": [{"id": 1, "file_name": "a/0.png", "height": \(height), "width": \(width)}],
                 "categories": [{"id": 1, "name": "x"}],
                 "annotations": [{"id": 1, "image_id": 1, "category_id": 1,
                   "segmentation": [[0, 0, \(half), 0, \(half), \(top), 0, \(top)]]}]}
                """.utf8), to: "coco.json")
        let errors = try importing("coco.json", status: status)
        #expect(errors.contains("the image was of 12×8") == (status != 0))
        if status == 0 { #expect(try mask(0) == Self.upperHalf) }
    }

    @Test(
        "sizes in a table of boxes are held against the images", arguments: [(12, 8, Int32(0)), (8, 12, 65)])
    func boxes(height: Int, width: Int, status: Int32) throws {
        try folder.write(
            Array(
                """
                id,x_min,y_min,x_max,y_max,image_height,image_width
                a/0,0,0,\(width),\(height / 2),\(height),\(width)
                """.utf8), to: "boxes.csv")
        let errors = try importing("boxes.csv", status: status)
        #expect(errors.contains("the image was of 12×8") == (status != 0))
        if status == 0 { #expect(try mask(0) == Self.upperHalf) }
    }

    @Test("exports keep the sizes", arguments: ["hdf5", "npy", "pngs"])
    func exports(format: String) throws {
        try run(["export", format, "d.h5", "-o", "out"])
        switch format {
        case "hdf5": try run(["import", "hdf5", "out", "-o", "again.h5"])
        case "npy": try run(["import", "npy", "out", "-o", "again.h5"])
        default: try run(["import", "pngs", "out", "-o", "again.h5"])
        }
        #expect(try FileBytes.read(folder.path("again.h5")) == FileBytes.read(folder.path("d.h5")))
        try write("masks/a/0.png", height: 8, width: 12)
        #expect(try importing("masks", status: 65, for: "again.h5").contains("the image was of 12×8"))
    }

    @Test("a dataset that does not know the sizes takes masks of any, and says so")
    func unknown() throws {
        // As an older release wrote it.
        let path = folder.path("d.h5")
        let dataset = try Dataset(path: path)
        var table = try dataset.table()
        table.sourceSizes = nil
        let writer = try DatasetWriter(
            path: folder.path("old.h5"), sampleCount: 2, imageShape: dataset.imageShape, elementType: .uint8)
        for index in 0..<2 {
            try writer.write(
                Tensor(
                    shape: TensorShape([1, 4, 4]),
                    elements: dataset.image(at: index).elements.map { UInt8($0) }),
                at: index)
        }
        _ = try writer.complete(
            table, provenance: ["resize": try Resizing(height: 4, width: 4).json])
        try writer.output.commit()
        try write("masks/a/0.png", height: 24, width: 16)
        #expect(try importing("masks", for: "old.h5").contains("does not say how large its images were"))
        #expect(try mask(0) == Self.upperHalf)
    }
}
