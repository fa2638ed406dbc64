import Foundation
import Synchronization
import TestSupport

/// A program in C of `Programs`, compiled against the header and the library that lies beside the tests.
struct CProgram {
    private static let folder = Result { try TemporaryFolder() }
    /// The programs that are compiled.
    private static let compiled = Mutex<Set<String>>([])
    static let sources = Fixtures.path("../Tests/RRInterfaceTests/Programs")
    static let header = Fixtures.path("../Sources/CRRData")

    let path: String

    struct Failure: Error {
        let errors: String
    }

    /// Compiles a program as strictly as a compiler can be asked to.
    ///
    /// - Parameter source: its file; nil for the one of that name in `Programs`.
    init(_ name: String, source: String? = nil) throws {
        let path = try Self.folder.get().path(name)
        self.path = path
        try Self.compiled.withLock { compiled in
            guard compiled.insert(name).inserted else { return }
            try Self.compile([
                "-std=c11", "-pthread", "-D_GNU_SOURCE", source ?? "\(Self.sources)/\(name).c", "-o", path,
                "-L\(CommandLineTool.folder)", "-lRRInterface", "-Wl,-rpath,\(CommandLineTool.folder)",
            ])
        }
    }

    /// What else the compiler is told, as `-fsanitize=address` where the library is built so.
    private static let flags = words(of: "RRDATA_C_FLAGS")

    /// The words of an environment variable.
    private static func words(of name: String) -> [String] {
        ProcessInfo.processInfo.environment[name]?.split(separator: " ").map(String.init) ?? []
    }

    /// Runs the compiler that comes with Swift.
    static func compile(_ arguments: [String]) throws {
        let outcome = try ChildProcess.run(
            "/usr/bin/env",
            ["clang", "-g", "-Wall", "-Wextra", "-Werror", "-I\(header)"] + flags + arguments, in: "/")
        guard outcome.status == 0 else { throw Failure(errors: outcome.errors) }
    }

    /// What a program is run under, as `valgrind -q --error-exitcode=99`; by hand, for it takes long.
    private static let under = words(of: "RRDATA_UNDER")

    func run(_ arguments: [String], in folder: TemporaryFolder) throws -> ChildProcess.Outcome {
        // Swift's runtime tells of crashes in its own programs, and in those of others only where it is asked to.
        try ChildProcess.run(
            "/usr/bin/env", ["SWIFT_BACKTRACE=enable=no"] + Self.under + [path] + arguments, in: folder.path)
    }
}
