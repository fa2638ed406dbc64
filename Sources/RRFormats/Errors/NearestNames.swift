/// The names that somebody may have meant who wrote another.
package struct NearestNames: Sendable {
    /// The most alike first, at most three.
    package let names: [String]

    /// The names among which is looked; of more the first.
    private static let mostNames = 100_000
    /// The letters of a name that are looked at.
    private static let longestName = 64

    /// - Parameters:
    ///   - name: what was written.
    ///   - known: the names that there are, in the order in which equally good ones are told.
    package init(to name: String, among known: some Sequence<String>) {
        let wanted = Self.letters(name)
        // One slip in three letters: more, and any short name is like any other. A single letter is like none.
        let limit = wanted.count < 2 ? 0 : max(1, wanted.count / 3)
        var found: [(name: String, distance: Int)] = []
        for candidate in known.prefix(Self.mostNames) where candidate != name {
            let letters = Self.letters(candidate)
            if abs(letters.count - wanted.count) <= limit {
                let distance = Self.distance(wanted, letters, limit: limit)
                if distance <= limit { found.append((candidate, distance)) }
            } else if wanted.count > 2, letters.count > wanted.count, Self.contains(letters, wanted) {
                found.append((candidate, limit + 1))
            }
        }
        // The sort is stable.
        names = found.sorted { $0.distance < $1.distance }.prefix(3).map(\.name)
    }

    /// `: did you mean “train” or “test”?`; nothing where no name is alike.
    package var question: Message {
        guard !names.isEmpty else { return "" }
        return Message(": did you mean " + names.map { "“\($0.legible)”" }.joined(separator: " or ") + "?")
    }

    /// Letters as they are compared: small ones, and words joined by whatever sign alike.
    private static func letters(_ name: String) -> [Character] {
        name.prefix(longestName).lowercased().map { $0 == "_" || $0 == " " ? "-" : $0 }
    }

    private static func contains(_ letters: [Character], _ part: [Character]) -> Bool {
        (0...letters.count - part.count).contains { letters[$0..<$0 + part.count].elementsEqual(part) }
    }

    /// The fewest letters that are changed, left out, put in or swapped with the next; above the limit any larger number.
    ///
    /// Source: Damerau, "A technique for computer detection and correction of spelling errors", CACM 7, 1964, by Wagner and
    /// Fischer's table.
    private static func distance(_ first: [Character], _ second: [Character], limit: Int) -> Int {
        var (older, old) = ([Int](), Array(0...second.count))
        for (row, letter) in first.enumerated() {
            var new = [row + 1]
            for (column, other) in second.enumerated() {
                var best = min(
                    old[column + 1] + 1, new[column] + 1, old[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
                    best = min(best, older[column - 1] + 1)
                }
                new.append(best)
            }
            if (new.min() ?? 0) > limit { return limit + 1 }
            (older, old) = (old, new)
        }
        return old[second.count]
    }
}
