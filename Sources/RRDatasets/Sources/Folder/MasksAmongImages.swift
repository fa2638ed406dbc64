internal import RRFormats

/// The files of a folder that are masks of other files in it, as their names say: `x_mask.png` and `x_mask_1.png` beside
/// `x.png`, `masks/x.png` beside `images/x.png`.
struct MasksAmongImages {
    /// The positions of the masks of each image, by the image's position; images without one are left out.
    private(set) var masksOfImages: [Int: [Int]] = [:]
    /// The positions of files that are called as masks are, but whose image is not there.
    private(set) var withoutImage: [Int] = []

    /// Whether a file is called as a mask of another one is that is there.
    var isEmpty: Bool { masksOfImages.isEmpty }

    /// Looks through paths, given relative to a folder.
    init(_ paths: TextList) {
        let candidates = paths.indices.filter { position in
            paths.withUTF8(at: position) { Self.maySayMask($0) }
        }
        guard !candidates.isEmpty else { return }
        var positions: [String: Int] = [:]
        positions.reserveCapacity(paths.count)
        var imageFolders: Set<Substring> = []
        for position in paths.indices {
            let path = paths[position]
            positions[ImageNames.stem(of: path)] = position
            for component in path.split(separator: "/").dropLast() where Self.isImageFolder(component) {
                imageFolders.insert(component)
            }
        }
        for position in candidates {
            let path = ImageNames.stem(of: paths[position])
            let names = Self.imageNames(of: path, imageFolders: imageFolders)
            if let image = names.lazy.compactMap({ positions[$0] }).first(where: { $0 != position }) {
                masksOfImages[image, default: []].append(position)
            } else if !names.isEmpty {
                withoutImage.append(position)
            }
        }
        // A mask of a mask is none: then the names mean something else.
        let masks = Set(masksOfImages.values.joined())
        masksOfImages = masksOfImages.filter { !masks.contains($0.key) }
    }

    private static let words = [
        "mask", "masks", "segmentation", "segmentations", "seg", "annotation", "annotations", "gt",
        "groundtruth", "ground_truth", "label", "labels", "roi", "lesion", "annotated",
    ]

    /// Whether a word of a folder's name says that images are in it: `JPEGImages`, `train_images`, `imagesTr`.
    private static func isImageFolder(_ name: Substring) -> Bool {
        wordsOfFolder(name).contains { imageWords.contains($0) }
    }

    /// Whether a word of a folder's name says that masks are in it: `SegmentationClass`, `train_masks`, `labelsTr`.
    private static func isMaskFolder(_ name: Substring) -> Bool {
        let lowered = name.lowercased().replacing(" ", with: "_")
        return (words.contains(lowered) && lowered != "lesion")
            || wordsOfFolder(name).contains { folderWords.contains($0) }
    }

    private static let imageWords: Set = [
        "images", "image", "imgs", "img", "pngs", "png", "photos", "photo", "originals", "original",
    ]
    private static let folderWords: Set = [
        "mask", "masks", "segmentation", "segmentations", "seg", "segs", "annotation", "annotations", "ann",
        "anns", "gt",
        "groundtruth", "label", "labels", "roi", "rois",
    ]

    /// The words of a name in small letters: `jpeg`, `images` for `JPEGImages`.
    private static func wordsOfFolder(_ name: Substring) -> [String] {
        var words: [String] = []
        let characters = Array(name)
        for (position, character) in characters.enumerated() where character.isLetter {
            let before = position > 0 ? characters[position - 1] : " "
            let after = position + 1 < characters.count ? characters[position + 1] : " "
            let begins =
                !before.isLetter
                || (character.isUppercase
                    && (before.isLowercase || (after.isLowercase && before.isUppercase)))
            if begins { words.append("") }
            words[words.count - 1] += character.lowercased()
        }
        return words
    }

    /// Whether bytes hold a word of masks at all: a quick look, since most paths do not.
    private static func maySayMask(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        path.indices.contains { start in
            (start == 0 || separators.contains(path[start - 1]))
                && stems.contains { stem in
                    path.count - start >= stem.count
                        && zip(stem, path[start...]).allSatisfy { $0 == $1 | 0x20 }
                }
        }
    }

    private static let separators = Array("/_- .".utf8)
    private static let stems = ["mask", "seg", "ann", "gt", "ground", "label", "roi", "lesion"].map {
        Array($0.utf8)
    }

