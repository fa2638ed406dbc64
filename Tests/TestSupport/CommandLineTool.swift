import Foundation

/// The built `rrdata`, run as a user runs it.
public enum CommandLineTool {
    /// The folder with the tests, and what is built with them.
    public static let folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path

    /// The executable beside the tests, or the one that RRDATA_EXECUTABLE names: unoptimised, the parsing of a command line alone
    /// takes half a second.
    public static let path =
        ProcessInfo.processInfo.environment["RRDATA_EXECUTABLE"] ?? folder + "/rrdata"

    /// Runs a command in a folder and waits for its end.
    public static func run(_ arguments: [String], in folder: String) throws -> ChildProcess.Outcome {
        try ChildProcess.run(path, arguments, in: folder)
    }

    /// Runs a command in a folder, and sends it a signal as soon as a file or folder is there.
    ///
    /// - Parameter place: what it writes on its way, from the folder on.
    /// - Returns: the exit code, or minus the number of the signal that ended it.
    public static func run(
        _ arguments: [String], in folder: String, sending signal: Int32, onceThereIs place: String
    ) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        let place = "\(folder)/\(place)"
        while process.isRunning, !FileManager.default.fileExists(atPath: place) { usleep(1_000) }
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}
