internal import ArgumentParser

/// A height and a width, as `HEIGHTxWIDTH`.
struct ImageSize: ExpressibleByArgument {
    let height: Int
    let width: Int

    init?(argument: String) {
        let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = Int(parts[0]), let width = Int(parts[1]),
            1...1_000_000 ~= height, 1...1_000_000 ~= width
        else { return nil }
        self.height = height
        self.width = width
    }
}
