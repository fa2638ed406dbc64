import RRFormats
import TestSupport
import Testing

@Suite("Files appear whole or not at all")
struct FilesTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func failure(_ body: () throws(FormatError) -> Void) -> FormatError? {
        do throws(FormatError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    func fill(_ path: String, _ text: String) throws {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        try folder.write(Array(text.utf8), to: name)
    }

    func text(_ name: String) throws -> String {
        String(decoding: try FileBytes.read(folder.path(name)), as: UTF8.self)
    }

    @Test("a file appears on commit, and only there")
    func commit() throws {
        let output = try AtomicOutput(path: folder.path("a.h5"), force: false)
        try fill(output.temporaryPath, "whole")
        #expect(try folder.names().allSatisfy { $0.hasPrefix(".a.h5.") })
        try output.commit()
        #expect(try folder.names() == ["a.h5"])
        #expect(try text("a.h5") == "whole")
    }

    @Test("without a commit nothing is left", arguments: [false, true])
    func noCommit(isDirectory: Bool) throws {
        do {
            let output = try AtomicOutput(path: folder.path("a"), force: false, isDirectory: isDirectory)
            if isDirectory {
                let name = output.temporaryPath.split(separator: "/").last ?? ""
                try folder.write([1], to: "\(name)/nested/file")
            }
            #expect(try folder.names().count == 1)
        }
        #expect(try folder.names().isEmpty)
    }

    @Test("an output that exists is kept without force and replaced with it")
    func force() throws {
        try folder.write(Array("old".utf8), to: "a")
        let refusal = failure { () throws(FormatError) in
            _ = try AtomicOutput(path: folder.path("a"), force: false)
        }
        #expect(refusal?.code == .outputExists)
        #expect(refusal?.message.contains("`force` replaces it") == true)
        #expect(try folder.names() == ["a"])
        let output = try AtomicOutput(path: folder.path("a"), force: true)
        try fill(output.temporaryPath, "new")
        try output.commit()
        #expect(try text("a") == "new")
        #expect(try folder.names() == ["a"])
    }

    @Test("an output that appears meanwhile is not overwritten", arguments: [false, true])
    func race(isDirectory: Bool) throws {
        let output = try AtomicOutput(path: folder.path("a"), force: false, isDirectory: isDirectory)
        try folder.write(Array("theirs".utf8), to: isDirectory ? "a/file" : "a")
        let refusal = failure { () throws(FormatError) in try output.commit() }
        #expect(refusal?.code == .outputExists)
        #expect(try text(isDirectory ? "a/file" : "a") == "theirs")
    }

    @Test("a folder replaces an older folder whole")
    func replaceFolder() throws {
        try folder.write([1], to: "run/old/file")
        let output = try AtomicOutput(path: folder.path("run/"), force: true, isDirectory: true)
        let name = output.temporaryPath.split(separator: "/").last ?? ""
        try folder.write(Array("new".utf8), to: "\(name)/file")
        try output.commit()
        #expect(try folder.names() == ["run"])
        #expect(try text("run/file") == "new")
        #expect(throws: FormatError.self) { try FileBytes.read(folder.path("run/old/file")) }
    }

    @Test("a file does not replace a folder, nor a folder a file", arguments: [false, true])
    func otherKind(isDirectory: Bool) throws {
        try folder.write([1], to: isDirectory ? "a" : "a/file")
        let refusal = failure { () throws(FormatError) in
            _ = try AtomicOutput(path: folder.path("a"), force: true, isDirectory: isDirectory)
        }
        #expect(refusal?.code == .cannotWrite)
    }

    @Test("a missing folder around the output is named")
    func missingFolder() {
        let refusal = failure { () throws(FormatError) in
            _ = try AtomicOutput(path: folder.path("no/such/a"), force: false)
        }
        #expect(refusal?.code == .cannotWrite)
        #expect(refusal?.message.contains(folder.path("no/such")) == true)
    }

    @Test("a long name leaves room for the hidden one")
    func longName() throws {
        let name = String(repeating: "ü", count: 127)
        let output = try AtomicOutput(path: folder.path(name), force: false)
        try output.commit()
        #expect(try folder.names() == [name])
    }

    @Test("files are read whole, up to a size")
    func read() throws {
        let path = try folder.write([1, 2, 3], to: "a")
        #expect(try FileBytes.read(path) == [1, 2, 3])
        #expect(
            try FileBytes.read(path, prefix: 2) == [1, 2] && FileBytes.read(path, prefix: 9) == [1, 2, 3])
        #expect(
            failure { () throws(FormatError) in _ = try FileBytes.read(path, maximumSize: 2) }?.code
                == .unsupported)
        #expect(failure { () throws(FormatError) in _ = try FileBytes.read(path + "b") }?.code == .notFound)
        #expect(
            failure { () throws(FormatError) in _ = try FileBytes.read(folder.path) }?.code == .cannotRead)
    }
}
