import Foundation
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

    func fill(_ path: String, _ text: String) throws { try FileBytes.write(Array(text.utf8), to: path) }

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
                #expect(try FileTree.makeFolder(output.temporaryPath + "/nested"))
                try FileBytes.write([1], to: output.temporaryPath + "/nested/file")
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
        if !isDirectory { try fill(output.temporaryPath, "ours") }
        try folder.write(Array("theirs".utf8), to: isDirectory ? "a/file" : "a")
        let refusal = failure { () throws(FormatError) in try output.commit() }
        #expect(refusal?.code == .outputExists)
        #expect(try text(isDirectory ? "a/file" : "a") == "theirs")
    }

    @Test("a folder replaces an older folder whole")
    func replaceFolder() throws {
        try folder.write([1], to: "run/old/file")
        let output = try AtomicOutput(path: folder.path("run/"), force: true, isDirectory: true)
        try fill(output.temporaryPath + "/file", "new")
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
        try fill(output.temporaryPath, "whole")
        try output.commit()
        #expect(try folder.names() == [name])
    }

    @Test("several outputs appear together or not at all", arguments: [false, true])
    func together(force: Bool) throws {
        if force { for name in ["a", "b"] { try folder.write(Array("old".utf8), to: name) } }
        let outputs = try ["a", "b", "c"].map {
            try AtomicOutput(path: folder.path($0), force: force && $0 != "c")
        }
        for output in outputs { try fill(output.temporaryPath, "new") }
        try folder.write(Array("theirs".utf8), to: "c")
        let refusal = failure { () throws(FormatError) in
            try outputs[0].commit(before: outputs[1], outputs[2])
        }
        #expect(refusal?.code == .outputExists && refusal?.path == folder.path("c"))
        for name in ["a", "b"] {
            #expect(force ? try text(name) == "old" : FileTree.kind(of: folder.path(name)) == nil)
        }
        FileTree.remove(folder.path("c"))
        try outputs[0].commit(before: outputs[1], outputs[2])
        #expect(try folder.names().sorted() == ["a", "b", "c"])
        #expect(try ["a", "b", "c"].allSatisfy { try text($0) == "new" })
    }

    @Test("what a killed process left is removed by the next output, what a living one has is not")
    func leftovers() throws {
        try folder.write([1], to: ".a.h5.0123456789abcdef.partial/output")
        try folder.write([1], to: ".b.h5.fedcba9876543210.partial/output")
        // What was to be replaced, and had lost its name when the process was killed.
        try folder.write(Array("old".utf8), to: ".c.0000000000000000.partial/older/c")
        try folder.write(Array("new".utf8), to: "d")
        try folder.write(Array("old".utf8), to: ".d.0000000000000000.partial/older/d")
        // Of other programs.
        try folder.write([1], to: ".e.partial")
        try folder.write([1], to: ".f.123.partial/output")
        let lock = try FolderLock(folder.path(".b.h5.fedcba9876543210.partial"), orSay: "")
        let output = try AtomicOutput(path: folder.path("z"), force: false)
        try fill(output.temporaryPath, "whole")
        try output.commit()
        withExtendedLifetime(lock) {}
        #expect(
            try folder.names().sorted() == [
                ".b.h5.fedcba9876543210.partial", ".e.partial", ".f.123.partial", "c", "d", "z",
            ])
        #expect(try text("c") == "old" && text("d") == "new")
    }

    /// Gives everything in the folder a time of change in the past.
    private func age(seconds: Int) throws {
        for name in try folder.names() {
            for path in [folder.path(name)]
                + (FileTree.names(in: folder.path(name)) ?? []).map({ folder.path(name + "/" + $0) })
            {
                var times = [timespec](repeating: timespec(tv_sec: time(nil) - seconds, tv_nsec: 0), count: 2)
                try #require(utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW) == 0)
            }
        }
    }

    @Test("what a killed process of an earlier release left goes too, but nothing that may be somebody's")
    func olderLeftovers() throws {
        // No process has this number, and the parent of this one lives.
        let (gone, alive) = (2_000_000_000, getppid())
        let magic: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        for name in [".a.h5.\(gone)-1.partial", ".b.h5.\(getpid())-7.partial", ".a.h5.\(alive)-1.partial"] {
            try folder.write(magic, to: name)
        }
        try folder.write(Array("{\"a\": 1".utf8), to: ".c.json.\(gone)-12.partial")
        try folder.write([1, 2, 3], to: "new/x.png")
        for name in [
            ".new.\(gone)-1.partial", ".only.\(gone)-1.partial", ".two.\(gone)-1.partial",
            ".two.\(gone)-2.partial",
        ] {
            try folder.write([1], to: name + "/x.png")
        }
        try folder.write([1], to: ".new.\(gone)-3.partial/letter.doc")
        try folder.write(Array("dear diary".utf8), to: ".diary.2024-12.partial")
        try folder.write(magic, to: ".x.h5.1.partial")
        try age(seconds: 3600)
        try folder.write(magic, to: ".recent.h5.\(gone)-1.partial")
        let output = try AtomicOutput(path: folder.path("z"), force: false)
        try fill(output.temporaryPath, "whole")
        try output.commit()
        #expect(
            try folder.names().sorted() == [
                // A process lives; somebody's; one of two of which one may be the last of an older output.
                ".a.h5.\(alive)-1.partial", ".diary.2024-12.partial", ".new.\(gone)-3.partial",
                ".recent.h5.\(gone)-1.partial", ".two.\(gone)-1.partial", ".two.\(gone)-2.partial",
                ".x.h5.1.partial",
                "new", "z",
            ])
    }

    @Test("what could not be removed in a folder is swept before the folder is done, and nothing else in it")
    func below() throws {
        try folder.write([1], to: "run/.a.0123456789abcdef.partial/output")
        try folder.write([1], to: "run/round/.b.0123456789abcdef.partial/output")
        try folder.write([1], to: "run/round/.b.partial")
        AtomicOutput.removeLeftovers(below: folder.path("run"))
        #expect(FileTree.names(in: folder.path("run")) == ["round"])
        #expect(FileTree.names(in: folder.path("run/round")) == [".b.partial"])
    }

    @Test(
        "an error of the device is another than a refusal",
        arguments: [
            (EIO, true), (ESTALE, true), (ENOSPC, false), (EACCES, false), (EFBIG, false), (EROFS, false),
        ])
    func deviceFailure(number: Int32, isOfDevice: Bool) {
        let error = FormatError(writing: "a", failure: number, saying: "it was late: ")
        #expect(error.code == (isOfDevice ? .writeFailed : .cannotWrite))
        #expect(error.explanation == Message("a: it was late: " + String(cString: strerror(number))))
    }

    @Test("a folder that is kept has its name before it is committed, and goes with the process before that")
    func kept() throws {
        do {
            let output = try AtomicOutput(
                makingFolder: folder.path("run.unfinished"), path: folder.path("run"), force: false)
            try fill(output.temporaryPath + "/file", "whole")
            #expect(try folder.names() == ["run.unfinished"])
            let second = failure { () throws(FormatError) in
                _ = try AtomicOutput(
                    makingFolder: folder.path("run.unfinished"), path: folder.path("run"), force: false)
            }
            #expect(second?.code == .outputExists)
        }
        #expect(try folder.names().isEmpty)
        do {
            let output = try AtomicOutput(
                makingFolder: folder.path("run.unfinished"), path: folder.path("run"), force: false)
            try fill(output.temporaryPath + "/file", "whole")
            try output.keep(as: folder.path("run.unfinished"))
        }
        #expect(try folder.names() == ["run.unfinished"])
        try folder.write([1], to: "run/older")
        let resumed = try AtomicOutput(
            resuming: folder.path("run.unfinished"), path: folder.path("run"), force: true)
        try resumed.commit()
        #expect(try folder.names() == ["run"])
        #expect(try text("run/file") == "whole")
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
