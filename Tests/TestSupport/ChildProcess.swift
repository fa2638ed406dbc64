public import Foundation

/// Another program, run to its end.
public enum ChildProcess {
    /// What a program left: its exit code and what it printed.
    public struct Outcome: Sendable {
        /// The exit code, or minus the number of the signal that ended it.
        public let status: Int32
        public let output: Data
        public let errors: String

        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs a program in a folder, with folders that its path list begins with.
    ///
    /// Output goes through files, since a pipe that no one empties would stop the program.
    public static func run(
        _ path: String, _ arguments: [String], in folder: String, searchingFirst folders: [String] = []
    ) throws -> Outcome {
        let files = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = (folders + [environment["PATH"] ?? ""]).joined(separator: ":")
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try writer(files.path("output"))
        process.standardError = try writer(files.path("errors"))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: try Data(contentsOf: URL(filePath: files.path("output"))),
            errors: String(
                decoding: try Data(contentsOf: URL(filePath: files.path("errors"))), as: UTF8.self))
    }

    private static func writer(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(filePath: path))
        return try FileHandle(forWritingTo: URL(filePath: path))
    }
}
