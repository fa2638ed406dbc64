import RRDatasets
import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("Commands with folders of JPEG files")
struct PhotographCommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @discardableResult
    private func run(_ arguments: [String], status: Int32 = 0) throws -> (text: String, errors: String) {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return (outcome.text, outcome.errors)
    }

    /// Puts a file of `Fixtures/formats/jpeg` into the folder.
    private func copy(_ name: String, to path: String) throws {
        try folder.write(FileBytes.read(Fixtures.path("formats/jpeg/\(name).jpg")), to: path)
    }

    private static func samples(_ name: String) throws -> [Int] {
        let expected = try JSONValue(parsing: FileBytes.read(Fixtures.path("formats/jpeg/expected.json")))
        return (expected[name]?["samples"]?.arrayValue ?? []).compactMap(\.integerValue)
    }

    /// The planes of a fixture as Pillow has them: RGB where it is gray, too.
    private static func planes(_ name: String) throws -> [Int] {
        let samples = try samples(name)
        let channels = samples.count / (21 * 18)
        return (0..<3).flatMap { channel in
            stride(from: channels == 1 ? 0 : channel, to: samples.count, by: channels).map { samples[$0] }
        }
    }

    private func values(_ path: String, _ array: String = "/images") throws -> [Int] {
        try ArrayFile(path: folder.path(path)).array(array).integers().map { Int($0) }
    }

    @Test("photographs and PNG files become one dataset, each by its content, with Pillow's pixels")
    func mixed() throws {
        try copy("colour-420", to: "in/cat/1.jpg")
        try copy("cmyk", to: "in/cat/2.JPEG")
        try copy("gray", to: "in/dog/3.jpe")
        try copy("profile", to: "in/dog/called.png")
        try copy("rgb", to: "in/dog/other.jfif")
        try folder.write(Array("no image".utf8), to: "in/dog/notes.txt")
        let imported = try run(["import", "images", "in", "--color", "rgb", "-o", "d.h5", "--json"])
        let summary = try JSONValue(parsing: imported.text)
        #expect(summary["samples"] == 5)
        #expect(imported.errors.contains("images whose gamma or colour profile was ignored: 1"))
        #expect(imported.errors.contains("their names are not those of images: 1"))
        let dataset = try Dataset(path: folder.path("d.h5"))
        #expect(try dataset.ids() == ["cat/1", "cat/2", "dog/3", "dog/called", "dog/other"])
        #expect(
            try values("d.h5")
                == ["colour-420", "cmyk", "gray", "profile", "rgb"].flatMap { try Self.planes($0) })
        let provenance = try JSONValue(parsing: run(["info", "d.h5", "--json"]).text)["provenance"]
        #expect(provenance?["command"] == "import images")
        #expect(try run(["validate", "--deep", "d.h5"]).text.contains("sound"))

        // A stream of the folder has the same images, and training learns from them.
        let stream = ["--batch-size", "2", "--shuffle", "--seed", "5", "--format", "npy"]
        let ofFolder = try CommandLineTool.run(["stream", "in", "--color", "rgb"] + stream, in: folder.path)
        let ofFile = try CommandLineTool.run(["stream", "d.h5"] + stream, in: folder.path)
        #expect(ofFolder.status == 0 && !ofFile.output.isEmpty && ofFolder.output == ofFile.output)
        try run([
            "train", "in", "--size", "8x8", "--color", "rgb", "--model", "mlp", "--epochs", "1",
            "--batch-size", "2", "-o",
            "run",
        ])
    }

    @Test("photographs are turned where that is asked for")
    func turned() throws {
        try copy("turned-6", to: "in/a/1.jpg")
        let stored = try run(["import", "images", "in", "-o", "stored.h5"])
        #expect(stored.errors.contains("whose Exif data says that they are to be turned: 1"))
        #expect(try Dataset(path: folder.path("stored.h5")).imageShape.dimensions == [3, 18, 21])
        try run(["import", "images", "in", "--orientation", "apply", "-o", "turned.h5"])
        #expect(try Dataset(path: folder.path("turned.h5")).imageShape.dimensions == [3, 21, 18])
        let (before, after) = (try values("stored.h5"), try values("turned.h5"))
        // The first row of the turned image is the first column, from below.
        #expect(after[0..<18].elementsEqual((0..<18).reversed().map { before[$0 * 21] }))
    }

    @Test("PNG files alone are another command")
    func pngsAlone() throws {
        try copy("gray", to: "in/a/1.png")
        try copy("gray", to: "in/a/2.jpg")
        let refused = try run(["import", "pngs", "in", "-o", "d.h5"], status: 65)
        #expect(refused.errors.contains("in/a/1.png: this is not a PNG file but a JPEG file"))
        #expect(FileTree.kind(of: folder.path("d.h5")) == nil)
    }

    @Test("two files of one id are refused")
    func sameId() throws {
        try copy("gray", to: "in/a/1.jpg")
        try copy("gray", to: "in/a/1.jpeg")
        let refused = try run(["import", "images", "in", "-o", "d.h5"], status: 65)
        #expect(refused.errors.contains("1.jpeg and 1.jpg would have the same id"))
    }

    @Test("what is cut short or damaged is refused, left out or completed")
    func damaged() throws {
        try copy("colour-444", to: "in/a/1.jpg")
        try copy("cut-colour-420", to: "in/a/2.jpg")
        let refused = try run(["import", "images", "in", "-o", "d.h5"], status: 65)
        #expect(refused.errors.contains("in/a/2.jpg: the JPEG is damaged: the file is cut short"))
        let skipped = try run(["import", "images", "in", "--on-error", "skip", "-o", "d.h5"])
        #expect(skipped.errors.contains("skipped a/2.jpg: the JPEG is damaged: the file is cut short"))
        let completed = try run(["import", "images", "in", "--truncated", "complete", "-o", "c.h5"])
        #expect(
            completed.errors.contains(
                "images that were read although they have an end before that of their image, which was filled up with "
                    + "gray: 1"))
        #expect(try values("c.h5") == Self.planes("colour-444") + Self.planes("cut-colour-420"))
        try copy("fault-data", to: "in/a/3.jpg")
        let damaged = try run(
            ["import", "images", "in", "--truncated", "complete", "-o", "d2.h5"], status: 65)
        #expect(damaged.errors.contains("in/a/3.jpg: the JPEG is damaged: Corrupt JPEG data"))
    }

    @Test("a list may leave out the endings of names, where that is plain")
    func list() throws {
        try copy("colour-444", to: "in/images/1.jpg")
        try copy("colour-422", to: "in/images/2.jpeg")
        try folder.write(
            Array("file_name,label\nimages/1,cat\nimages/2.jpeg,dog\n".utf8), to: "in/metadata.csv")
        try run(["import", "images", "in", "-o", "d.h5"])
        #expect(try Dataset(path: folder.path("d.h5")).ids() == ["images/1", "images/2"])
        try copy("colour-420", to: "in/images/1.png")
        let refused = try run(["import", "images", "in", "-o", "e.h5"], status: 65)
        #expect(refused.errors.contains("may be images/1.png or images/1.jpg: give the name whole"))
    }

    @Test("files of other kinds are named, with what to do")
    func others() throws {
        try folder.write(
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".utf8), to: "in/a/1.jpg"
        )
        let pointer = try run(["import", "images", "in", "-o", "d.h5"], status: 65)
        #expect(pointer.errors.contains("in/a/1.jpg: this is a pointer of Git LFS"))
        #expect(pointer.errors.contains("git lfs pull"))
        try folder.write(Array("RIFF\0\0\0\0WEBPVP8 ".utf8), to: "in/a/1.jpg")
        #expect(
            try run(["stream", "in", "--batch-size", "1", "--format", "null"], status: 65).errors.contains(
                "a WebP file"))
    }

    @Test("masks in PNG files are of photographs that are called alike")
    func masks() throws {
        try copy("gray", to: "in/a/1.jpg")
        try copy("gray-progressive", to: "in/a/2.jpg")
        let mask = try PNGEncoder.encode(
            PNGImage(
                width: 21, height: 18, channels: 1, bitDepth: 8,
                samples: (0..<21 * 18).map { $0 % 5 == 0 ? 255 : 0 }))
        try folder.write(mask, to: "masks/a/1.png")
        try run(["import", "images", "in", "--masks", "masks", "--masks-output", "m.h5", "-o", "d.h5"])
        #expect(try values("m.h5", "/row") == [0, 1])
        #expect(try values("m.h5", "/A").prefix(6) == [1, 0, 0, 0, 0, 1])
        // Beside their images.
        try folder.write(mask, to: "in/a/2_mask.png")
        let refused = try run(["import", "images", "in", "-o", "e.h5"], status: 65)
        #expect(refused.errors.contains("a/2_mask.png of a/2.jpg"))
        try run(["import", "images", "in", "--masks-among-images", "-o", "e.h5", "--masks-output", "n.h5"])
        #expect(try values("n.h5", "/row") == [1, 0])
    }
}
