import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Commands with PNG files that are to be turned, or have harmless faults")
struct OrientationCommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    private func copy(_ name: String, from fixture: String = "png-orientations", to path: String) throws {
        try folder.write(FileBytes.read(Fixtures.path("formats/\(fixture)/\(name).png")), to: path)
    }

    /// The samples of all images of a dataset, and the shape of each.
    private func images(_ name: String) throws -> (shape: [Int], values: [Int]) {
        let dataset = try Dataset(path: folder.path(name))
        let array = try ArrayFile(path: folder.path(name)).array("/images")
        return (dataset.imageShape.dimensions, try array.integers().map { Int($0) })
    }

    @Test("annotations on images that are to be turned and were not are said to be misplaced")
    func annotations() throws {
        try copy("gray-1", to: "in/1.png")
        try copy("gray-3", to: "in/3.png")
        try folder.write(Array("0 0.25 0.25 0.5 0.5\n".utf8), to: "labels/3.txt")
        let common = ["import", "pngs", "in", "--labels", "none", "-o"]
        try run(common + ["d.h5"])
        try run(common + ["e.h5", "--orientation", "apply"])
        let text =
            "annotation tools show them turned, so what is drawn on them is misplaced: `rrdata import images` with --orientation apply"
        let line = ["import", "masks", "labels", "-o", "m.h5", "--force", "--for"]
        #expect(try run(line + ["d.h5"]).errors.contains(text))
        #expect(try !run(line + ["e.h5"]).errors.contains(text))
        // They come along with their images.
        let both = try run(
            common + ["f.h5", "--masks", "labels", "--masks-output", "n.h5"])
        #expect(both.errors.contains(text), "\(both.errors)")
    }

    @Test("images are stored as they are unless they are to be turned, and a line says which")
    func importing() throws {
        try copy("gray-1", to: "in/a/1.png")
        try copy("gray-3", to: "in/b/3.png")
        let ignoring = try run(["import", "pngs", "in", "-o", "d.h5", "--json"])
        #expect(
            ignoring.errors.contains(
                "images whose Exif data says that they are to be turned: 1; they are taken as they are stored, and "
                    + "--orientation apply turns them"))
        #expect(try JSONValue(parsing: ignoring.text)["notes"]?.arrayValue?.count == 1)
        let stored = [3, 12, 21, 43, 52, 61]
        #expect(try images("d.h5").values == stored + stored)
        let applying = try run(["import", "pngs", "in", "--orientation", "apply", "-o", "turned.h5"])
        #expect(applying.errors.contains("images that were turned as their Exif data says: 1"))
        #expect(try images("turned.h5").values == stored + stored.reversed())
        let provenance = try JSONValue(parsing: run(["info", "turned.h5", "--json"]).text)["provenance"]
        #expect(provenance?["orientations"] == ["policy": "apply", "images": 1])
        // A stream of the folder reads it alike.
        let stream = ["stream", "in", "--batch-size", "2", "--format", "null"]
        #expect(try run(stream).errors.contains("--orientation apply turns them"))
        #expect(try run(stream + ["--orientation", "apply"]).errors.contains("images that were turned"))
    }

    @Test("rows become columns, and sizes are compared once images are turned")
    func sizes() throws {
        try copy("rgb-6", to: "in/a/6.png")
        try copy("rgb-8", to: "in/a/8.png")
        try run([
            "import", "pngs", "in", "--orientation", "apply", "--color", "gray", "--depth", "16", "-o",
            "d.h5",
        ])
        #expect(try images("d.h5").shape == [1, 3, 2])
        try run(["import", "pngs", "in", "--orientation", "apply", "-o", "e.h5"])
        // Pillow: exif_transpose of each.
        let expected = try JSONValue(
            parsing: FileBytes.read(Fixtures.path("formats/png-orientations/expected.json")))
        let samples = try ["rgb-6.png", "rgb-8.png"].flatMap { name in
            let values = expected[name]?["samples"]?.arrayValue?.compactMap(\.integerValue)
            let interleaved = try #require(values)
            return (0..<3).flatMap { channel in stride(from: channel, to: 18, by: 3).map { interleaved[$0] } }
        }
        #expect(try images("e.h5").values == samples)
        try copy("rgb-1", to: "in/b/1.png")
        let errors = try run(["import", "pngs", "in", "--orientation", "apply", "-o", "f.h5"], status: 65)
            .errors
        #expect(errors.contains("differ in size"))
        try run(["import", "pngs", "in", "-o", "f.h5"])
    }

    /// A mask of 3×2 (width × height) whose upper left pixel is marked, with an orientation of its own.
    private func writeMask(_ orientation: UInt8?, to path: String) throws {
        let image = PNGImage(width: 3, height: 2, channels: 1, bitDepth: 8, samples: [255, 0, 0, 0, 0, 0])
        var bytes = try PNGEncoder.encode(image)
        if let orientation {
            let data: [UInt8] =
                Array("eXIfMM".utf8) + [
                    0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0,
                ]
            let checksum = data.withUnsafeBytes { CRC32.checksum(of: $0) }
            let chunk =
                [0, 0, 0, UInt8(data.count - 4)] + data
                + withUnsafeBytes(of: checksum.bigEndian) { Array($0) }
            bytes.insert(contentsOf: chunk, at: 33)
        }
        try folder.write(bytes, to: path)
    }

    private func mask(_ name: String) throws -> [Int] {
        let masks = try ArrayFile(path: folder.path(name)).array("/A")
        return try masks.integers().prefix(6).map { Int($0) }
    }

    @Test("masks are turned as their images are, by their own orientation")
    func masks() throws {
        try copy("gray-6", to: "in/a/1.png")
        try writeMask(6, to: "masks/a/1.png")
        let both = [
            "import", "pngs", "in", "--masks", "masks", "--masks-output", "m.h5", "-o", "d.h5", "--force",
        ]
        let ignoring = try run(both)
        #expect(ignoring.errors.contains("masks whose Exif data says that they are to be turned: 1"))
        #expect(try mask("m.h5") == [1, 0, 0, 0, 0, 0])
        let applying = try run(both + ["--orientation", "apply"])
        #expect(applying.errors.contains("masks that were turned as their Exif data says: 1"))
        // A quarter clockwise: the upper left pixel of 3×2 is the upper right one of 2×3.
        #expect(try mask("m.h5") == [0, 1, 0, 0, 0, 0])
        try run(["import", "masks", "masks", "--for", "d.h5", "--orientation", "apply", "-o", "n.h5"])
        #expect(try mask("n.h5") == [0, 1, 0, 0, 0, 0])
    }

    /// The places in the first mask of a set that are marked, as `row,column`, and the masks' height and width.
    private func places(_ name: String) throws -> (size: [Int], places: Set<[Int]>) {
        let array = try ArrayFile(path: folder.path(name)).array("/A")
        let (height, width) = (array.shape.dimensions[2], array.shape.dimensions[3])
        let first = try array.integers().prefix(height * width)
        let marked = first.indices.filter { first[$0] == 1 }
        return ([height, width], Set(marked.map { [$0 / width, $0 % width] }))
    }

    /// A mask of 3×2 without an orientation, whose two left pixels of the upper row are marked.
    private let drawn: [[UInt8]] = [[255, 255, 0], [0, 0, 0]]

    private func writeMask(rows: [[UInt8]], to path: String) throws {
        let image = PNGImage(
            width: rows[0].count, height: rows.count, channels: 1, bitDepth: 8, samples: rows.flatMap(\.self))
        try folder.write(PNGEncoder.encode(image), to: path)
    }

    @Test(
        "a mask of the stored size is turned as its image, and one of the turned size stands",
        arguments: [
            // What Pillow's exif_transpose makes of the two pixels.
            (5, [[0, 0], [1, 0]]), (6, [[0, 1], [1, 1]]), (7, [[2, 1], [1, 1]]), (8, [[2, 0], [1, 0]]),
        ])
    func following(orientation: Int, expected: [[Int]]) throws {
        try copy("gray-\(orientation)", to: "in/a/1.png")
        try writeMask(rows: drawn, to: "stored/a/1.png")
        let both = "import pngs in --orientation apply --masks-output m.h5 -o d.h5 --force --masks"
            .split(separator: " ").map(String.init)
        let turned = try run(both + ["stored"])
        #expect(turned.errors.contains("masks without an eXIf chunk that were turned as their images are: 1"))
        #expect(try places("m.h5").size == [3, 2])
        #expect(try places("m.h5").places == Set(expected))
        // The same mask, turned already.
        let rows = (0..<3).map { row in (0..<2).map { expected.contains([row, $0]) ? UInt8(255) : 0 } }
        try writeMask(rows: rows, to: "shown/a/1.png")
        let standing = try run(both + ["shown"])
        #expect(!standing.errors.contains("turned as their images"))
        #expect(try places("m.h5").places == Set(expected))
        // In another size of images the masks' own sizes still tell.
        try run(both + ["stored", "--size", "6x4"])
        let large = expected.flatMap { place in
            [[0, 0], [0, 1], [1, 0], [1, 1]].map { [place[0] * 2 + $0[0], place[1] * 2 + $0[1]] }
        }
        #expect(try places("m.h5").places == Set(large))
    }

    @Test("a mask that fits both ways is read as the others are, or refused with the option for each way")
    func bothWays() throws {
        try copy("gray-3", to: "in/a/1.png")
        try writeMask(rows: drawn, to: "m/a/1.png")
        let both = "import pngs in --orientation apply --masks m --masks-output m.h5 -o d.h5 --force"
            .split(separator: " ").map(String.init)
        let errors = try run(both, status: 65).errors
        #expect(errors.contains("m/a/1.png"), "\(errors)")
        #expect(errors.contains("--masks-drawn-on stored") && errors.contains("--masks-drawn-on shown"))
        try run(both + ["--masks-drawn-on", "stored"])
        #expect(try places("m.h5").places == [[1, 2], [1, 1]])
        try run(both + ["--masks-drawn-on", "shown"])
        #expect(try places("m.h5").places == [[0, 0], [0, 1]])
        // A second image, whose mask can only have been drawn on the pixels as stored.
        try copy("gray-6", to: "in/a/2.png")
        try writeMask(rows: drawn, to: "m/a/2.png")
        try run(both + ["--size", "4x6"])
        #expect(try places("m.h5").places == Set([2, 3].flatMap { row in (2...5).map { [row, $0] } }))
        // Masks that come later find images that were turned: one of the stored size is refused by name, and a line says how
        // others are taken.
        let refused = try run(["import", "masks", "m", "--for", "d.h5", "-o", "n.h5"], status: 65).errors
        #expect(refused.contains("m/a/2.png") && refused.contains("It fits once it is turned"), "\(refused)")
        try writeMask(rows: [[0, 255], [0, 255], [0, 0]], to: "m/a/2.png")
        let later = try run(["import", "masks", "m", "--for", "d.h5", "-o", "n.h5"])
        #expect(later.errors.contains("images of the dataset that were turned by their eXIf chunks: 2"))
        try run(["import", "pngs", "in", "--masks-drawn-on", "shown", "-o", "e.h5"], status: 64)
    }

    @Test("where only one of the two sizes can be, the mask is read by it")
    func maskSizes() throws {
        try copy("gray-6", to: "in/a/1.png")
        try run(["import", "pngs", "in", "--orientation", "apply", "-o", "turned.h5"])
        try run(["import", "pngs", "in", "-o", "stored.h5"])
        try writeMask(6, to: "masks/a/1.png")
        try run(["import", "masks", "masks", "--for", "turned.h5", "-o", "a.h5"])
        #expect(try mask("a.h5") == [0, 1, 0, 0, 0, 0])
        try run(["import", "masks", "masks", "--for", "stored.h5", "--orientation", "apply", "-o", "b.h5"])
        #expect(try mask("b.h5") == [1, 0, 0, 0, 0, 0])
        try writeMask(nil, to: "masks/a/1.png")
        let errors = try run(
            ["import", "masks", "masks", "--for", "turned.h5", "--force", "-o", "a.h5"], status: 65
        ).errors
        #expect(errors.contains("It fits once it is turned") && errors.contains("--orientation"))
        // Square images leave what the option says.
        try run(["import", "masks", "masks", "--for", "stored.h5", "--force", "-o", "b.h5"])
        #expect(try mask("b.h5") == [1, 0, 0, 0, 0, 0])
    }

    @Test("files with harmless faults are read, and counted in a line; damaged ones are not")
    func faults() throws {
        for (number, name) in ["text-before", "text-after", "more-rows", "rgb-transparency"].enumerated() {
            try copy(name, from: "png-faults", to: "in/\(number % 2 == 0 ? "a" : "b")/\(number).png")
        }
        let imported = try run(["import", "pngs", "in", "-o", "d.h5", "--json"])
        #expect(
            imported.errors.contains(
                "images that were read although they have an ancillary chunk with a wrong checksum: 2"))
        #expect(imported.errors.contains("although they have data after the last row: 1"))
        #expect(imported.errors.contains("although they have a tRNS chunk of a wrong length"))
        #expect(try JSONValue(parsing: imported.text)["notes"]?.arrayValue?.count == 3)
        let provenance = try JSONValue(parsing: run(["info", "d.h5", "--json"]).text)["provenance"]
        #expect(provenance?["read_over"]?["data after the last row"] == .integer(1))
        try run(["stream", "in", "--batch-size", "2", "--format", "null"])
        try copy("refused-adler", from: "png-faults", to: "in/a/9.png")
        try run(["import", "pngs", "in", "--force", "-o", "d.h5"], status: 65)
        // A mask of this kind is read and counted too.
        try copy("more-bits", from: "png-faults", to: "masks/a/0.png")
        let masks = try run(
            ["import", "masks", "masks", "--for", "d.h5", "--mask-values", "3", "-o", "m.h5", "--json"])
        let notes = try JSONValue(parsing: masks.text)["notes"]?.arrayValue
        #expect(notes?.contains("masks that were read although they have data after the last row: 1") == true)
        #expect(masks.errors.contains("masks that were read although they have data after the last row: 1"))
    }
}
