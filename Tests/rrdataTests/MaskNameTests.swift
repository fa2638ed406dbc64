import RRDatasets
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("The samples that masks are for")
struct MaskNameTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// An 8×8 image of zeros whose pixel at a place in the first row is 255.
    private func write(_ name: String, marked place: Int? = nil, filled: Bool = false) throws {
        var samples = [UInt8](repeating: filled ? 255 : 0, count: 64)
        if let place { samples[place] = 255 }
        let image = PNGImage(width: 8, height: 8, channels: 1, bitDepth: 8, samples: samples)
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    @discardableResult
    private func run(_ line: String, status: Int32 = 0) throws -> String {
        let outcome = try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
        #expect(outcome.status == status, "\(line): \(outcome.errors)")
        return outcome.errors
    }

    /// The id of each annotated sample, and the first element of its mask that is 1.
    private func marks() throws -> [String: Int] {
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = try MaskSet(path: folder.path("m.h5"), for: dataset)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64)
        defer { buffer.deallocate() }
        var marks: [String: Int] = [:]
        for (index, id) in try dataset.ids().enumerated() where masks.isAnnotated(index) {
            _ = masks.expandMask(ofSample: index, channels: 1, into: buffer)
            marks[id] = buffer.firstIndex(of: 1)
        }
        return marks
    }

    @Test(
        "a mask from another class, folder or split is refused, both named",
        arguments: [
            (["cat/0", "dog/1"], "dog/0", "dog", "cat/0"), (["cat/0", "dog/1"], "x/Dog/0", "Dog", "cat/0"),
            (["cat/a/0", "cat/b/1"], "b/0", "b", "cat/a/0"),
            (["cat/0", "dog/1"], "dogs/0", "dogs", "cat/0"),
            (["cat/0", "Hot Dog/1"], "masks/hot_dog_masks/0", "hot_dog_masks", "cat/0"),
            (["train/cat/0", "test/cat/1"], "test/0", "test", "train/cat/0"),
            (["train/cat/0", "train/dog/1"], "validation/0", "validation", "train/cat/0"),
        ])
    func contradictions(images: [String], mask: String, other: String, id: String) throws {
        for image in images { try write("in/\(image).png") }
        try write("f/\(mask).png", marked: 3)
        try run("import pngs in -o d.h5")
        let errors = try run("import masks f --for d.h5 -o m.h5", status: 65)
        for part in ["“\(mask)”", "“\(id)”", "folder “\(other)”", "--match '"] {
            #expect(errors.contains(part))
        }
        // The remedy that the message names.
        let pattern = mask.split(separator: "/").dropLast().joined(separator: "/") + "/{id}"
        try run("import masks f --for d.h5 --match \(pattern) -o m.h5")
        #expect(try marks() == [id: 3])
    }

    @Test(
        "names in annotation files and in longer file names are held to their folders too, each with its remedy"
    )
    func otherSources() throws {
        for image in ["cat/0", "dog/1"] { try write("in/\(image).png") }
        try run("import pngs in -o d.h5")
        try folder.write(Array("file_name,x,y,width,height\ndog\\0.jpg,0,0,1,1\n".utf8), to: "b.csv")
        try folder.write(
            Array(
                #"{"images": [{"id": 1, "file_name": "dog/0.jpg", "height": 8, "width": 8}], "annotations": [{"image_id": 1, "bbox": [0, 0, 2, 2]}]}"#
                    .utf8), to: "a.json")
        for source in ["b.csv", "a.json"] {
            let errors = try run("import masks \(source) --for d.h5 -o m.h5", status: 65)
            #expect(errors.contains("“dog/0”") && errors.contains("leave “dog/” out of the names"))
        }
        try write("f/dog/0_mask.png", marked: 3)
        let errors = try run("import masks f --for d.h5 -o m.h5 --match {id}_mask", status: 65)
        #expect(errors.contains("--match 'dog/{id}_mask' says so"))
        try run("import masks f --for d.h5 -o m.h5 --match dog/{id}_mask")
        #expect(try marks() == ["cat/0": 3])
    }

    @Test("the class and the split of a list count as folders do")
    func lists() throws {
        for number in 0..<2 { try write("in/\(number).png") }
        try folder.write(
            Array("file_name,label,split\n0.png,cat,train\n1.png,dog,test\n".utf8), to: "in/metadata.csv")
        try write("f/dog/0.png", marked: 3)
        try run("import pngs in -o d.h5")
        let errors = try run("import masks f --for d.h5 -o m.h5", status: 65)
        #expect(errors.contains("“dog/0”") && errors.contains("“0” of the class “cat”"))
        try write("g/train/0.png", marked: 3)
        try write("g/dog/1.png", marked: 4)
        try run("import masks g --for d.h5 -o m.h5")
        #expect(try marks() == ["0": 3, "1": 4])
        try write("h/test/0.png", marked: 3)
        #expect(try run("import masks h --for d.h5 -o m.h5 --force", status: 65).contains("folder “test”"))
    }

    @Test("folders that say nothing of classes are passed over, and the note gives an example")
    func otherFolders() throws {
        for image in ["cat/0", "dog/1"] { try write("in/\(image).png") }
        try write("f/cat masks/0.png", marked: 3)
        try write("f/more masks/1.png", marked: 4)
        try run("import pngs in -o d.h5")
        #expect(try run("import masks f --for d.h5 -o m.h5").contains("(cat masks/0 is for cat/0)"))
        #expect(try marks() == ["cat/0": 3, "dog/1": 4])
    }

    @Test(
        "a folder that is called as no class is refused where a class's would stand",
        arguments: [
            (["horse/0"], "horse/0", "cat/0"), (["sheep/deer/1"], "sheep/deer/1", "dog/1"),
            (["cats/0", "more/1"], "more/1", "dog/1"),
        ])
    func strangers(masks: [String], mask: String, id: String) throws {
        for image in ["cat/0", "dog/1", "cat/2"] { try write("in/\(image).png") }
        for mask in masks { try write("f/\(mask).png", marked: 3) }
        try run("import pngs in -o d.h5")
        let errors = try run("import masks f --for d.h5 -o m.h5", status: 65)
        #expect(errors.contains("“\(mask)” would go to the sample “\(id)”"), "\(errors)")
        let pattern = mask.split(separator: "/").dropLast().joined(separator: "/") + "/{id}"
        #expect(errors.contains("--match '\(pattern)' says so"), "\(errors)")
        try run("import masks f --for d.h5 --match \(pattern) -o m.h5")
        #expect(try marks() == [id: 3])
    }

    @Test(
        "a folder of several classes, of images or masks by its name, or with a number is none of a class",
        arguments: ["deer/0 deer/1", "lesions/0", "annotated by hand/0", "reader2/0", "images/0", "test/0"])
    func meaningless(names: String) throws {
        for image in ["cat/0", "dog/1", "cat/2"] { try write("in/\(image).png") }
        let masks = names == "deer/0 deer/1" ? ["deer/0", "deer/1"] : [names]
        for mask in masks { try write("f/\(mask).png", marked: 3) }
        try run("import pngs in -o d.h5")
        #expect(try run("import masks f --for d.h5 -o m.h5").contains("compared without their folders"))
        #expect(try marks().count == masks.count)
    }

    @Test(
        "a list may write the names of files in another normalisation, without an extension and with backslashes"
    )
    func listedNames() throws {
        for number in 0..<2 {
            try write("in/cafe\u{301}/e\u{301}te\u{301}\(number).png")
            try write("in/m/cafe\u{301}/e\u{301}te\u{301}\(number).png", marked: number + 3)
        }
        for (image, mask) in [
            ("caf\u{E9}/\u{E9}t\u{E9}N.png", "m/caf\u{E9}/\u{E9}t\u{E9}N.png"),
            ("caf\u{E9}\\\u{E9}t\u{E9}N", "m\\caf\u{E9}\\\u{E9}t\u{E9}N"),
        ] {
            let lines = (0..<2).map { number in
                "\(image.replacing("N", with: "\(number)")),\(number),\(mask.replacing("N", with: "\(number)"))\n"
            }
            try folder.write(
                Array(("file_name,label,mask_file_name\n" + lines.joined()).utf8), to: "in/metadata.csv")
            try run("import pngs in -o d.h5 --masks-output m.h5 --force")
            #expect(try marks().sorted { $0.value < $1.value }.map(\.value) == [3, 4])
            #expect(
                try marks().keys.allSatisfy { $0.utf8.count == "cafe\u{301}/e\u{301}te\u{301}0".utf8.count })
        }
    }

    @Test("of several samples with a last part the one is taken whose folders a mask has")
    func closest() throws {
        for image in ["cat/0", "dog/0"] { try write("in/\(image).png") }
        try write("f/masks/dog/0.png", marked: 3)
        try run("import pngs in -o d.h5")
        try run("import masks f --for d.h5 -o m.h5")
        #expect(try marks() == ["dog/0": 3])
    }

    @Test("a name in another normalisation of Unicode is the same name")
    func normalisation() throws {
        try write("in/caf\u{E9}/\u{E9}1.png")
        try write("in/caf\u{E9}/e1.png")
        try write("f/cafe\u{301}/e\u{301}1.png", marked: 3)
        try run("import pngs in -o d.h5")
        try run("import masks f --for d.h5 -o m.h5")
        #expect(try marks().map { ($0.value, $0.key.utf8.count) }.first ?? (0, 0) == (3, 9))
        try write("g/e\u{301}1_maske\u{301}.png", marked: 4)
        try run("import masks g --for d.h5 -o m.h5 --match {id}_mask\u{E9} --force")
        #expect(try marks().map(\.value) == [4])
    }

    @Test("masks that mark the right regions and were inverted are not suspected to mark them")
    func rightMarks() throws {
        for image in ["cat/0", "dog/1"] { try write("in/\(image).png") }
        try write("f/cat/0.png", marked: 3)
        let right = "import pngs in --masks f -o d.h5 --masks-output m.h5 --marks right"
        #expect(try !run(right).contains("warning"))
        #expect(try !run("validate d.h5 m.h5").contains("right region"))
        try write("g/cat/0.png", filled: true)
        let wrong = "import pngs in --masks g -o d.h5 --masks-output m.h5 --force"
        #expect(try run(wrong).contains("--marks right"))
        let outcome = try CommandLineTool.run(["validate", "d.h5", "m.h5"], in: folder.path)
        #expect((outcome.text + outcome.errors).contains("right region"))
    }
}
