import Foundation

/// The files under `Fixtures/` at the root of the package.
public enum Fixtures {
    /// The path of a fixture, given relative to `Fixtures/`.
    public static func path(_ name: String) -> String {
        let thisFolder = URL(filePath: #filePath).deletingLastPathComponent()
        return thisFolder.appending(path: "../../Fixtures/\(name)").standardized.path
    }
}
