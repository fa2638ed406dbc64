internal import RRFormats

// The texts by which interfaces take how a folder is read.

extension ImageSize {
    /// Reads `HEIGHTxWIDTH`, each from 1 to 1,000,000; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = Int(parts[0]), let width = Int(parts[1]),
            1...1_000_000 ~= height, 1...1_000_000 ~= width
        else { return nil }
        self.init(height: height, width: width)
    }
}

extension SplitFolders {
    /// Reads `train=Training,test=Testing`; nil for anything else.
    package init?(_ text: String) {
        guard let pairs = namedValues(in: text), Set(pairs.map(\.value)).count == pairs.count else {
            return nil
        }
        self = .named(pairs.map { Named(split: $0.name, folder: $0.value) })
    }
}

/// The values of a list's column that stand for splits.
package struct SplitValues: Sendable {
    /// The split of each value.
    package let names: [String: String]

    /// Reads `train=0,val=1,test=2`; nil for anything else.
    package init?(_ text: String) {
        guard let pairs = namedValues(in: text), Set(pairs.map(\.value)).count == pairs.count else {
            return nil
        }
        names = Dictionary(uniqueKeysWithValues: pairs.map { ($0.value, $0.name) })
    }
}

/// What the columns of a list are called.
package struct ImageListColumnNames: Sendable {
    private let columns: [String: [String]]

    /// Reads `file=img_filename,label=y,group=y+place`; nil for anything else.
    package init?(_ text: String) {
        guard let pairs = namedValues(in: text), Set(pairs.map(\.name)).count == pairs.count else {
            return nil
        }
        columns = Dictionary(
            uniqueKeysWithValues: pairs.map { ($0.name, $0.value.split(separator: "+").map(String.init)) })
        let isSound = columns.allSatisfy { name, columns in
            switch name {
            case "file", "split", "mask": columns.count == 1
            case "label", "group": !columns.isEmpty
            default: false
            }
        }
        guard isSound else { return nil }
    }

    package func apply(to options: inout ImageListOptions) {
        options.fileName = columns["file"]?.first ?? options.fileName
        options.label = columns["label"]
        options.split = columns["split"]?.first
        options.group = columns["group"]
        options.maskFileName = columns["mask"]?.first
    }
}

/// `what=value` pairs with commas between them, in order; nil for anything else.
private func namedValues(in text: String) -> [(name: String, value: String)]? {
    let pairs = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    }
    guard pairs.allSatisfy({ $0.count == 2 && !$0[0].isEmpty && !$0[1].isEmpty }) else { return nil }
    return pairs.map { (String($0[0]), String($0[1])) }
}
