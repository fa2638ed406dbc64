import Glibc
import RRFormats
import RRSchemas
import Synchronization

/// What a command says: results on standard output, all else on standard error.
enum Console {
    /// Prints text for people on standard output.
    static func print(_ text: Message) { write(text.terminalText) }

    /// Prints the one JSON object of `--json` on standard output.
    static func print(json object: JSONValue) { write(object.serialized(pretty: true)) }

    /// Prints a text of the program's own, such as its help, on standard output.
    static func printHelp(_ text: String) { write(text.escaped(keepingLines: true)) }

    /// Prints a line on standard error.
    static func error(_ line: Message) {
        // A message may be about any number of names; of a longer one nobody reads the middle.
        writeToStandardError(line.terminalText.shortened(to: 16 << 10) + "\n")
    }

    /// Whether nothing but results and errors is told.
    static var isQuiet: Bool {
        get { quiet.withLock { $0 } }
        set { quiet.withLock { $0 = newValue } }
    }

    private static let quiet = Mutex(false)

    /// How progress is told.
    static var progressForm: ProgressForm {
        get { form.withLock { $0 } }
        set { form.withLock { $0 = newValue } }
    }

    private static let form = Mutex(ProgressForm.line)

    /// Prints how far work is as a JSON object in a line of standard error.
    static func progress(json object: [String: JSONValue]) {
        writeToStandardError(JSONValue.object(object).serialized() + "\n")
    }

    /// Prints what users should know, on standard error.
    static func note(_ message: Message) {
        if !isQuiet { error("rrdata: note: \(message)") }
    }

    /// Prints notes, each in its line.
    static func note(_ messages: [Message]) { for message in messages { note(message) } }

    /// Writes text on standard error at once, without a line's end.
    static func writeToStandardError(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Ends standard output, and gives what failed of all that was printed.
    ///
    /// A reader that has closed the pipe is no failure: it has what it wanted.
    static func finish() -> StandardOutputFailure? {
        let printed = failure.withLock { $0 }
        do throws(StandardOutputFailure) {
            try StandardOutput.close()
            return printed
        } catch {
            return printed ?? error
        }
    }

    private static func write(_ text: String) {
        var text = text + "\n"
        text.withUTF8 { bytes in
            do throws(StandardOutputFailure) {
                var output = StandardOutput()
                _ = try output.write(UnsafeRawBufferPointer(bytes))
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }

    /// What became of the first text that could not be printed.
    private static let failure = Mutex<StandardOutputFailure?>(nil)

    /// Whether standard error is a terminal, where progress can be shown.
    static var showsProgress: Bool { progressForm == .line && isatty(STDERR_FILENO) == 1 && !isQuiet }

    /// The number of columns of that terminal, as far as it tells.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 200 }
        return Int(size.ws_col)
    }
}
