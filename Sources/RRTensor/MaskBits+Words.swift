extension MaskBits {
    /// Calls a body with the bits of all rows: each row starts on a word, whose lowest bit is the row's first element.
    package func withWords<Result>(_ body: (UnsafeBufferPointer<UInt64>) -> Result) -> Result {
        words.withUnsafeBufferPointer(body)
    }
}
