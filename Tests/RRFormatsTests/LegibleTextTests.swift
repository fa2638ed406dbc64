import RRFormats
import Testing

@Suite("Text from files, as messages show it")
struct LegibleTextTests {
    @Test(
        "what a terminal obeys is escaped, and letters of all scripts stay",
        arguments: [
            ("plain", "plain"), ("é中 👩‍🔬 עברית", "é中 👩‍🔬 עברית"), ("a\u{1B}[2Jb", "a\\u{1B}[2Jb"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"), ("\u{9B}31m", "\\u{9B}31m"), ("\u{0}\u{7F}", "\\u{0}\\u{7F}"),
            ("gpj\u{202E}exe", "gpj\\u{202E}exe"),
            ("\u{2066}\u{200F}\u{2028}", "\\u{2066}\\u{200F}\\u{2028}"),
            ("\u{FEFF}x", "\\u{FEFF}x"), ("Â¢ﬀ\u{E007F}", "Â¢ﬀ\\u{E007F}"), ("C:\\photos", "C:\\photos"),
            ("", ""),
        ])
    func escapes(text: String, shown: String) {
        #expect(text.legible == shown)
        #expect(("\(text)" as Message).description == shown)
    }

    @Test("a message keeps its own lines, and a value none")
    func lines() {
        let message: Message = "the files differ:\n\t\("a\nb"): \("c" as Message)"
        #expect(message.description == "the files differ:\n\ta\\nb: c")
        #expect(message.description.escaped(keepingLines: true) == message.description)
        #expect("\u{1B}c\n".escaped(keepingLines: true) == "\\u{1B}c\n")
    }

    @Test("of a long text the middle is left out, between whole characters")
    func length() {
        let path = String(repeating: "folder/", count: 1 << 20) + "file.png"
        #expect(path.legible.utf8.count <= String.largestLegibleSize + 3)
        #expect(path.legible.hasPrefix("folder/folder/") && path.legible.hasSuffix("/file.png"))
        for offset in 0..<4 {
            let text = String(repeating: "x", count: offset) + String(repeating: "🎈", count: 1000)
            let shown = text.shortened(to: 100)
            #expect(shown.utf8.count <= 103)
            #expect(shown.allSatisfy { "x🎈…".contains($0) })
        }
        #expect(String(repeating: "x", count: 1024).legible.count == 1024)
    }

    @Test("errors show names so, and keep their paths as they are")
    func errors() {
        let error = FormatError(.malformed, path: "a\nb.csv", "two columns have the name “\u{1B}c\n”")
        #expect(error.description == "a\\nb.csv: two columns have the name “\\u{1B}c\\n”")
        #expect(error.path == "a\nb.csv")
    }
}
