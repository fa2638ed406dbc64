package import RRFormats

/// Which folders are splits of a dataset.
public enum SplitFolders: Hashable, Sendable {
    /// Those that are called as splits are: `train`, `Testing`, `valid`, ….
    case byName
    /// None: a folder of whatever name is one as any other.
    case none
    /// Those that are named; what is beside them is left out.
    case named([Named])

    /// A split, and the folder that holds it.
    public struct Named: Hashable, Sendable {
        public let split: String
        /// A folder on the first level.
        public let folder: String

        public init(split: String, folder: String) {
            self.split = split
            self.folder = folder
        }
    }

    /// The split that a name stands for by habit, `train`, `val` or `test`; nil where it says nothing of the kind.
    ///
    /// Case, separators and what people put behind it do not matter: `Training`, `TEST`, `val_set`, `train2017`.
    package static func usualName(for name: String) -> String? {
        var word = name.lowercased().filter { !"_-. ".contains($0) }
        while let last = word.last, last.isNumber { word.removeLast() }
        for ending in ["dataset", "set", "data", "images", "imgs", "split", "folder"]
        where word.hasSuffix(ending) && word.count > ending.count {
            word.removeLast(ending.count)
            break
        }
        return switch word {
        case "train", "training", "trn": "train"
        case "val", "valid", "validation", "validate", "dev", "devel", "development": "val"
        case "test", "testing", "tst", "holdout", "heldout": "test"
        default: nil
        }
    }

    /// The split of each name among folders beside each other that stands for one.
    ///
    /// That is so by habit; or where all names are one but for the name of a split in it, as `cv_train` and `cv_test` are, or
    /// `01_train` and `02_test`.
    package static func usualNames(for names: [String]) -> [String: String] {
        let usual = names.compactMap { name in usualName(for: name).map { (name, $0) } }
        guard usual.isEmpty, names.count > 1 else {
            return Dictionary(usual) { first, _ in first }
        }
        let parts = names.compactMap(partsOfName)
        guard parts.count == names.count, Set(parts.map(\.rest)).count == 1,
            Set(parts.map(\.split)).count == names.count
        else { return [:] }
        return Dictionary(zip(names, parts.map(\.split))) { first, _ in first }
    }

    /// The one word of a name that stands for a split, and the others; nil where there is none, or several.
    private static func partsOfName(_ name: String) -> (split: String, rest: [String])? {
        var words: [String] = []
        var isInWord = false
        var last: Character = " "
        for character in name {
            let begins = !isInWord || (character.isUppercase && last.isLowercase)
            isInWord = character.isLetter
            if isInWord, begins { words.append("") }
            if isInWord { words[words.count - 1].append(contentsOf: character.lowercased()) }
            last = character
        }
        let splits = words.compactMap(usualName)
        guard splits.count == 1 else { return nil }
        return (splits[0], words.filter { usualName(for: $0) == nil })
    }

    /// Takes names for one that differ only in capitals and spaces: `Train`, `train `.
    ///
    /// - Returns: the number of each name among those that are left, these, and a line for each that was taken in.
    static func merging(_ names: [String]) -> (numbers: [Int], names: [String], notes: [Message]) {
        func plain(_ name: String) -> String { name.lowercased().filter { $0 != " " } }
        let alike = Dictionary(grouping: names.indices) { plain(names[$0]) }
        let doubled = alike.filter { $1.count > 1 }.sorted { $0.key < $1.key }
        guard !doubled.isEmpty else { return (Array(names.indices), names, []) }
        var kept = Array(names.indices)
        var notes: [Message] = []
        for (name, positions) in doubled {
            let best = positions.first { names[$0] == name } ?? positions[0]
            for position in positions { kept[position] = best }
            let listed = positions.map { "“\(names[$0])”" }.joined(separator: ", ")
            notes.append("the splits \(listed) are taken for one, “\(names[best])”")
        }
        let left = Set(kept).sorted()
        return (kept.map { left.firstIndex(of: $0) ?? 0 }, left.map { names[$0] }, notes)
    }

    /// The names that splits have without a doubt.
    package static let usualNames = ["test", "train", "val"]
}

