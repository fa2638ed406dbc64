import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

/// Arrays whose columns come before their rows, or whose samples come last, by the command line.
///
/// The images hold the numbers 0, 1, 2, … in the order (N, C, H, W), and each mask marks row 1, column 5 alone, so that
/// what comes out is known whatever the layout.
@Suite("Layouts of arrays, and masks that follow them")
struct ArrayLayoutTests {
    let folder: TemporaryFolder
    private static let extents: [Character: Int] = ["N": 3, "C": 2, "H": 8, "W": 8]

    init() throws { folder = try TemporaryFolder() }

    /// Writes an array in a layout: a value for each place that is named by n, c, h and w.
    private func write(
        _ path: String, layout: String, extents: [Character: Int] = extents,
        _ value: (_ place: [Character: Int]) -> UInt8
    ) throws {
        let dimensions = layout.map { extents[$0] ?? 1 }
        let count = dimensions.reduce(1, *)
        let elements = (0..<count).map { position in
            var (rest, place): (Int, [Character: Int]) = (position, [:])
            for (name, extent) in zip(layout, dimensions).reversed() {
                place[name] = rest % extent
                rest /= extent
            }
            return value(place)
        }
        let shape = dimensions.map { "\($0), " }.joined()
        var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(shape)), }"
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        let length = header.utf8.count
        try folder.write(
            [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
                + Array(header.utf8)
                + elements, to: path)
    }

    private func writeImages(_ layout: String, extents: [Character: Int] = extents) throws {
        let (c, h, w) = (extents["C"] ?? 1, extents["H"] ?? 1, extents["W"] ?? 1)
        try write("x.npy", layout: layout, extents: extents) { place in
            let channel = layout.contains("C") ? (place["C"] ?? 0) : 0
            let channels = layout.contains("C") ? c : 1
            let row = ((place["N"] ?? 0) * channels + channel) * h + (place["H"] ?? 0)
            return UInt8(truncatingIfNeeded: row * w + (place["W"] ?? 0))
        }
    }

    private func writeMasks(_ layout: String, extents: [Character: Int] = extents) throws {
        try write("m.npy", layout: layout, extents: extents) { $0["H"] == 1 && $0["W"] == 5 ? 1 : 0 }
    }

    private func run(_ arguments: [String], status: Int32 = 0) throws -> String {
        let outcome = try CommandLineTool.run(arguments, in: folder.path)
        #expect(outcome.status == status, "\(arguments): \(outcome.errors)")
        return outcome.errors
    }

    /// Checks that images and masks came out in the order (N, C, H, W).
    private func check(masks path: String = "m.h5", channels: Int = 2, width: Int = 8) throws {
        let dataset = try Dataset(path: folder.path("d.h5"))
        let masks = try MaskSet(path: folder.path(path), for: dataset)
        #expect(try dataset.imageShape == ImageShape(channels: channels, height: 8, width: width))
        var expected: UInt8 = 0
        for index in 0..<dataset.sampleCount {
            for pixel in try dataset.image(at: index).elements {
                #expect(pixel == Float(expected) / 255)
                expected &+= 1
            }
            let mask = try #require(masks.mask(ofSample: index))
            #expect(mask.elements.indices.filter { mask.elements[$0] == 1 } == [width + 5])
        }
    }

    @Test(
        "images and masks of any layout come out upright, and masks follow the images",
        arguments: [
            ("NCWH", "NWH"), ("NWHC", "NWH"), ("NCWH", "NCWH"), ("NCHW", "NHW"), ("NHWC", "NHW"),
            ("HWCN", "HWN"), ("WHCN", "WHN"), ("CWHN", "WHN"), ("HWCN", "NHW"),
            ("WHCN", "NWH"),
        ])
    func follows(images: String, masks: String) throws {
        try writeImages(images)
        try writeMasks(masks, extents: Self.extents.merging(["C": 1]) { $1 })
        let options = ["import", "npy", "x.npy", "--layout", images, "--masks", "m.npy", "-o", "d.h5"]
        let notes = try run(options + ["--masks-output", "m.h5"])
        try check()
        // Of masks with rows first and samples first there is one reading.
        let isUsual = masks == "NHW"
        #expect(isUsual == !notes.contains("--masks-layout says otherwise"), "\(notes)")
        // The same masks, imported later for the dataset that remembers its layout.
        let later = try run(["import", "masks", "m.npy", "--for", "d.h5", "-o", "later.h5"])
        try check(masks: "later.h5")
        #expect(isUsual == !later.contains("--masks-layout says otherwise"), "\(later)")
    }

    @Test(
        "rows, and columns, are images in the order of a layout, and masks that are rows follow them",
        arguments: [
            ("NCHW", "NHW"), ("NHWC", "NHW"), ("NCWH", "NWH"), ("NWHC", "NWH"), ("HWCN", "HWN"),
            ("WHCN", "WHN"),
            ("CWHN", "WHN"), ("NWH", "NWH"), ("WHN", "WHN"),
        ])
    func rows(images: String, masks: String) throws {
        let channels = images.contains("C") ? 2 : 1
        /// The shape of an array in a layout whose images are rows, or columns.
        func flat(_ layout: String) -> [Int] {
            let size = layout.contains("C") ? 128 : 64
            return layout.hasPrefix("N") ? [3, size] : [size, 3]
        }
        try writeImages(images)
        try reshape("x.npy", flat(images))
        try writeMasks(masks)
        try reshape("m.npy", flat(masks))
        let shape = channels == 1 ? "8x8" : "2x8x8"
        var options = ["import", "npy", "x.npy", "--layout", images, "--shape", shape, "-o", "d.h5"]
        options += ["--masks", "m.npy", "--masks-output", "m.h5"]
        let notes = try run(options)
        try check(channels: channels)
        let isUsual = masks == "NHW"
        #expect(isUsual == !notes.contains("--masks-layout says otherwise"), "\(notes)")
        _ = try run(["import", "masks", "m.npy", "--for", "d.h5", "-o", "later.h5"])
        try check(masks: "later.h5", channels: channels)
        // A layout of their own.
        try writeMasks("NHW")
        try reshape("m.npy", [3, 64])
        _ = try run(["import", "masks", "m.npy", "--for", "d.h5", "--masks-layout", "NHW", "-o", "own.h5"])
        try check(masks: "own.h5", channels: channels)
    }

    @Test("a shape that the rows have not is refused, and columns are named as such")
    func wrongRows() throws {
        try writeImages("NHW")
        try reshape("x.npy", [64, 3])
        let line = ["import", "npy", "x.npy", "-o", "d.h5", "--shape", "8x8"]
        #expect(try run(line, status: 65).contains("where each column is an image, --layout HWN says so"))
        #expect(try run(line + ["--layout", "NHW"], status: 65).contains("rows of 64 elements"))
        #expect(
            try run(
                ["import", "npy", "x.npy", "-o", "d.h5", "--shape", "2x8x4", "--layout", "HWN"], status: 64
            )
            .contains("has no channels"))
        try writeImages("NHW")
        #expect(try run(line + ["--layout", "NHW"], status: 64).contains("is for arrays (N, D)"))
    }

    /// Gives the array of a file another shape of as many elements.
    private func reshape(_ path: String, _ shape: [Int]) throws {
        let bytes = try FileBytes.read(folder.path(path))
        let data = bytes.suffix(shape.reduce(1, *))
        try folder.write(NPYHeader.bytes(shape: shape, type: .uint8) + data, to: path)
    }

    @Test("masks come through a pipe", arguments: ["cat m.npy", "gzip -c m.idx", "cat m.idx"])
    func piped(command: String) throws {
        try writeImages("NCHW")
        _ = try run(["import", "npy", "x.npy", "--layout", "NCHW", "-o", "d.h5"])
        try writeMasks("NHW")
        let data = try FileBytes.read(folder.path("m.npy")).suffix(192)
        try folder.write([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 8] + data, to: "m.idx")
        func pipe(_ command: String) throws -> ChildProcess.Outcome {
            try ChildProcess.run(
                "/bin/sh", ["-c", "\(command) | \(CommandLineTool.path) import masks - --for d.h5 -o m.h5"],
                in: folder.path)
        }
        let outcome = try pipe(command)
        #expect(outcome.status == 0, "\(outcome.errors)")
        try check()
        try folder.write(Array("{\"images\": []}".utf8), to: "a.json")
        let text = try ChildProcess.run(
            "/bin/sh", ["-c", "cat a.json | \(CommandLineTool.path) import masks - --for d.h5 -o n.h5"],
            in: folder.path)
        #expect(text.status == 65 && text.errors.contains("neither an NPY nor an IDX file"), "\(text.errors)")
    }

    @Test("a layout that is asked for is taken, whatever the images'")
    func askedFor() throws {
        try writeImages("NCWH")
        try writeMasks("NHW")
        let options = ["import", "npy", "x.npy", "--layout", "NCWH", "--masks", "m.npy", "-o", "d.h5"]
        let notes = try run(options + ["--masks-output", "m.h5", "--masks-layout", "NHW"])
        #expect(!notes.contains("says otherwise"))
        try check()
        _ = try run(["import", "masks", "m.npy", "--for", "d.h5", "--masks-layout", "NHW", "-o", "later.h5"])
        try check(masks: "later.h5")
    }

    @Test(
        "images without channels may be turned, or have their samples last",
        arguments: ["NWH", "HWN", "WHN", "NHW"])
    func withoutChannels(layout: String) throws {
        try writeImages(layout)
        try writeMasks(layout)
        _ = try run(
            [
                "import", "npy", "x.npy", "--layout", layout, "--masks", "m.npy", "-o", "d.h5",
                "--masks-output", "m.h5",
            ])
        try check(channels: 1)
    }

    @Test("masks whose shape fits in one way alone are read so, and those that fit in none are refused")
    func shapes() throws {
        let extents: [Character: Int] = ["N": 3, "C": 2, "H": 8, "W": 6]
        try writeImages("NCWH", extents: extents)
        try writeMasks("NHW", extents: extents)
        let options = ["import", "npy", "x.npy", "--layout", "NCWH", "--masks", "m.npy", "-o", "d.h5"]
        #expect(try !run(options + ["--masks-output", "m.h5"]).contains("says otherwise"))
        try check(width: 6)
        try writeMasks("NHW", extents: ["N": 3, "H": 7, "W": 6])
        #expect(
            try run(options + ["--masks-output", "m.h5", "--force"], status: 65).contains(
                "the images need masks"))
        #expect(
            try run(["import", "npy", "x.npy", "--layout", "HWN", "-o", "x.h5"], status: 64).contains(
                "HWN has 3"))
    }

    @Test("MATLAB's arrays are read as it writes them, behind its block of 512 bytes")
    func matlab() throws {
        let fixture = Fixtures.path("formats/hdf5/matlab.mat")
        let notes = try run(
            ["import", "hdf5", fixture, "--images", "x", "--labels", "y", "--masks", "m", "-o", "d.h5"]
                + ["--masks-output", "m.h5"])
        #expect(notes.contains("is read as NCWH, as MATLAB writes its arrays"))
        try check()
        #expect(try run(["info", fixture]).isEmpty)
        _ = try run(["import", "masks", fixture, "--masks", "m", "--for", "d.h5", "-o", "later.h5"])
        try check(masks: "later.h5")
    }

    @Test("a dataset with a block of the user's before it is a dataset everywhere")
    func userBlock() throws {
        let fixture = Fixtures.path("formats/hdf5/user-block.h5")
        for arguments in [
            ["info", fixture, "--json"], ["validate", fixture, "--deep"],
            ["stream", fixture, "--batch-size", "2", "--format", "null"],
            ["export", "npy", fixture, "-o", "npy"],
        ] { _ = try run(arguments) }
        _ = try run(["import", "npy", "npy", "-o", "d.h5"])
        let stored = try Dataset(path: fixture)
        #expect(try stored.image(at: 1).elements == Dataset(path: folder.path("d.h5")).image(at: 1).elements)
    }
}
