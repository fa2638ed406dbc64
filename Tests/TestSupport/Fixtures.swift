import Foundation

/// The files under `Fixtures/` at the root of the package.
public enum Fixtures {
    /// The path of a fixture, given relative to `Fixtures/`.
    public static func path(_ name: String, from file: String = #filePath) -> String {
        URL(filePath: file).deletingLastPathComponent().appending(path: "../../Fixtures/\(name)").standardized.path
    }
}