/// The folders of a dataset that are its splits, and what to say of those beside them.
package struct SplitFolderList {
    /// In the order of the splits' names, folders of one split together; empty where there are no splits.
    package private(set) var parts: [SplitFolders.Named] = []
    /// What those who import should know of the reading.
    package private(set) var notes: [Message] = []

    /// What folders hold, as far as it tells a split from a class.
    package enum Content {
        /// Class folders, within splits or without.
        case classes
        /// Files, at any depth, whose folders have no meaning.
        case files
    }

    /// Finds the splits among the folders on the first level.
    ///
    /// - Parameters:
    ///   - choice: what is asked for.
    ///   - folders: the names of the folders on the first level.
    ///   - content: what they hold.
    ///   - holdsImages: whether a folder has image files on its own first level.
    /// - Throws: `DatasetError` with the code `badFolderStructure` where names can be read in two ways, or
    ///   `invalidOption` where a folder that is asked for is not there; what `holdsImages` throws.
    package init(
        _ choice: SplitFolders, among folders: [String], of path: String, content: Content,
        holdsImages: (String) throws -> Bool
    ) throws {
        switch choice {
        case .none: break
        case .named(let named):
            for part in named where !folders.contains(part.folder) {
                throw DatasetError(
                    .invalidOption, path: path,
                    "\(option: .splits): there is no folder “\(part.folder)”, only \(Self.list(folders))"
                        + NearestNames(to: part.folder, among: folders).question)
            }
            parts = Self.sorted(named)
            let others = folders.filter { folder in !named.contains { $0.folder == folder } }
            if !others.isEmpty { notes.append("left out, since in none of the splits: \(Self.list(others))") }
        case .byName: try find(among: folders, of: path, content, holdsImages)
        }
    }

    private mutating func find(
        among folders: [String], of path: String, _ content: Content, _ holdsImages: (String) throws -> Bool
    ) throws {
        let usual = SplitFolders.usualNames(for: folders)
        let named = folders.compactMap { folder in
            usual[folder].map { SplitFolders.Named(split: $0, folder: folder) }
        }
        guard !named.isEmpty else { return }
        let unusual = named.filter { !SplitFolders.usualNames.contains($0.folder) }
        let others = folders.filter { folder in !named.contains { $0.folder == folder } }
        let asSplits: Message =
            "\(option: .splits) \(named.map { "\($0.split)=\($0.folder)" }.joined(separator: ",")) takes them as splits"
        let found = Self.list(named.map(\.folder))
        func ambiguous(_ message: Message) -> DatasetError {
            DatasetError(.badFolderStructure, path: path, message)
        }
        guard others.isEmpty else {
            let isSplit = unusual.count < named.count || Set(named.map(\.split)).count > 1
            let isAmongClasses =
                try !isSplit && (content == .files || named.allSatisfy { try holdsImages($0.folder) })
            guard isAmongClasses else {
                throw ambiguous(
                    "\(found) would be splits, but \(Self.list(others)) beside them would not; beside train, val and "
                        + "test there can be no other folder: \(asSplits) and leaves the others out, "
                        + "\(option: .noSplits) takes all alike")
            }
            notes.append("the folder \(found) is read as those beside it are; \(asSplits)")
            return
        }
        let doubled = Dictionary(grouping: named, by: \.split).values.first { $0.count > 1 }
        if let doubled {
            throw ambiguous(
                "\(Self.list(doubled.map(\.folder))) would all be the split \(doubled[0].split); say which are splits: "
                    + "\(asSplits), \(option: .noSplits) takes none as one")
        }
        if content == .classes, let folder = try unusual.first(where: { try holdsImages($0.folder) }) {
            throw ambiguous(
                "\(found) may be splits or classes, since \(folder.folder) holds images and no class folders: "
                    + "\(option: .labels) none takes them as splits without labels, \(option: .noSplits) as classes"
            )
        }
        parts = Self.sorted(named)
        if !unusual.isEmpty {
            let pairs = unusual.map { "\($0.folder) as \($0.split)" }.joined(separator: ", ")
            notes.append("folders are read as splits: \(pairs); \(option: .noSplits) takes them as they are")
        }
    }

    private static func sorted(_ parts: [SplitFolders.Named]) -> [SplitFolders.Named] {
        parts.sorted { left, right in
            (left.split == right.split ? left.folder : left.split).utf8.lexicographicallyPrecedes(
                (left.split == right.split ? right.folder : right.split).utf8)
        }
    }

    /// Up to five names.
    private static func list(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }
}

extension OptionName {
    static let splits = OptionName("splits")
    static let noSplits = OptionName("SplitFolders.none")
}
