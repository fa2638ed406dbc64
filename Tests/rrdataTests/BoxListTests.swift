import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("Tables that hold a box in one cell")
struct BoxListTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["0", "1"] {
            let image = PNGImage(
                width: 30, height: 20, channels: 1, bitDepth: 8, samples: [UInt8](repeating: 0, count: 600))
            try folder.write(PNGEncoder.encode(image), to: "in/\(name).png")
        }
        _ = try CommandLineTool.run(
            ["import", "pngs", "in", "--labels", "none", "-o", "d.h5"], in: folder.path)
    }

    private func run(_ table: String, _ options: [String] = []) throws -> ChildProcess.Outcome {
        try folder.write(Array(table.utf8), to: "b.csv")
        return try CommandLineTool.run(
            ["import", "masks", "b.csv", "--for", "d.h5", "-o", "m.h5", "--force"] + options, in: folder.path)
    }

    /// The first and last row and column that a sample's mask marks, and the number of marks: `2…5, 1…3: 12`.
    private func marks(_ sample: Int = 0) throws -> String {
        let masks = try MaskSet(path: folder.path("m.h5"), for: Dataset(path: folder.path("d.h5")))
        let plane = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 600)
        defer { plane.deallocate() }
        guard masks.expandMask(ofSample: sample, channels: 1, into: plane) else { return "" }
        let places = plane.indices.filter { plane[$0] == 1 }
        let (rows, columns) = (places.map { $0 / 30 }, places.map { $0 % 30 })
        guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(),
            let right = columns.max()
        else { return "" }
        return "\(top)…\(bottom), \(left)…\(right): \(places.count)"
    }

    @Test(
        "lists are read as what fits all boxes and their images, and a line says so",
        arguments: [
            // Global Wheat: the columns width and height are the image's.
            (
                "image_id,width,height,bbox,source\n0,30,20,\"[10.0, 12.0, 5.0, 4.0]\",u\n1,30,20,,u\n",
                "12…15, 10…14: 20", "left and upper edge, width and height"
            ),
            (
                "id,bbox\n0,10 12 15 16\n1,\"20,1,29,4\"\n", "12…15, 10…14: 20",
                "left, upper, right and lower edge"
            ),
            (
                "id;bounding_box\n0;(20, 12, 5, 4)\n", "12…15, 20…24: 20",
                "left and upper edge, width and height"
            ),
            (
                "id,bbox\n0,\"[np.float64(20.0), np.float64(12.0), np.float64(5.0), np.float64(4.0)]\"\n",
                "12…15, 20…24: 20", "left and upper edge, width and height"
            ),
            // Shares of the image.
            (
                "id,bbox\n0,\"[0.5, 0.5, 0.7, 0.75]\"\n1,\"[0.2, 0.2, 0.9, 0.9]\"\n", "10…14, 15…20: 30",
                "right and lower edge"
            ),
            // A box that overhangs is one all the same.
            ("id,bbox\n0,\"[25, 15, 10, 8]\"\n", "15…19, 25…29: 25", "left and upper edge, width and height"),
        ])
    func evidence(table: String, expected: String, words: String) throws {
        let outcome = try run(table)
        #expect(outcome.status == 0 && outcome.errors.contains(words), "\(outcome.errors)")
        #expect(outcome.errors.contains("--boxes says it outright"))
        #expect(try marks() == expected)
    }

    @Test("lists that can be read in two ways are refused with both, and an option says which")
    func ambiguous() throws {
        let table = "id,bbox\n0,\"[1, 2, 15, 16]\"\n1,\"[3, 2, 20, 9]\"\n"
        let outcome = try run(table)
        #expect(outcome.status == 65 && outcome.errors.contains("line 2"), "\(outcome.errors)")
        for part in [
            "xywh (left and upper edge, width and height)", "xyxy (left, upper, right and lower edge)",
        ] {
            #expect(outcome.errors.contains(part), "\(outcome.errors)")
        }
        for (form, expected) in [
            ("xyxy", "2…15, 1…14: 196"), ("xywh", "2…17, 1…15: 240"), ("cxcywh", "0…9, 0…7: 80"),
        ] {
            #expect(try run(table, ["--boxes", form]).status == 0)
            #expect(try marks() == expected, "\(form)")
        }
        // Of shares the centre is a reading, too.
        let shares = try run("id,bbox\n0,\"[0.5, 0.5, 0.5, 0.25]\"\n")
        #expect(shares.status == 65 && shares.errors.contains("--boxes xywh or cxcywh"), "\(shares.errors)")
    }

    @Test(
        "the name of a column may say what its lists are",
        arguments: [
            ("bbox_xyxy", "5…7, 5…9: 15"), ("box xywh", "5…12, 5…14: 80"), ("x y w h", "5…12, 5…14: 80"),
            ("bbox (cx,cy,w,h)", "1…8, 0…9: 80"),
        ])
    func names(name: String, expected: String) throws {
        let outcome = try run("id,\"\(name)\"\n0,\"[5,5,10,8]\"\n")
        #expect(outcome.status == 0 && !outcome.errors.contains("--boxes"), "\(outcome.errors)")
        #expect(try marks() == expected)
    }

    @Test("a cell may have several boxes or none")
    func several() throws {
        let outcome = try run("id,bbox\n0,\"[[1, 2, 3, 4], [20, 10, 3, 4]]\"\n1,[]\n")
        #expect(outcome.status == 0 && outcome.errors.contains("lines without a box"), "\(outcome.errors)")
        #expect(try marks() == "2…13, 1…22: 24")
        #expect(try marks(1) == "")
    }

    @Test(
        "cells that hold no boxes are refused by their line",
        arguments: ["[1,2,3]", "[1,2,3,x]", "{1,2,3,4}", "[1,2,3,4", "[1,2,3,inf]", "1 2 3 4 5"])
    func wrong(cell: String) throws {
        let outcome = try run("id,bbox\n1,\"[20, 10, 3, 4]\"\n0,\"\(cell)\"\n")
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("line 3: bbox is “\(cell)”, no list of four numbers"), "\(outcome.errors)"
        )
    }

    @Test("boxes that reach out of their images are counted, of a table and of COCO")
    func overhanging() throws {
        let note = "boxes that reach out of their images, of which the part inside is marked: 1 of 2"
        let table = try run("id,x,y,w,h\n0,25,15,10,8\n1,1,1,29,19\n")
        #expect(table.status == 0 && table.errors.contains(note), "\(table.errors)")
        try folder.write(
            Array(
                """
                {"images": [{"id": 1, "file_name": "0.png", "height": 20, "width": 30}],
                 "annotations": [{"image_id": 1, "bbox": [5, 5, 26.5, 9]}, {"image_id": 1, "bbox": [20, 10, 11, 10]}]}
                """.utf8), to: "a.json")
        let coco = try CommandLineTool.run(
            ["import", "masks", "a.json", "--for", "d.h5", "-o", "c.h5"], in: folder.path)
        #expect(coco.status == 0 && coco.errors.contains(note), "\(coco.errors)")
    }

    @Test("the option is for lists alone, and what says that there is no box is heard")
    func refusals() throws {
        let four = try run("id,x,y,w,h\n0,5,5,10,8\n", ["--boxes", "xyxy"])
        #expect(four.status == 64 && four.errors.contains("for a column of lists"), "\(four.errors)")
        let contradiction = try run("id,bbox,target\n0,\"[20,10,3,4]\",0\n")
        #expect(contradiction.status == 65 && contradiction.errors.contains("the target 0 says"))
        let neither = try run("id,bbox\n0,\"[20,10,3,4]\"\n1,\"[1,2,-3,4]\"\n")
        #expect(neither.status == 65 && neither.errors.contains("end before they begin"), "\(neither.errors)")
    }
}
