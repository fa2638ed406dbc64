internal import RRDatasets
internal import RRFormats
internal import RRTensor

/// The arrays of a file whose names say what they are, as MedMNIST's and Keras's files have them.
struct NamedSplits {
    let images: [String]
    /// Empty for none.
    let labels: [String]
    let splitNames: [String]

    /// The layout by which such files hold images with channels; nil for the one that the shape says.
    ///
    /// - Throws: `DatasetError` with the code `wrongShape` for volumes, as MedMNIST's 3-D files hold.
    func layout(of images: any ArraySource) throws(DatasetError) -> ArrayLayout? {
        let shape = images.shape
        // MedMNIST's volumes are cubes.
        if shape.rank == 4, shape[1] > 4, shape[1] == shape[2], shape[2] == shape[3] {
            throw DatasetError(
                .wrongShape, path: images.location,
                "the shape \(shape) is of volumes, (N, depth, height, width), as in MedMNIST's 3-D files, and images "
                    + "have no depth. Save slices as images, such as x[:, \(shape[1] / 2)], or read the depth as "
                    + "channels with \(option: .layout) NCHW")
        }
        return shape.rank == 4 && 1...4 ~= shape[3] ? .nhwc : nil
    }

    /// What a name says: a split, and whether its array is of images or labels.
    private struct Meaning: Hashable {
        let split: String
        let isOfLabels: Bool
        /// What the name is without the split: files that mix `x` and `images` hold two sets of images.
        let word: String
    }

    private static let imageWords: Set<String> = ["x", "images", "image", "imgs", "img", "data"]
    private static let labelWords: Set<String> = ["y", "labels", "label", "targets", "target"]

    /// Reads `train_images`, `x_train`, `X_dev`, `valid/images`.
    private static func meaning(of name: String) -> Meaning? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: true)
        guard let last = parts.last else { return nil }
        let words: [Substring] =
            parts.count == 2
            ? parts : parts.count == 1 ? last.split(separator: "_", maxSplits: 1) : []
        guard words.count == 2 else { return nil }
        for (split, word) in [(words[0], words[1]), (words[1], words[0])] {
            let word = word.lowercased()
            let isOfLabels = labelWords.contains(word)
            guard isOfLabels || imageWords.contains(word),
                let known = SplitFolders.usualName(for: String(split))
            else { continue }
            return Meaning(split: known, isOfLabels: isOfLabels, word: word)
        }
        return nil
    }

    /// - Throws: `DatasetError` with the code `invalidOption` where the names do not say, which lists them.
    init(_ names: [String], path: String) throws(DatasetError) {
        let known = names.compactMap { name in Self.meaning(of: name).map { (name, $0) } }
        // The words that belong together go before any others that a file may hold besides.
        for words in [["images", "labels"], ["x", "y"], Self.imageWords.union(Self.labelWords)]
            as [Set<String>]
        {
            var arrays: [String: (images: [String], labels: [String])] = [:]
            for (name, meaning) in known where words.contains(meaning.word) {
                if meaning.isOfLabels {
                    arrays[meaning.split, default: ([], [])].labels.append(name)
                } else {
                    arrays[meaning.split, default: ([], [])].images.append(name)
                }
            }
            let splits = ["train", "val", "test"].filter { arrays[$0]?.images.isEmpty == false }
            let found = splits.compactMap { arrays[$0] }
            let labelCounts = Set(found.map(\.labels.count))
            guard labelCounts == [1] || (labelCounts == [0] && words.count > 2),
                found.allSatisfy({ $0.images.count == 1 })
            else { continue }
            images = found.flatMap(\.images)
            labels = found.flatMap(\.labels)
            splitNames = splits
            return
        }
        throw DatasetError(
            .invalidOption, path: path,
            "name the arrays with \(option: .images), \(option: .labels) and \(option: .masks); the file holds "
                + (names.isEmpty ? "nothing" : names.joined(separator: ", ")))
    }

    /// What a user should know of names that are not those of the splits.
    var note: Message? {
        let renamed = zip(images, splitNames).filter { image, split in
            !image.lowercased().split(whereSeparator: { "/_".contains($0) }).contains { $0 == split }
        }
        guard !renamed.isEmpty else { return nil }
        return Message(
            "arrays taken for splits by their names: "
                + renamed.map { "\($0.0) as \($0.1)" }.joined(separator: ", "))
    }
}
