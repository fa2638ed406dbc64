import TestSupport
import Testing

@testable import RRFormats

@Suite("Chunks that wait for those before them")
struct WaitingChunksTests {
    @Test("chunks come out as they went in, from memory and from the file", arguments: [0, 100, 1_000_000])
    func roundTrip(mostMemory: Int) throws {
        let folder = try TemporaryFolder()
        var chunks = WaitingChunks(mostMemory: mostMemory, beside: folder.path("d.h5"), shownAs: "d.h5")
        func bytes(_ chunk: Int) -> [UInt8] {
            (0..<chunk * 7 % 50 + 1).map { UInt8(truncatingIfNeeded: $0 * chunk) }
        }
        // Twice, since the file is used anew.
        for _ in 0..<2 {
            for chunk in (1..<40).shuffled() {
                let content = bytes(chunk)
                let outcome = content.withUnsafeBytes { buffer in
                    Result { () throws(FormatError) in try chunks.add(buffer, chunk: chunk) }
                }
                try outcome.get()
            }
            #expect(try folder.names().isEmpty)
            for chunk in 1..<40 { #expect(try chunks.take(chunk) == bytes(chunk)) }
            #expect(try chunks.take(1) == nil)
        }
    }

    @Test("a folder in which no file can be made is named")
    func refused() throws {
        var chunks = WaitingChunks(mostMemory: 0, beside: "/nowhere/d.h5", shownAs: "d.h5")
        let outcome = [UInt8(1)].withUnsafeBytes { buffer in
            Result { () throws(FormatError) in try chunks.add(buffer, chunk: 1) }
        }
        #expect(throws: FormatError(.cannotWrite, path: "d.h5", "No such file or directory")) {
            try outcome.get()
        }
    }
}
