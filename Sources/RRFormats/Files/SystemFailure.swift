internal import Glibc

/// The operating system's words for its error numbers.
package enum SystemFailure {
    /// The message for an `errno`: `No space left on device`.
    package static func message(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
