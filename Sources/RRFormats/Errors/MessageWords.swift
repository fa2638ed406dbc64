// What every interface calls the options and operations of which messages speak, each in its own spelling.

extension OptionName {
    /// Options that are not called by the words of their names in the library.
    private static let words: [String: String] = [
        "SplitFolders.none": "no-splits",
        "augmentation": "augment",
        "dropsLast": "drop-last",
        "isShuffled": "shuffle",
        "resizing": "size",
        "threadCount": "jobs",
        "trustsLinks": "trust-links",
    ]

    /// `masks-layout` for `masksLayout`
    package var words: String { Self.words[name] ?? name.hyphenated }
}

extension OperationName {
    private static let words: [String: String] = [
        "ArrayExport(.hdf5)": "export hdf5",
        "ArrayExport(.npy)": "export npy",
        "ArrayImport": "import hdf5",
        "BatchStream": "stream",
        "FileDescription": "info",
        "ImageFolderImport(.images)": "import images",
        "ImageFolderImport(.pngs)": "import pngs",
        "TrainingLoop": "train",
    ]

    /// `import hdf5` for `ArrayImport`; nil for an operation that no interface offers.
    package var words: String? { Self.words[name] }
}

extension String {
    /// `masks-layout` for `masksLayout`
    package var hyphenated: String {
        var words = ""
        for character in self {
            if character.isUppercase { words += "-" }
            words += character.lowercased()
        }
        return words
    }
}
