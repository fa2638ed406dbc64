import RRFormats
import RRSchemas
import TestSupport
import Testing

@Suite("HDF5 files that libhdf5 does not survive, by the command line")
struct HDF5ContainmentTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func file(_ name: String) -> String { Fixtures.path("formats/hdf5/hostile-\(name).h5") }

    private func run(_ arguments: String...) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(arguments, in: folder.path)
    }

    @Test(
        "a file over which libhdf5 crashes, or that it never reads to the end, is bad data that is named",
        arguments: [("crash", "broke off reading it"), ("endless", "did not come to an end of reading it")])
    func lost(name: String, words: String) throws {
        let path = Self.file(name)
        let info = try run("info", path)
        #expect(info.status == 65)
        #expect(info.errors.hasPrefix("rrdata: error: \(path): the file is damaged: libhdf5 \(words)"))
        let validation = try run("validate", path)
        #expect(validation.status == 1)
        #expect(validation.text.contains(words))
        let stream = try run("stream", path, "--batch-size", "1", "--format", "null")
        #expect(stream.status == 65)
        #expect(stream.errors.contains(path))
    }

    @Test("what a damaged part does not touch is read all the same")
    func untouched() throws {
        let outcome = try run("import", "hdf5", Self.file("crash"), "--images", "x", "-o", "d.h5")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("groups in a circle are told once along each way to them")
    func circle() throws {
        let outcome = try run("info", Self.file("circle"), "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let names = try JSONValue(parsing: outcome.text)["arrays"]?.objectValue?.keys.sorted()
        #expect(names == (0..<10).map { "first/second\($0)/x" } + ["second/x"])
    }
}
