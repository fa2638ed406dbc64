public import RRFormats
package import RRSchemas

/// What lies in the folder of several trainings that belong together.
public enum TrainingSeries: Sendable {
    /// Of a sweep.
    case sweep([SweepRun])
    /// Of a search for other explanations.
    case rounds([FindAnotherRound])

    /// Whether a folder is that of a series.
    public static func isSeries(_ path: String) -> Bool {
        SeriesFolder<SweepRun>.entryCount(of: path) != nil
            || SeriesFolder<FindAnotherRound>.entryCount(of: path) != nil
    }

    /// Reads what a folder says of its trainings, also of one that is unfinished.
    ///
    /// - Throws: `FormatError` with the code `malformed` where the folder is not that of a series.
    public init(path: String) throws(FormatError) {
        if let entries = SeriesFolder<SweepRun>.storedEntries(of: path) {
            self = .sweep(entries)
        } else if let entries = SeriesFolder<FindAnotherRound>.storedEntries(of: path) {
            self = .rounds(entries)
        } else {
            throw FormatError(
                .malformed, path: path, "is no folder of a sweep or of a search for other explanations")
        }
    }

    /// What the folder of a series says of its options and of what it was started with; nil where it is none.
    package static func description(of path: String) -> JSONValue? {
        SeriesFolder<SweepRun>.document(of: path) ?? SeriesFolder<FindAnotherRound>.document(of: path)
    }

    /// The folders of the runs that tell most of the series, inside its own: of a sweep the plain one and what is recommended,
    /// each with the first seed, of a search those of all rounds.
    public var telling: [String] {
        switch self {
        case .sweep(let runs):
            let rows = SweepRow.rows(of: runs)
            let plain = runs.first { $0.way == .plain && $0.outcome != .diverged && $0.outcome != .leftOut }
            return [plain, SweepRow.recommended(of: rows)?.runs.first].compactMap { $0?.folder }.uniqued()
        case .rounds(let rounds): return rounds.map { $0.folder + "/run" }
        }
    }
}

extension SeriesFolder {
    /// The entries that a folder has; nil where it is none of this kind.
    fileprivate static func storedEntries(of path: String) -> [Entry]? {
        guard let objects = document(of: path).map({ $0["\(Entry.noun)s"]?.arrayValue ?? [] }) else {
            return nil
        }
        let entries = objects.compactMap { Entry($0) }
        return entries.count == objects.count ? entries : nil
    }
}

extension Array where Element: Hashable {
    /// Each element once, in the order of the first.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
