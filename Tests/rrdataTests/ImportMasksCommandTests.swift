import Foundation
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("import masks")
struct ImportMasksCommandTests {
    let folder: TemporaryFolder

    /// A dataset of three images, 28×28, whose ids are `coat/0`, `coat/1` and `shoe/2`.
    init() throws {
        folder = try TemporaryFolder()
        let source = Fixtures.path("fashion/test/Bag")
        for (number, name) in try FileManager.default.contentsOfDirectory(atPath: source).sorted().prefix(3)
            .enumerated()
        {
            let image = try Data(contentsOf: URL(filePath: "\(source)/\(name)"))
            try folder.write(Array(image), to: "images/\(number < 2 ? "coat" : "shoe")/\(number).png")
        }
        let outcome = try run("import pngs images -o d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    func writeAnnotations(_ annotations: String = #"{"id": 3, "image_id": 7, "bbox": [2, 3, 4, 5]}"#) throws {
        let text = """
            {"images": [{"id": 7, "file_name": "1.jpg", "height": 28, "width": 28}, {"id": 8, "file_name": "9.jpg"}],
             "annotations": [\(annotations)], "categories": [{"id": 1, "name": "logo"}]}
            """
        try folder.write(Array(text.utf8), to: "a.json")
    }

    @Test("the help has examples of every source")
    func help() throws {
        let outcome = try run("import masks --help")
        #expect(outcome.status == 0)
        for part in [
            "--format labelme", "label-studio.json", "  rrdata import masks lesions", ".json --for",
            ".csv --for", "--marks right",
        ] {
            #expect(outcome.text.contains(part))
        }
        #expect(try run("import --help").text.contains("  masks "))
    }

    @Test(
        "annotations beside photographs are told by their content, chosen by label, and named in the report")
    func annotations() throws {
        let text = """
            {"version": "5.5.0", "flags": {}, "shapes": [
              {"label": "logo", "points": [[2, 3], [5, 6]], "shape_type": "rectangle", "flags": {}},
              {"label": "coat", "points": [[0, 0], [27, 27]], "shape_type": "rectangle", "flags": {}}],
             "imagePath": "1.png", "imageData": null, "imageHeight": 28, "imageWidth": 28}
            """
        try folder.write(Array(text.utf8), to: "images/coat/1.json")
        let outcome = try run("import masks images --for d.h5 --category logo -o m.h5 --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let value = try JSONValue(parsing: outcome.text)
        #expect(value["source_kind"] == "labelme" && value["annotated"] == 1)
        #expect(value["annotations"]?["used"] == 1 && value["annotations"]?["filtered"] == 1)
        #expect(value["mean_share"]?.doubleValue == 16.0 / 784)
        let provenance = try JSONValue(parsing: run("info m.h5 --json").text)["provenance"]
        #expect(provenance?["kind"] == "labelme")
        #expect(try run("validate d.h5 m.h5").status == 0)
        // The same masks come along with their images.
        let both = try run(
            "import pngs images --masks images/coat/1.json --masks-output n.h5 -o e.h5 --json")
        #expect(both.status == 0, "\(both.errors)")
        #expect(try run("import masks images --for d.h5 --format yolo -o x.h5").status == 65)
        #expect(try run("import masks images --for d.h5 --format cvet -o x.h5").status == 64)
        let unknown = try run("import masks images --for d.h5 --category logos -o x.h5")
        #expect(
            unknown.status == 64 && unknown.errors.contains("there are coat, logo: did you mean “logo”?"),
            "\(unknown.errors)")
    }

    @Test(
        "files that cannot be decoded leave their samples without a mask where that is asked for, and are named"
    )
    func undecodable() throws {
        let filled = PNGImage(
            width: 28, height: 28, channels: 1, bitDepth: 8, samples: [UInt8](repeating: 255, count: 784))
        let mask = try PNGEncoder.encode(filled)
        try folder.write(mask, to: "f/coat/0.png")
        try folder.write(Array(mask.dropLast(30)), to: "f/coat/1.png")
        try folder.write([0xFF, 0xD8, 0xFF, 0xE0], to: "f/shoe/2.png")
        let stopped = try run("import masks f --for d.h5 -o m.h5")
        #expect(stopped.status == 65 && stopped.errors.contains("f/coat/1.png"), "\(stopped.errors)")
        #expect(try !folder.names().contains("m.h5"))
        let outcome = try run("import masks f --for d.h5 -o m.h5 --on-error skip --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let value = try JSONValue(parsing: outcome.text)
        #expect(value["annotated"] == 1 && value["samples_without_mask"] == 2)
        #expect(value["skipped"]?.arrayValue?.compactMap { $0["file"] } == ["coat/1.png", "shoe/2.png"])
        #expect(outcome.errors.contains("skipped shoe/2.png: the mask: "))
        let provenance = try JSONValue(parsing: run("info m.h5 --json").text)["provenance"]
        #expect(provenance?["skipped"]?.arrayValue?.count == 2)
        // The same where images come along; a mask of a wrong size is no file that cannot be decoded.
        let both = "import pngs images --masks f --masks-output n.h5 -o e.h5 --on-error skip --json"
        let imported = try run(both)
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(try JSONValue(parsing: imported.text)["skipped"]?.arrayValue?.count == 2)
        #expect(try JSONValue(parsing: imported.text)["masks"]?["annotated"] == 1)
        try folder.write(
            PNGEncoder.encode(PNGImage(width: 1, height: 1, channels: 1, bitDepth: 8, samples: [1])),
            to: "f/coat/1.png")
        #expect(try run("import masks f --for d.h5 -o m.h5 --on-error skip --force").status == 65)
        // Where nothing is left there is no mask set.
        for name in ["coat/0", "coat/1"] { try folder.write([0], to: "f/\(name).png") }
        let none = try run("import masks f --for d.h5 -o x.h5 --on-error skip")
        #expect(none.status == 65 && none.errors.contains("none of the 3 mask files"), "\(none.errors)")
        #expect(try run("import masks a.json --for d.h5 -o x.h5 --on-error skip").status != 0)
    }

    @Test("--json tells what was taken and what was not; standard error says it in words")
    func json() throws {
        try writeAnnotations()
        let outcome = try run("import masks a.json --for d.h5 -o m.h5 --json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let value = try JSONValue(parsing: outcome.text)
        #expect(
            value["output"] == "m.h5" && value["source_kind"] == "coco" && value["matched_by"] == "base name")
        #expect(value["samples"] == 3 && value["annotated"] == 1 && value["samples_without_mask"] == 2)
        #expect(value["mask_shape"] == [1, 28, 28] && value["empty_masks"] == 0 && value["marks"] == "wrong")
        #expect(value["mean_share"]?.doubleValue == 20.0 / 784)
        #expect(value["without_sample"] == ["count": 1, "first": ["9.jpg"]])
        #expect(value["annotations"] == ["used": 1, "filtered": 0, "unmatched": 0])
        for part in ["for no sample of the dataset: 1 (9.jpg)", "samples without a mask: 2 of 3"] {
            #expect(outcome.errors.contains(part))
        }
        #expect(!outcome.errors.contains("warning"))
        #expect(try run("validate d.h5 m.h5").status == 0)
        let info = try run("info m.h5 --json")
        #expect(try JSONValue(parsing: info.text)["provenance"]?["command"] == "import masks")
    }

    @Test("--layout is another name of --masks-layout", arguments: ["--layout", "--masks-layout"])
    func layout(option: String) throws {
        // The first pixel of each is masked.
        var masks = [UInt8](repeating: 0, count: 3 * 784)
        for first in [0, 784, 1568] { masks[first] = 1 }
        try folder.write(NPYHeader.bytes(shape: [3, 28, 28, 1], type: .uint8) + masks, to: "a.npy")
        let outcome = try run("import masks a.npy --for d.h5 \(option) NHWC -o m.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let info = try JSONValue(parsing: run("info m.h5 --json").text)
        #expect(info["provenance"]?["options"]?["masks_layout"] == "NHWC")
        let wrong = try run("import masks a.npy --for d.h5 \(option) NCHW -o n.h5")
        #expect(wrong.status == 65)
        #expect(wrong.errors.contains("fits as NHWC"))
    }

    @Test("masks over more than half of their images, and masks of nothing, are warned of")
    func warnings() throws {
        try writeAnnotations(#"{"id": 3, "image_id": 7, "bbox": [0, 0, 28, 20]}"#)
        let wrong = try run("import masks a.json --for d.h5 -o m.h5")
        #expect(
            wrong.status == 0 && wrong.errors.contains("71.4 %") && wrong.errors.contains("--marks right"))
        let right = try run("import masks a.json --for d.h5 -o m.h5 --force --marks right")
        #expect(right.status == 0 && !right.errors.contains("warning"))
        #expect(right.text.contains("28.6 % of an image on average, inverted"))
        try writeAnnotations(#"{"id": 3, "image_id": 7, "bbox": [2, 2, 0, 0]}"#)
        let none = try run("import masks a.json --for d.h5 -o m.h5 --force")
        #expect(none.status == 0 && none.errors.contains("no sample is annotated"))
    }

    @Test(
        "wrong use ends with 64 and names the option",
        arguments: [
            ("a.json --mask-values 1", "--mask-values"), ("a.json --match {id}", "--match"),
            ("images --category logo", "--category"), ("images --mask-values 1,x", "--mask-values"),
            ("images --match id", "{id}"),
            ("images --mask-values 1 --mask-threshold 0.5", "--mask-threshold"),
            ("images --mask-threshold 0", "--mask-threshold"), ("a.json --category hat", "logo (1)"),
            ("a.json --empty maybe", "--empty"), ("a.json --jobs 0", "--jobs"),
        ])
    func usage(line: String, hint: String) throws {
        try writeAnnotations()
        let outcome = try run("import masks \(line) --for d.h5 -o m.h5")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("m.h5")))
    }

    @Test("bad data ends with 65, a missing input with 66, an output that exists with 73")
    func codes() throws {
        try writeAnnotations(
            #"{"image_id": 7, "segmentation": {"size": [28, 28], "counts": "zz"}, "id": 17}"#)
        let bad = try run("import masks a.json --for d.h5 -o m.h5")
        #expect(bad.status == 65 && bad.errors.contains("annotation 17"), "\(bad.errors)")
        // The images themselves are no masks.
        let gray = try run("import masks images --for d.h5 -o m.h5")
        #expect(gray.status == 65 && gray.errors.contains("--mask-values"), "\(gray.errors)")
        #expect(try run("import masks no.json --for d.h5 -o m.h5").status == 66)
        #expect(try run("import masks a.json --for no.h5 -o m.h5").status == 66)
        try folder.write([1], to: "m.h5")
        let exists = try run("import masks images --for d.h5 -o m.h5 --mask-threshold 0.5")
        #expect(exists.status == 73 && exists.errors.contains("--force"))
        #expect(try run("import masks images --for d.h5 -o m.h5 --mask-threshold 0.5 --force").status == 0)
        #expect(try folder.names() == ["a.json", "d.h5", "images", "m.h5"])
    }
}
