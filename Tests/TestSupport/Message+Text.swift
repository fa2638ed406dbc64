package import RRFormats

extension Message {
    /// Whether the message, in the library's words, holds a text.
    package func contains(_ text: String) -> Bool { description.contains(text) }

    package func hasPrefix(_ text: String) -> Bool { description.hasPrefix(text) }

    package func hasSuffix(_ text: String) -> Bool { description.hasSuffix(text) }
}
