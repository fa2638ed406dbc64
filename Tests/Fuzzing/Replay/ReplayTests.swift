import Foundation
import TestSupport
import Testing

/// An input that a reader was once wrong about.
private struct Regression: Sendable, CustomTestStringConvertible {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Regressions")
        .standardized.path

    let reader: String
    let name: String

    var testDescription: String { "\(reader)/\(name)" }

    var bytes: [UInt8] {
        get throws { try Array(Data(contentsOf: URL(filePath: "\(Self.folder)/\(reader)/\(name)"))) }
    }

    static let all: [Regression] =
        ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted().compactMap { path in
            let parts = path.split(separator: "/").map(String.init)
            return parts.count == 2 ? Regression(reader: parts[0], name: parts[1]) : nil
        }
}

@Suite("Inputs that fuzzing found")
struct ReplayTests {
    @Test("an input that was once misread is read or refused as its name says", arguments: Regression.all)
    fileprivate func replay(_ regression: Regression) throws {
        let reader = try #require(FuzzedReader.all.first { $0.name == regression.reader })
        let folder = try TemporaryFolder()
        let bytes = try regression.bytes
        let accepted = try reader.accepts(bytes, at: folder.write(bytes, to: regression.name))
        if regression.name.hasPrefix("read-") { #expect(accepted) }
        if regression.name.hasPrefix("refused-") { #expect(!accepted) }
    }

    @Test(
        "every reader has an input that it reads and one that it refuses",
        arguments: FuzzedReader.all.map(\.name))
    func hasBoth(_ reader: String) {
        let names = Regression.all.filter { $0.reader == reader }.map(\.name)
        #expect(names.contains { $0.hasPrefix("read-") })
        #expect(names.contains { $0.hasPrefix("refused-") })
    }
}
