internal import RRFormats

extension Message {
    /// The message as those know it who use this interface: options by the names of their JSON, operations by those that
    /// packages in other languages have.
    var interfaceText: String {
        text { part in
            switch part {
            case .text(let text): text
            case .option(let option): option.interfaceName
            case .operation(let operation): operation.interfaceName
            }
        }
    }
}

extension OptionName {
    /// Options of the library that the interface does not name by their words.
    private static let names: [String: String] = [
        "SplitFolders.none": "no_splits",
        "augmentation": "augment",
        "completesFiles": "truncated",
        "dropsLast": "drop_last",
        "isShuffled": "shuffle",
        "masksAmongImages = false": "masks_among_images false",
        "resizing": "size",
        "threadCount": "jobs",
        "trustsLinks": "trust_links",
    ]

    /// `masks_layout` for `masksLayout`
    var interfaceName: String { Self.names[name] ?? name.separated(by: "_") }
}

extension OperationName {
    private static let names: [String: String] = [
        "ArrayExport(.hdf5)": "export_hdf5",
        "ArrayExport(.npy)": "export_npy",
        "ArrayImport": "import_hdf5",
        "BatchStream": "stream",
        "FileDescription": "info",
        "ImageFolderImport(.images)": "import_images",
        "ImageFolderImport(.pngs)": "import_pngs",
        "TrainingLoop": "train",
    ]

    fileprivate var interfaceName: String { Self.names[name] ?? name }
}

extension String {
    /// `checksum-mismatch` for `checksumMismatch`
    var hyphenated: String { separated(by: "-") }

    /// The words of a name in camel case, small.
    fileprivate func separated(by separator: String) -> String {
        var words = ""
        for character in self {
            if character.isUppercase { words += separator }
            words += character.lowercased()
        }
        return words
    }
}
