internal import RRDatasets
internal import RRFormats

/// The folders and classes of a dataset's samples, which a mask's folders must not contradict.
package struct SampleFolders: Sendable {
    /// Names of folders and classes, in small letters.
    private let known: Set<String>
    private let belongings: [Belonging]

    /// What a sample belongs to, whether its id has folders or not.
    package struct Belonging: Sendable {
        package var className: String?
        package var splitName: String?

        package init(className: String? = nil, splitName: String? = nil) {
            (self.className, self.splitName) = (className, splitName)
        }
    }

    init(ids: [String], belonging: (Int) -> Belonging) {
        belongings = ids.indices.map(belonging)
        var known: Set<String> = []
        for name in Set(belongings.map(\.className)).union(belongings.map(\.splitName)) {
            if let name { known.insert(Self.plain(name)) }
        }
        for id in ids {
            for folder in id.split(separator: "/").dropLast() { known.insert(Self.plain(folder)) }
        }
        self.known = known
    }

    /// Refuses a mask from a folder that is called as another class, folder or split than its sample's.
    ///
    /// - Parameters:
    ///   - path: the mask's name, whose last component is that of the sample's id.
    ///   - remedy: what to do where the folder has no meaning.
    /// - Throws: `DatasetError` with the code `contradictoryFolder` that names both.
    func check(
        _ path: String, isOf sample: Int, withId id: String, at location: String, remedy: (String) -> Message
    ) throws(DatasetError) {
        guard path.contains("/") else { return }
        let own = id.split(separator: "/").dropLast().map(Self.plain)
        let (className, splitName) = (belongings[sample].className, belongings[sample].splitName)
        let splits = Set(
            (own + (splitName.map { [$0] } ?? [])).compactMap { SplitFolders.usualName(for: $0) })
        for folder in path.split(separator: "/").dropLast() {
            let name = Self.plain(folder)
            guard !own.contains(name), name != className.map(Self.plain), name != splitName.map(Self.plain)
            else { continue }
            let split = SplitFolders.usualName(for: String(folder))
            guard known.contains(name) || (split != nil && !splits.isEmpty) else { continue }
            if let split, splits.contains(split) { continue }
            let ofClass = className.map { id.contains("/") ? "" : " of the class “\($0)”" } ?? ""
            throw DatasetError(
                .contradictoryFolder, path: location,
                "the mask “\(path)” would go to the sample “\(id)”\(ofClass), which alone is called so, but the folder "
                    + "“\(folder)” is another one than the sample's; give the masks the folders of the samples' ids. If "
                    + "the folder has no meaning, " + remedy(Self.folder(of: path)))
        }
    }

    /// Refuses masks from a folder that is called as none of the classes, but stands where a class's folder would: all its
    /// masks would go to samples of one class, where there are others.
    ///
    /// A folder whose masks are of several classes has another meaning, and so has one whose name says masks or images, or
    /// has a number in it.
    ///
    /// - Parameters:
    ///   - matches: the names of masks, and the samples that alone are called so.
    ///   - remedy: as that of `check`.
    /// - Throws: `DatasetError` with the code `contradictoryFolder` that names both.
    func checkStrangers(
        _ matches: [(path: String, sample: Int)], ids: [String], at location: String,
        remedy: (String) -> Message
    ) throws(DatasetError) {
        /// The folder of a sample's id that is its class's.
        func group(of sample: Int) -> String? {
            let folders = ids[sample].split(separator: "/").dropLast()
            guard let className = belongings[sample].className else { return folders.first.map(String.init) }
            return folders.contains { Self.plain($0) == Self.plain(className) } ? className : nil
        }
        guard Set(ids.indices.map { group(of: $0) }).count > 1 else { return }
        var groups: [String: Set<String>] = [:]
        var examples: [(folder: String, path: String, sample: Int)] = []
        for (path, sample) in matches {
            guard let own = group(of: sample) else { continue }
            for folder in path.split(separator: "/").dropLast() {
                let name = Self.plain(folder)
                guard !known.contains(name), SplitFolders.usualName(for: String(folder)) == nil,
                    !Self.saysNoClass(folder)
                else { continue }
                if groups[name] == nil { examples.append((name, path, sample)) }
                groups[name, default: []].insert(own)
            }
        }
        guard let found = examples.first(where: { groups[$0.folder]?.count == 1 }) else { return }
        let own = group(of: found.sample) ?? ""
        throw DatasetError(
            .contradictoryFolder, path: location,
            "the mask “\(found.path)” would go to the sample “\(ids[found.sample])”, which alone is called so, and all masks "
                + "of this folder to samples of “\(own)”, which is another name than the folder's; give the masks the folders "
                + "of the samples' ids. If the folder has no meaning, " + remedy(Self.folder(of: found.path)))
    }

    /// Whether a folder's name speaks of masks, images or who made them, or is one of many that are counted.
    private static func saysNoClass(_ folder: some StringProtocol) -> Bool {
        let words = folder.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        return folder.contains(where: \.isNumber)
            || words.contains { word in
                maskWords.contains(word) || otherWords.contains(word)
                    || ["mask", "segment", "annot", "label", "image", "img"].contains(where: word.contains)
            }
    }

    private static let otherWords: Set = [
        "lesion", "lesions", "roi", "rois", "region", "regions", "object", "objects", "png", "pngs", "photo",
        "photos",
        "picture", "pictures", "scan", "scans", "frame", "frames", "part", "batch", "fold", "group", "set",
        "data",
        "dataset", "out", "output", "outputs", "result", "results", "prediction", "predictions", "pred",
        "export", "new",
        "old", "final", "all", "binary", "expert", "experts", "reader", "rater", "annotator", "drawn",
        "manual", "auto",
        "raw", "work", "tmp", "files", "flat", "explanation", "explanations", "reason", "reasons",
    ]

    /// A folder's name without case, separators, a plural, and the words that say that masks are in it: `dog` for `Dogs` and
    /// for `dog_masks`.
    private static func plain(_ folder: some StringProtocol) -> String {
        let all = folder.lowercased().split { !$0.isLetter && !$0.isNumber }
        var words = all
        while words.count > 1, let last = words.last, maskWords.contains(String(last)) { words.removeLast() }
        while words.count > 1, let first = words.first, maskWords.contains(String(first)) {
            words.removeFirst()
        }
        let name = words.joined(separator: " ")
        return name.count > 2 && name.hasSuffix("s") ? String(name.dropLast()) : name
    }

    private static let maskWords: Set = [
        "mask", "masks", "gt", "ground", "truth", "segmentation", "segmentations", "seg", "label", "labels",
        "annotation", "annotations",
    ]

    /// `a/b` for `a/b/c`
    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }
}