    /// What the image of a mask may be called, all paths without their extensions; empty where the path is called as that
    /// of no mask.
    private static func imageNames(of path: String, imageFolders: Set<Substring>) -> [String] {
        let components = path.split(separator: "/")
        guard let name = components.last else { return [] }
        let folder = components.dropLast()
        let bare = nameWithoutWord(name)
        var found: [String] = []
        for bare in [bare, nameWithoutFirstWord(name)].compactMap(\.self) {
            found.append((folder + [bare]).joined(separator: "/"))
        }
        for depth in folder.indices where isMaskFolder(folder[depth]) {
            for imageFolder in imageFolders.sorted() {
                var other = Array(folder)
                other[depth] = imageFolder
                // nnU-Net numbers the channels of an image, of which a PNG file is the first.
                for name in [name, name + "_0000"] + (bare.map { [$0] } ?? []) {
                    found.append((other + [name]).joined(separator: "/"))
                }
            }
        }
        return found
    }

    /// `x` for `mask_x`; nil for a name without such a beginning.
    private static func nameWithoutFirstWord(_ name: Substring) -> Substring? {
        let lowered = name.lowercased()
        let beginnings = words.flatMap { word in ["_", "-", " "].map { word + $0 } }
        guard let beginning = beginnings.filter({ lowered.hasPrefix($0) }).max(by: { $0.count < $1.count }),
            lowered.count == name.count, name.count > beginning.count
        else { return nil }
        return name.dropFirst(beginning.count)
    }

    /// `x` for `x_mask`, `x-Mask-2` and `x_ground_truth`; nil for a name without such an ending.
    private static func nameWithoutWord(_ name: Substring) -> Substring? {
        var rest = name
        while rest.last?.isNumber == true { rest.removeLast() }
        if rest.count < name.count { while let last = rest.last, "_- ".contains(last) { rest.removeLast() } }
        let lowered = rest.lowercased()
        let endings = words.flatMap { word in ["_", "-", " ", "."].map { $0 + word } }
        guard let ending = endings.filter({ lowered.hasSuffix($0) }).max(by: { $0.count < $1.count }),
            lowered.count == rest.count, rest.count > ending.count
        else { return nil }
        return rest.dropLast(ending.count)
    }
}

extension PNGFileList {
    /// Tells images and masks in one list apart, or refuses it.
    ///
    /// - Parameter choice: whether files that are called as masks of others are their masks; nil where nobody says it.
    /// - Throws: `DatasetError` with the code `masksAmongImages` where there are such files and nobody says what they are.
    mutating func separateMasks(
        _ choice: Bool?, of kinds: ImageFolderOptions.Files, in folder: String
    ) throws(DatasetError) {
        guard choice != false else { return }
        let found = MasksAmongImages(paths)
        guard let first = found.masksOfImages.min(by: { $0.key < $1.key }) else { return }
        let masks = found.masksOfImages.values.joined()
        guard choice == true else {
            throw Self.refusal(
                in: folder, kinds, image: paths[first.key], mask: paths[first.value[0]], count: masks.count)
        }
        let left = Set(masks).union(found.withoutImage)
        let kept = paths.indices.filter { !left.contains($0) }
        let files = kept.map { image in (found.masksOfImages[image] ?? []).map { paths[$0] } }
        if !found.withoutImage.isEmpty {
            let names = found.withoutImage.prefix(3).map { paths[$0] }.joined(separator: ", ")
            notes.append(
                "masks whose image is not there: \(found.withoutImage.count) (\(names)\(found.withoutImage.count > 3 ? ", …" : ""))"
            )
        }
        self = keeping(kept)
        maskPaths = files
    }

    private static func refusal(
        in folder: String, _ kinds: ImageFolderOptions.Files, image: String, mask: String, count: Int
    ) -> DatasetError {
        let (imageFolder, maskFolder) = (image.prefix { $0 != "/" }, mask.prefix { $0 != "/" })
        let places: Message =
            imageFolder != maskFolder && image.contains("/")
            ? "/\(imageFolder) \(option: .masks) \(folder)/\(maskFolder)" : " \(option: .masksAmongImages)"
        return DatasetError(
            .masksAmongImages, path: folder,
            "\(count) \(count == 1 ? "file seems a mask" : "files seem masks") and no images, such as \(mask) of \(image): "
                + "`\(operation: .importFolder(of: kinds)) \(folder)\(places) \(option: .masksOutput) MASKS.h5 …` imports both, "
                + "\(option: .noMasksAmongImages) takes them for images")
    }
}

extension OptionName {
    static let masks = OptionName("masks")
    static let masksAmongImages = OptionName("masksAmongImages")
    static let noMasksAmongImages = OptionName("masksAmongImages = false")
    static let masksOutput = OptionName("masksOutput")
}
