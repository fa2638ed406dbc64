/// A reader of bytes from strangers, as libFuzzer and the replay of its findings call it.
struct FuzzedReader: Sendable {
    /// The name, which its corpus, its dictionary and its regressions have too.
    let name: String
    /// Reads bytes, which are also the file at the path.
    ///
    /// It may throw any error but `FuzzFinding`.
    let read: @Sendable (_ bytes: [UInt8], _ path: String) throws -> Void

    static let all: [FuzzedReader] = images + arrays + texts + annotations

    /// Reads bytes as strangers' files are read.
    ///
    /// - Returns: whether they were accepted.
    /// - Throws: `FuzzFinding` where a promise does not hold.
    func accepts(_ bytes: [UInt8], at path: String) throws(FuzzFinding) -> Bool {
        do {
            try read(bytes, path)
            return true
        } catch let finding as FuzzFinding {
            throw finding
        } catch {
            return false
        }
    }
}

/// A promise of a reader that does not hold for an input.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
