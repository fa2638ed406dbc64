import Foundation
import RRFormats
import TestSupport
import Testing

@testable import RRExchange

@Suite("event files of TensorBoard")
struct EventFileTests {
    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// By `tensorboard_events.py`.
    @Test("a file has the bytes that TensorBoard's own writer gives the same events")
    func bytes() throws {
        let folder = try TemporaryFolder()
        var seconds = 1.5e9 - 1
        // Asked once for the name, and then for each event.
        let file = try EventFile(in: folder.path("a/b"), from: 7) {
            defer { seconds += 1 }
            return max(seconds, 1.5e9)
        }
        try file.append([("step/loss", 0.1), ("step/penalty", 1e-30), ("größe", -3.5)], step: 7)
        try file.append([("step/loss", .nan), ("step/penalty", .infinity), ("zero", 0)], step: 1 << 40)
        let name = "events.out.tfevents.1500000000.rrdata"
        #expect(try names(in: folder.path("a/b")) == [name])
        let expected = try FileBytes.read(Fixtures.path("reference/tensorboard-events.bin"))
        #expect(try FileBytes.read(folder.path("a/b/" + name)) == expected)
    }

    @Test("a later file comes later in the order of names, whatever the clock says")
    func order() throws {
        let folder = try TemporaryFolder()
        #expect(!EventFile.areIn(folder.path("")))
        for time in [1.7e9, 1.7e9, 1.6e9, 1.8e9] {
            _ = try EventFile(in: folder.path(""), from: 0) { time }
        }
        #expect(
            try names(in: folder.path(""))
                == ["1700000000", "1700000001", "1700000002", "1800000000"].map {
                    "events.out.tfevents.\($0).rrdata"
                })
        #expect(EventFile.areIn(folder.path("")))
    }

    @Test("a folder that cannot be made is an error that names it")
    func refused() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: folder.path("file")))
        let error = #expect(throws: FormatError.self) {
            _ = try EventFile(in: folder.path("file/b"), from: 0)
        }
        #expect(error?.code == .cannotWrite && error?.path.hasPrefix(folder.path("file/b")) == true)
    }
}
