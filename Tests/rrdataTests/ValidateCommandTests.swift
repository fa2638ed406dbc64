import RRFormats
import RRSchemas
import RRTensor
import TestSupport
import Testing

@Suite("rrdata validate")
struct ValidateCommandTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func validate(_ arguments: String...) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(["validate"] + arguments, in: folder.path)
    }

    @Test("the repair of an array of another program is the command that makes a mask set of it")
    func foreignMasks() throws {
        _ = try RawFile.dataset().write(to: folder.path("d.h5"))
        let inverted = (0..<60).map { UInt8($0 % 20 < 3 ? 0 : 1) }
        try folder.write(NPYHeader.bytes(shape: [3, 5, 4, 1], descriptor: "|u1") + inverted, to: "a.npy")
        let outcome = try validate("d.h5", "a.npy")
        #expect(outcome.status == 1)
        let command = "rrdata import masks a.npy --for d.h5 --masks-layout NHWC --marks right -o M.h5"
        for line in [
            "fault [wrong-mask-layout] a.npy: the array is (N,H,W,C)",
            "  repair: import it with --masks-layout NHWC\n",
            "  repair: if so, import them with --marks right, which inverts them\n",
            "  repair: \(command), if row i is for sample i\n",
            "a.npy: 3 annotated samples, 0 unannotated\n  they mark 85.0 % of an image on average, as whole backgrounds do: ",
            "\nnot sound: 2 faults, 1 warning\n",
        ] {
            #expect(outcome.text.contains(line))
        }
        let words = command.replacing("M.h5", with: "m.h5").split(separator: " ").dropFirst().map(String.init)
        #expect(try CommandLineTool.run(words, in: folder.path).status == 0)
        #expect(try validate("d.h5", "m.h5").status == 0)
    }

    @Test("--json has the codes, places and repairs that the text has")
    func json() throws {
        _ = try RawFile.dataset().setting("DIMENSION_LABELS", to: nil).write(to: folder.path("d.h5"))
        _ = try RawFile.masks().setting(array: "/row", to: .integers([0, 1, -1], [3]))
            .setting(array: "/A", to: RawFile.masks([3, 5, 4], [0: 255, 20: 255])).write(
                to: folder.path("m.h5"))
        let outcome = try validate("d.h5", "m.h5", "--json")
        #expect(outcome.status == 1)
        let report = try JSONValue(parsing: outcome.text)
        let findings = try #require(report["findings"]?.arrayValue)
        let text = try validate("d.h5", "m.h5").text
        for finding in findings {
            let line = ["severity", "code", "path", "message"].compactMap { finding[$0]?.stringValue }
            #expect(line.count == 4)
            #expect(text.contains("\(line[0]) [\(line[1])] \(line[2]): \(line[3])\n"))
            if let remedy = finding["remedy"]?.stringValue {
                #expect(text.contains("\n  repair: \(remedy)\n"))
            }
        }
        let remedies = findings.compactMap { $0["remedy"]?.stringValue }
        #expect(remedies.contains("import the images anew with rrdata import hdf5"))
        #expect(remedies.contains("store 2, the row of the last, all-zero mask, in place of −1"))
        #expect(
            remedies.contains(
                "rrdata import hdf5 SOURCE.h5 --images IMAGES --masks A --masks-layout NHW -o D.h5 --masks-output M.h5"
            ))
        #expect(
            findings.contains {
                $0["message"]?.stringValue?.hasSuffix("of what `rrdata info --json` prints)") == true
            })
        #expect(report["dataset"]?["samples"] == 3)
        #expect(report["masks"]?.arrayValue?.first?["path"] == "m.h5")
    }
}
