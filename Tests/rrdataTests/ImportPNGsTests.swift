import Foundation
import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("import pngs")
struct ImportPNGsTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func write(_ value: UInt8, to name: String, width: Int = 2, height: Int = 3, channels: Int = 1) throws {
        let image = PNGImage(
            width: width, height: height, channels: channels, bitDepth: 8,
            samples: Array(repeating: value, count: width * height * channels))
        try folder.write(PNGEncoder.encode(image), to: name)
    }

    func run(_ line: String) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(line.split(separator: " ").map(String.init), in: folder.path)
    }

    @Test("size, colour and depth reach the dataset and its provenance")
    func options() throws {
        try write(10, to: "in/a/1.png")
        try write(200, to: "in/b/1.png", width: 7, height: 4, channels: 4)
        let line =
            "import pngs in --size 6x4 --fit pad --color rgb --depth 16 --background 0000FF -o d.h5 --json"
        let outcome = try run(line)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try JSONValue(parsing: outcome.text)
        #expect(report["image_shape"] == [3, 6, 4])
        #expect(report["element_type"] == "uint16" && report["color"] == "rgb")
        #expect(report["ignored_color_spaces"] == 0)
        let file = try HDF5File(reading: folder.path("d.h5"))
        guard case .string(let text)? = try file.attribute("provenance") else {
            Issue.record("no provenance")
            return
        }
        let provenance = try JSONValue(parsing: text)
        #expect(provenance["resize"] == ["height": 6, "width": 4, "fit": "pad"])
        #expect(provenance["options"]?["background"] == "0000FF")
        let pixels = try file.dataset("/images").readAll(as: UInt16.self)
        #expect(pixels[0] == 2570 && pixels[72 + 48] == 65535)
    }

    @Test(
        "wrong usage ends with 64 and names the option",
        arguments: [
            ("--fit crop", "--size"), ("--size 0x3", "--size"), ("--size 3", "--size"),
            ("--size 3x4x5", "--size"), ("--size -3x4", "--size"), ("--size 1000001x4", "--size"),
            ("--depth 12", "--depth"), ("--color blue", "--color"),
            ("--color gray --background red", "--background"), ("--background 112233", "--background"),
        ])
    func usage(options: String, hint: String) throws {
        try write(10, to: "in/a/1.png")
        let outcome = try run("import pngs in \(options) -o d.h5")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(hint), "\(outcome.errors)")
    }

    @Test("bad data ends with 65, the file and the remedy named")
    func badData() throws {
        try write(10, to: "in/a/1.png")
        try write(10, to: "in/a/2.png", width: 5)
        let sizes = try run("import pngs in -o d.h5")
        #expect(sizes.status == 65)
        #expect(sizes.errors.contains("a/2.png") && sizes.errors.contains("--size"))
        try folder.write(Array("file_name\n../x.png\n".utf8), to: "in/metadata.csv")
        let leaving = try run("import pngs in -o d.h5")
        #expect(leaving.status == 65 && leaving.errors.contains("line 2"))
        try FileManager.default.removeItem(atPath: folder.path("in/metadata.csv"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("in/a/3.png"), withDestinationPath: "/etc/hostname")
        let link = try run("import pngs in -o d.h5")
        #expect(link.status == 65 && link.errors.contains("in/a/3.png"))
        #expect(try folder.names() == ["in"])
    }

    @Test("an image too large for what is asked is a usage error before any memory is taken")
    func largeSize() throws {
        try write(10, to: "in/a/1.png")
        let outcome = try run("import pngs in --size 1000000x1000000 -o d.h5")
        #expect(outcome.status == 64 && outcome.errors.contains("too large"))
        #expect(try folder.names() == ["in"])
    }

    @Test("an interrupted import ends with 130 and leaves nothing behind")
    func interruption() throws {
        try write(10, to: "in/a/00000.png", width: 500, height: 400)
        let first = folder.path("in/a/00000.png")
        for number in 1..<3000 {
            try FileManager.default.linkItem(atPath: first, toPath: folder.path("in/a/\(number).png"))
        }
        let process = Process()
        process.executableURL = URL(filePath: CommandLineTool.path)
        process.arguments = ["import", "pngs", "in", "-o", "d.h5"]
        process.currentDirectoryURL = URL(filePath: folder.path)
        try process.run()
        // The hidden output says that the import is under way.
        while process.isRunning, try folder.names().count < 2 { usleep(1000) }
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 130)
        #expect(try folder.names() == ["in"])
    }
}
