import Foundation
import RRSchemas
import TestSupport
import Testing

/// A table of inputs that nobody should meet and everybody does: each command ends in time, within its memory, with the
/// exit code and the error's code that are promised, and leaves nothing behind.
@Suite("Malformed inputs at the command line")
struct MalformedInputTests {
    /// In kibibytes of address space. A debug build maps some hundred megabytes before it reads anything.
    private static let memory = 1 << 20
    /// In seconds of a processor.
    private static let time = 10

    @Test("ends as it must", arguments: MalformedInput.all)
    func row(row: MalformedInput) throws {
        let workshop = try Workshop.shared.get()
        let folder = try TemporaryFolder()
        for (path, bytes) in row.files { try folder.write(bytes.make(), to: path) }
        let before = try folder.names()
        let arguments = row.command.split(separator: " ").map { argument in
            argument.hasPrefix("@") ? workshop.path(String(argument.dropFirst())) : String(argument)
        }
        let outcome = try ChildProcess.run(
            "/bin/sh",
            [
                "-c", "ulimit -v \(Self.memory); ulimit -t \(Self.time); exec \"$0\" \"$@\"",
                CommandLineTool.path,
            ] + arguments + ["--json"], in: folder.path)
        #expect(outcome.status == row.exit, "\(outcome.errors)")
        #expect(Self.code(in: outcome) == row.code, "\(outcome.errors)")
        #expect(try folder.names() == before)
    }

    /// The code that the JSON of a failure or of findings has.
    private static func code(in outcome: ChildProcess.Outcome) -> String? {
        let json = try? JSONValue(parsing: outcome.text)
        return (json?["error"] ?? json?["findings"]?.arrayValue?.first)?["code"]?.stringValue
    }

    @Test("the table has two hundred rows and more, no two of one name")
    func table() {
        let names = MalformedInput.all.map(\.testDescription)
        #expect(names.count >= 200)
        #expect(Set(names).count == names.count)
    }
}
