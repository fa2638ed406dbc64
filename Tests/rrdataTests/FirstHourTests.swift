import Foundation
import TestSupport
import Testing

@Suite("the first hour at the command line")
struct FirstHourTests {
    @Test("without arguments it says what may be next for what lies here")
    func nextSteps() throws {
        let empty = try TemporaryFolder()
        let nothing = try CommandLineTool.run([], in: empty.path)
        #expect(nothing.status == 0 && nothing.text.contains("rrdata import images FOLDER"))
        try empty.write([0x89, 0x50, 0x4E, 0x47], to: "my photos/cat/1.png")
        try empty.write([0], to: "notes.txt")
        let photos = try CommandLineTool.run([], in: empty.path).text
        #expect(photos.contains("rrdata import images 'my photos' -o 'my photos.h5'"))
        #expect(!photos.contains("masks"))
        try empty.write([0x89, 0x50, 0x4E, 0x47], to: "masks/cat/1.png")
        #expect(try !CommandLineTool.run([], in: empty.path).text.contains("masks.h5"))
        // Other tests write beside these.
        let own = try TemporaryFolder()
        for name in ["fashion.h5", "decoy.h5", "masks.h5", "plain", "right"] {
            try FileManager.default.copyItem(atPath: Workshop.shared.get().path(name), toPath: own.path(name))
        }
        let full = try CommandLineTool.run([], in: own.path).text
        #expect(full.contains("rrdata report plain right --data decoy.h5 --masks masks.h5 -o report.html"))
        #expect(full.contains("rrdata preview fashion.h5 -o preview.png"))
        #expect(!full.contains("import images"))
    }

    @Test(
        "a slip is answered with what was meant",
        arguments: [
            ("evalute plain decoy.h5", 64, "did you mean “evaluate”"),
            ("train decoy.h5 --modle mlp -o x", 64, "no option “--modle”: did you mean “--model”"),
            ("train decoy.h5 --model mlp --epoch 1 -o x", 64, "--epochs"),
            ("export npy decoy.h5 --ouput=x", 64, "no option “--ouput”: did you mean “--output”"),
            ("import png images -o x.h5", 64, "“pngs”"),
            ("info decoy.h5 --jsn", 64, "--json"),
            ("stream decoy.h5 --split tset --batch-size 8 --format null", 64, "“test”"),
            ("import hdf5 decoy.h5 --images /image -o x.h5", 66, "did you mean “images”"),
            ("train decoy.h5 --model mlp --validation tset -o x", 64, "did you mean “test”"),
            ("evaluate decoy.h5 plain", 64, "plain decoy.h5"),
            ("compare decoy.h5 plain right", 64, "plain right decoy.h5"),
        ])
    func slips(line: String, status: Int32, hint: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
        #expect(outcome.status == status && outcome.errors.contains(hint), "\(outcome.errors)")
    }

    @Test("figures of the very samples that a run has learnt are not passed off as what it makes of others")
    func learntByHeart() throws {
        let folder = try TemporaryFolder()
        let data = try Workshop.shared.get()
        func run(_ line: String) throws -> String {
            let words = line.split(separator: " ").map(String.init)
            let outcome = try CommandLineTool.run(words, in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return outcome.errors
        }
        _ = try run("import pngs \(data.path("images/train")) -o d.h5")
        _ = try run("train d.h5 --model mlp --epochs 1 -o run")
        #expect(try run("evaluate run d.h5").contains("run was trained on all samples of d.h5"))
        #expect(try !run("evaluate \(data.path("plain")) \(data.path("decoy.h5"))").contains("trained on"))
    }

    @Test("--quiet leaves notes and progress out, and results and errors as they are")
    func quiet() throws {
        let folder = try TemporaryFolder()
        let words = ["train", "decoy.h5", "--model", "mlp", "--epochs", "1", "--validation", "test", "-o"]
        let loud = try CommandLineTool.run(words + [folder.path("a")], in: Workshop.shared.get().path)
        let still = try CommandLineTool.run(
            words + [folder.path("b"), "--quiet"], in: Workshop.shared.get().path)
        #expect(loud.errors.contains("validation ") && loud.errors.contains("accuracy "))
        #expect(still.status == 0 && still.errors.isEmpty && still.text.contains("last epoch"))
        let failed = try Workshop.run("train", "nowhere.h5", "--model", "mlp", "-o", "x", "--quiet")
        #expect(failed.status == 66 && failed.errors.contains("nowhere.h5"))
    }

    @Test("info draws the training of a run in text, and of nothing else")
    func curves() throws {
        let text = try Workshop.run("info", "right").text
        #expect(text.contains("curves:\n") && text.contains("█") && text.contains("  penalty, "))
        #expect(try !Workshop.run("info", "decoy.h5").text.contains("curves:"))
    }

    private static let hasPython =
        (try? ChildProcess.run("/usr/bin/env", ["python3", "-c", ""], in: "/").status) == 0

    @Test("completions of three shells and a manual page a command are put in place")
    func documents() throws {
        let folder = try TemporaryFolder()
        let script = Fixtures.path("../.ci/install-documents")
        let made = try ChildProcess.run(script, [CommandLineTool.path, folder.path], in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        let bash = folder.path("share/bash-completion/completions/rrdata")
        #expect(try ChildProcess.run("/bin/bash", ["-n", bash], in: "/").status == 0)
        for name in ["zsh/site-functions/_rrdata", "fish/vendor_completions.d/rrdata.fish"] {
            let text = try String(contentsOf: URL(filePath: folder.path("share/" + name)), encoding: .utf8)
            #expect(text.contains("find-another") && text.contains("max-area"))
        }
        guard Self.hasPython else { return }
        for command in ContractTests.commands {
            let name = "share/man/man1/rrdata-\(command.joined(separator: "-")).1"
            let page = try String(contentsOf: URL(filePath: folder.path(name)), encoding: .utf8)
            #expect(
                page.hasPrefix(".TH \"RRDATA") && page.contains(".SH OPTIONS") && page.contains("rrdata "))
        }
    }
}
