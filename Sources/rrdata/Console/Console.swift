import Glibc
import RRFormats
import RRSchemas

/// What a command says: results on standard output, all else on standard error.
enum Console {
    /// Prints a line for people on standard output.
    static func print(_ line: String) { Swift.print(line) }

    /// Prints the one JSON object of `--json` on standard output.
    static func print(_ object: JSONValue) { Swift.print(object.serialized(pretty: true)) }

    /// Prints a line on standard error.
    static func error(_ line: String) { writeToStandardError(line + "\n") }

    /// Prints what users should know, on standard error.
    static func note(_ message: Message) { error("rrdata: note: \(message.commandLineText)") }

    /// Prints notes, each in its line.
    static func note(_ messages: [Message]) { for message in messages { note(message) } }

    /// Writes text on standard error at once, without a line's end.
    static func writeToStandardError(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Whether standard error is a terminal, where progress can be shown.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// The number of columns of that terminal, as far as it tells.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 200 }
        return Int(size.ws_col)
    }
}
