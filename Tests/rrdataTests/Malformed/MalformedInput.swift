import Testing

/// A row of the table: an input that is damaged, hostile or of another kind, and how a command must end that reads it.
struct MalformedInput: Sendable, CustomTestStringConvertible {
    /// What is wrong.
    let name: String
    /// The command and its arguments. `@` begins the names of the workshop's files.
    let command: String
    /// The files by their paths.
    let files: [String: SourceBytes]
    let exit: Int32
    /// The code of the error, or of `validate`'s first finding, in `--json`.
    let code: String

    init(
        _ name: String, _ command: String, _ path: String, _ bytes: SourceBytes, _ exit: Int32, _ code: String
    ) {
        self.init(name, command, [path: bytes], exit, code)
    }

    init(
        _ name: String, _ command: String, _ files: [String: SourceBytes], _ exit: Int32, _ code: String
    ) {
        self.name = name
        self.command = command
        self.files = files
        self.exit = exit
        self.code = code
    }

    var testDescription: String { "\(name): \(command)" }

    /// All rows, by what they are read as.
    static let all: [MalformedInput] =
        images + arrays + archives + weights + models + annotations + lists + datasets + runs
}
