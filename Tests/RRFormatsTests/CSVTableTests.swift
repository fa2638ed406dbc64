import RRFormats
import TestSupport
import Testing

@Suite("CSV tables")
struct CSVTableTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A table that is asked for its column “a”.
    func table(_ text: String) throws -> CSVTable {
        let table = try CSVTable(path: folder.write(Array(text.utf8), to: "t.csv"))
        _ = try table.column("a")
        return table
    }

    /// The line of each record, and its fields.
    func records(_ text: String) throws -> [[String]] {
        var records: [[String]] = []
        try table(text).forEachRecord { records.append([String($0.line)] + $0.fields) }
        return records
    }

    @Test(
        "lines end with LF, CR LF or CR, the last also with nothing",
        arguments: ["a,b\n1,2\n\n3,\n", "a,b\r\n1,2\r\n\r\n3,", "a,b\r1,2\r\r3,\r", "\u{FEFF}a,b\n1,2\n\n3,"])
    func lines(text: String) throws {
        #expect(try table(text).header == ["a", "b"])
        #expect(
            try records(text) == [["2", "1", "2"], ["4", "3", ""]])
    }

    @Test("quoted fields hold commas, quotes and line ends, which count as lines")
    func quotes() throws {
        let text = "a,\"b\"\n\"x, \"\"y\"\"\r\nz\",\"\"\nlast,é\n"
        #expect(
            try records(text) == [
                ["2", "x, \"y\"\r\nz", ""], ["4", "last", "é"],
            ])
    }

    @Test("columns are found by name; two of a name that nobody asks for are no fault")
    func columns() throws {
        let table = try table("a,b,c,b\n1,2,3,4\n")
        #expect(try table.column("c") == 2)
        #expect(try table.column("d") == nil)
        let error = #expect(throws: FormatError.self) { try table.column("b") }
        #expect(error?.message.contains("line 1: two columns have the name “b”") == true)
    }

    @Test(
        "a malformed table is refused with its line",
        arguments: [
            ("", "is empty"), ("\n\n", "is empty"), ("a,b,a\n", "line 1: two columns have the name “a”"),
            ("a,b\n1\n", "line 2 has 1 fields"), ("a,b\n1,2\n1,2,3\n", "line 3 has 3 fields"),
            ("a,b\n\"1,2\n", "line 2: a quote is not closed"),
            ("a,b\n1,2\"\n", "line 2: a quote stands inside"),
            ("a,b\n\"1\"x,2\n", "line 2: text follows"),
            ("a,\"\nb\"\n1,\"2\n\n3\n", "line 3: a quote is not closed"),
        ])
    func malformed(text: String, hint: String) throws {
        let error = #expect(throws: FormatError.self) { try records(text) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("bytes that are no UTF-8 are refused with their line")
    func encoding() throws {
        let path = try folder.write([0x61, 0x0A, 0xFF, 0x0A], to: "t.csv")
        let table = try CSVTable(path: path)
        let error = #expect(throws: FormatError.self) { try table.forEachRecord { _ in } }
        #expect(error?.message.contains("line 2") == true)
    }
}
