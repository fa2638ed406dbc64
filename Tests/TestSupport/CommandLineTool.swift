public import Foundation

/// The built `rrdata`, run as a user runs it.
public enum CommandLineTool {
    /// What a command left: its exit code and what it printed.
    public struct Outcome: Sendable {
        public let status: Int32
        public let output: Data
        public let errors: String

        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// The executable that was built beside the tests.
    public static let path: String = {
        let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return products.appending(path: "rrdata").path
    }()

    /// Runs a command in a folder and waits for its end.
    ///
    /// Output goes through files, since a pipe that no one empties would stop the command.
    public static func run(_ arguments: [String], in folder: String) throws -> Outcome {
        let files = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try writer(files.path("output"))
        process.standardError = try writer(files.path("errors"))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: try Data(contentsOf: URL(filePath: files.path("output"))),
            errors: String(decoding: try Data(contentsOf: URL(filePath: files.path("errors"))), as: UTF8.self)
        )
    }

    private static func writer(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(filePath: path))
        return try FileHandle(forWritingTo: URL(filePath: path))
    }
}
