internal import RRDatasets
package import RRFormats

/// Finds the samples that names in a source of masks are of.
///
/// A name is a sample's id; or, where no name at all is one, the last component of an id's path, if the folders before it
/// do not say otherwise. Names whose bytes are no id's are compared as Unicode does: an `é` of two characters is an `é`.
package struct SampleNames: Sendable {
    private static let ambiguous = -1

    let ids: [String]
    private let indices: [String: Int]
    /// The samples by the last component of their ids' paths.
    private let indicesByBaseName: [String: Int]
    private let folders: SampleFolders

    /// - Parameter belonging: the class and the split of a sample.
    package init(
        ids: [String], belonging: (Int) -> SampleFolders.Belonging = { _ in SampleFolders.Belonging() }
    ) {
        self.ids = ids
        indices = Dictionary(ids.enumerated().map { ($1, $0) }) { _, _ in Self.ambiguous }
        indicesByBaseName = Dictionary(ids.enumerated().map { (Self.baseName($1), $0) }) { _, _ in
            Self.ambiguous
        }
        folders = SampleFolders(ids: ids, belonging: belonging)
    }

    /// The samples of names, and how they were found.
    package struct Match {
        /// The sample of each name, nil where there is none.
        package let samples: [Int?]
        package let matching: MaskTally.Matching
        /// A name that is no whole id, and the id that it was taken for.
        package var example: (name: String, id: String)?
    }

    /// Finds the sample of each name.
    ///
    /// - Parameters:
    ///   - location: the source, for errors.
    ///   - checksStrangers: whether folders that are called as no class may not stand where one would.
    ///   - folderRemedy: what to do where the folder of a name, which is given, has no meaning.
    /// - Throws: `DatasetError` with the code `ambiguousName` where a name could be several samples', or
    ///   `contradictoryFolder` where its folders are those of another class or split than its sample's.
    package func match(
        _ names: [String], at location: String, checksStrangers: Bool = false,
        folderRemedy: (String) -> Message = { "leave “\($0)/” out of the names" }
    ) throws -> Match {
        let exact = names.map { name in Self.spellings(of: name).lazy.compactMap(index(of:)).first }
        if exact.contains(where: { $0 != nil }) {
            if let position = exact.firstIndex(of: Self.ambiguous) {
                throw ambiguity(
                    of: names[position], among: ids.filter { $0 == names[position] }, at: location)
            }
            return Match(samples: exact, matching: .id)
        }
        var candidates: [String: [Int]]?
        var found: [Int?] = []
        var example: (String, String)?
        for name in names {
            // A backslash parts folders only where no id has it.
            let path = Self.spellings(of: name).last ?? name
            let baseName = Self.baseName(path)
            var sample = indicesByBaseName[baseName]
            if sample == Self.ambiguous {
                let all = candidates ?? Dictionary(grouping: ids.indices) { Self.baseName(ids[$0]) }
                candidates = all
                sample = closest(to: path, among: all[baseName] ?? [])
                if sample == nil {
                    throw ambiguity(of: name, among: (all[baseName] ?? []).map { ids[$0] }, at: location)
                }
            }
            if let sample {
                try folders.check(path, isOf: sample, withId: ids[sample], at: location, remedy: folderRemedy)
                if example == nil, path != ids[sample] { example = (name, ids[sample]) }
            }
            found.append(sample)
        }
        if checksStrangers {
            let matches = zip(names, found).compactMap { name, sample in
                sample.map { (path: Self.spellings(of: name).last ?? name, sample: $0) }
            }
            try folders.checkStrangers(matches, ids: ids, at: location, remedy: folderRemedy)
        }
        return Match(samples: found, matching: .baseName, example: example)
    }

    /// The sample whose id ends with the most folders of a path; nil where several do, or none.
    private func closest(to path: String, among samples: [Int]) -> Int? {
        let parts = path.split(separator: "/")
        let shared = samples.map { sample in
            zip(ids[sample].split(separator: "/").reversed(), parts.reversed()).prefix { $0 == $1 }.count
        }
        guard let most = shared.max(), most > 1, shared.count(where: { $0 == most }) == 1 else { return nil }
        return shared.firstIndex(of: most).map { samples[$0] }
    }

    private func ambiguity(of name: String, among ids: [String], at location: String) -> DatasetError {
        let fitting = ids.prefix(MaskTally.Names.shownCount)
        return DatasetError(
            .ambiguousName, path: location,
            "“\(name)” could be the sample \(fitting.map { "“\($0)”" }.joined(separator: " or ")); give "
                + "the masks the folders of the samples' ids")
    }

    /// A name as it stands, and with the separators of Windows and the start `./` read as what they mean.
    private static func spellings(of name: String) -> [String] {
        guard name.utf8.contains(UInt8(ascii: "\\")) || name.hasPrefix("./") else { return [name] }
        let path = name.replacing("\\", with: "/")
        return [name, path.hasPrefix("./") ? String(path.dropFirst(2)) : path]
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
        index(of: id).flatMap { $0 == Self.ambiguous ? nil : $0 }
    }

    func index(ofBaseName name: String) -> Int? {
        indicesByBaseName[name].flatMap { $0 == Self.ambiguous ? nil : $0 }
    }

    /// To Swift two strings that differ only in their Unicode normalisation are equal; among ids that are, bytes decide.
    private func index(of id: String) -> Int? {
        guard let index = indices[id] else { return nil }
        guard index == Self.ambiguous else { return index }
        return ids.firstIndex { $0.utf8.elementsEqual(id.utf8) } ?? Self.ambiguous
    }
}
