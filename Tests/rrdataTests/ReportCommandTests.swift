import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("report at the command line")
struct ReportCommandTests {
    @Test("its figures are those that evaluate prints, and its commands make the runs again")
    func figures() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("report.html")
        let made = try Workshop.json(
            "report", "plain", "right", "--data", "decoy.h5", "--masks", "masks.h5", "-o", path)
        let page = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        #expect(made["bytes"]?.integerValue == page.utf8.count && page.utf8.count < 1_000_000)
        // Numbers do not part from their signs there.
        let html = page.replacingOccurrences(of: "\u{A0}%", with: " %")
        for run in ["plain", "right"] {
            let text = try Workshop.run("evaluate", run, "decoy.h5", "--masks", "masks.h5").text
            // The accuracy with its interval, the share inside A, and the difference of the swap test.
            let accuracy = try #require(
                text.components(separatedBy: "accuracy ").dropFirst().first?.components(
                    separatedBy: ", cross"
                ).first)
            let share = try #require(
                text.split(separator: "\n").first { $0.contains("of |input gradient|") }?.components(
                    separatedBy: " of "
                ).first)
            let difference = try #require(
                text.components(separatedBy: "the difference").dropFirst().first?.split(separator: "\n")
                    .first?.trimmingCharacters(in: .whitespaces))
            for figure in [accuracy, share, difference] { #expect(html.contains(figure), "\(figure)") }
        }
        let commands = Self.commands(in: html)
        #expect(commands.count == 2)
        for (command, run) in zip(commands, ["plain", "right"]) {
            let words = command.split(separator: " ").map(String.init)
            let again = folder.path(run)
            let outcome = try CommandLineTool.run(
                Array(words.dropFirst().dropLast()) + [again], in: Workshop.shared.get().path)
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
            #expect(
                try Data(contentsOf: URL(filePath: again + "/weights.safetensors"))
                    == Workshop.bytes(run + "/weights.safetensors"))
        }
    }

    @Test(
        "the folder of a sweep or a search stands for what was tried, and for the runs that tell most of it")
    func series() throws {
        let folder = try TemporaryFolder()
        let data = try Workshop.shared.get()
        let training = ["--model", "mlp", "--batch-size", "16", "--epochs", "1", "-o"]
        for words in [
            [
                "sweep", data.path("decoy.h5"), "--masks", data.path("masks.h5"), "--ways", "rrr",
                "--lambda1", "0.1:1:1",
            ] + training
                + ["tried"],
            ["find-another", data.path("decoy.h5"), "--rounds", "2"] + training + ["others"],
        ] {
            let outcome = try CommandLineTool.run(words, in: folder.path)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let made = try CommandLineTool.run(
            [
                "report", "tried", "others", "--data", data.path("decoy.h5"), "--masks",
                data.path("masks.h5"), "-o", "r.html",
            ],
            in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        let html = try String(contentsOf: URL(filePath: folder.path("r.html")), encoding: .utf8)
        #expect(html.contains("id=\"series\"") && html.contains("The runs of tried by way and weight"))
        #expect(html.contains("The rounds of others") && html.contains("over λ1"))
        for run in ["tried/run-1/run", "others/round-1/run", "others/round-2/run"] {
            #expect(html.contains(run), "\(run)")
        }
        // Their runs have splits and masks of their own: what makes them again is the command of the whole.
        let commands = Self.commands(in: html)
        #expect(commands.count == 2)
        for (command, file) in zip(commands, ["tried/sweep.json", "others/find-another.json"]) {
            let words = command.split(separator: " ").map(String.init)
            let again = try CommandLineTool.run(words.dropFirst().dropLast() + ["again"], in: folder.path)
            #expect(again.status == 0, "\(command): \(again.errors)")
            let name = try #require(file.split(separator: "/").last)
            #expect(
                try Data(contentsOf: URL(filePath: folder.path("again/\(name)")))
                    == Data(contentsOf: URL(filePath: folder.path(file))))
            try FileManager.default.removeItem(atPath: folder.path("again"))
        }
        let alone = try CommandLineTool.run(["report", "tried/run-2/run", "-o", "one.html"], in: folder.path)
        #expect(alone.status == 0, "\(alone.errors)")
        let page = try String(contentsOf: URL(filePath: folder.path("one.html")), encoding: .utf8)
        #expect(Self.commands(in: page).first?.hasPrefix("rrdata sweep DATASET.h5 --masks MASKS.h5") == true)
        // Masks that a run was not trained with are not named in its command.
        let other = try CommandLineTool.run(
            [
                "report", data.path("right"), "--data", data.path("decoy.h5"), "--masks",
                "others/round-1/masks.h5", "-o", "other.html",
            ], in: folder.path)
        #expect(other.status == 0, "\(other.errors)")
        let text = try String(contentsOf: URL(filePath: folder.path("other.html")), encoding: .utf8)
        #expect(Self.commands(in: text).first?.contains(" --masks MASKS.h5 ") == true)
    }

    /// The commands that a page says its runs are made by.
    private static func commands(in html: String) -> [String] {
        guard let code = html.components(separatedBy: "aria-label=\"the commands of the runs\"><code>").last
        else { return [] }
        return code.components(separatedBy: "</code>")[0].components(separatedBy: "\n")
    }

    @Test("words are quoted as a shell takes them", arguments: ["plain", "a b", "it's", "$(x)", "<b>", ""])
    func quoting(name: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: Workshop.shared.get().path("plain"), toPath: folder.path("run-\(name)"))
        let made = try CommandLineTool.run(["report", "run-\(name)", "-o", "r.html"], in: folder.path)
        #expect(made.status == 0, "\(made.errors)")
        let html = try String(contentsOf: URL(filePath: folder.path("r.html")), encoding: .utf8)
        let code = try #require(
            html.components(separatedBy: "the commands of the runs\"><code>").last?.components(
                separatedBy: "</code>"
            ).first)
        var command = code
        for (entity, sign) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&quot;", "\""), ("&amp;", "&"),
        ] {
            command = command.replacingOccurrences(of: entity, with: sign)
        }
        let words = try ChildProcess.run(
            "/bin/sh", ["-c", "printf '%s\\n' " + command.dropFirst(7)], in: folder.path)
        #expect(words.text.split(separator: "\n").last == "run-\(name)")
    }

    @Test(
        "wrong usage is refused by name",
        arguments: [
            ("report plain --masks masks.h5 -o x.html", "--data"),
            ("report plain --gallery -1 -o x.html", "--gallery"),
            ("report -o x.html", "run"), ("report plain -o plain/config.json --force", "config.json"),
        ])
    func usage(line: String, hint: String) throws {
        let outcome = try CommandLineTool.run(
            line.split(separator: " ").map(String.init), in: Workshop.shared.get().path)
        #expect(outcome.status == 64 && outcome.errors.contains(hint), "\(outcome.errors)")
    }
}
