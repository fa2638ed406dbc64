internal import RRDatasets
internal import RRFormats

/// Finds the samples that names in a source of masks are of.
///
/// A name is a sample's id; or, where no name at all is one, the last component of an id's path.
package struct SampleNames: Sendable {
    private static let ambiguous = -1

    let ids: [String]
    /// By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
    private let indices: [[UInt8]: Int]
    /// The samples by the last component of their ids' paths.
    private let indicesByBaseName: [[UInt8]: Int]

    package init(ids: [String]) {
        self.ids = ids
        indices = Dictionary(ids.enumerated().map { (Array($1.utf8), $0) }) { _, _ in Self.ambiguous }
        indicesByBaseName = Dictionary(ids.enumerated().map { (Array(Self.baseName($1).utf8), $0) }) { _, _ in
            Self.ambiguous
        }
    }

    /// Finds the sample of each name, nil where there is none.
    ///
    /// - Parameter location: the source, for errors.
    /// - Throws: `DatasetError` with the code `ambiguousName` where a name could be several samples'.
    package func match(_ names: [String], at location: String) throws -> (
        samples: [Int?], matching: MaskTally.Matching
    ) {
        let exact = names.map { indices[Array($0.utf8)] }
        if exact.contains(where: { $0 != nil }) {
            try check(exact, names, at: location)
            return (exact, .id)
        }
        let byBaseName = names.map { indicesByBaseName[Array(Self.baseName($0).utf8)] }
        try check(byBaseName, names, at: location)
        return (byBaseName, .baseName)
    }

    private func check(_ found: [Int?], _ names: [String], at location: String) throws {
        guard let position = found.firstIndex(of: Self.ambiguous) else { return }
        let baseName = Self.baseName(names[position])
        let fitting = ids.filter { Self.baseName($0) == baseName }.prefix(MaskTally.Names.shownCount)
        throw DatasetError(
            .ambiguousName, path: location,
            "“\(names[position])” could be the sample \(fitting.map { "“\($0)”" }.joined(separator: " or ")); give "
                + "the masks the folders of the samples' ids")
    }

    /// The error for a source of which no name is a sample's.
    ///
    /// - Parameters:
    ///   - what: what the names are of: `masks`.
    ///   - remedy: what may help beside renaming.
    func noMatch(of names: [String], what: String, remedy: Message, at location: String) -> DatasetError {
        func some(_ names: [String]) -> String {
            names.prefix(MaskTally.Names.shownCount).map { "“\($0)”" }.joined(separator: ", ")
                + (names.count > MaskTally.Names.shownCount ? ", …" : "")
        }
        let fault =
            "none of the \(names.count) \(what) (\(some(names))) is for a sample of the dataset, whose ids are "
            + "\(some(ids)). "
        return DatasetError(.unmatchedMasks, path: location, Message(fault) + remedy)
    }

    static func baseName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// The sample that a name is of as a whole id.
    func index(ofId id: String) -> Int? {
        indices[Array(id.utf8)].flatMap { $0 == Self.ambiguous ? nil : $0 }
    }

    func index(ofBaseName name: String) -> Int? {
        indicesByBaseName[Array(name.utf8)].flatMap { $0 == Self.ambiguous ? nil : $0 }
    }
}
