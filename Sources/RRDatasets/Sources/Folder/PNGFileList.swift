package import RRFormats

/// The image files of an import in the order of the samples to be: by split, class and path, bytewise by path component.
///
/// It takes about the bytes of a path and twenty more for each file.
package struct PNGFileList {
    /// The paths relative to the folder.
    package var paths = TextList()
    /// A class for each file; nil without labels.
    package var labels: [Int32]?
    /// The names of the classes; nil without labels, or where they are bare numbers.
    package var classNames: [String]?
    /// A number of `splitNames` for each file; empty where there is one split.
    package var splits: [UInt8] = []
    /// The names of the splits, sorted; empty where there is one.
    package var splitNames: [String] = []
    /// The group of each file; nil without groups.
    package var groups: SampleGroups?
    /// The paths of each file's masks relative to the folder, none or several; nil where nothing names them.
    package var maskPaths: [[String]]?
    /// The number of files that are no PNG by their names.
    package var otherFileCount = 0
    /// How the folder was read, where that is not as plain as day.
    package var notes: [Message] = []

    package var count: Int { paths.count }

    /// The path of a file without its extension, which is its id.
    package func id(at position: Int) -> String {
        paths.withUTF8(at: position) { String(decoding: $0.dropLast(4), as: UTF8.self) }
    }

    /// What the list says of its files, without their ids.
    package var table: SampleTable {
        SampleTable(
            labels: labels.map { $0.map { Int($0) } }, classNames: classNames,
            splits: splits.isEmpty ? nil : splits, splitNames: splitNames, groups: groups)
    }

    /// The list without some of its files.
    package func keeping(_ positions: [Int]) -> PNGFileList {
        var list = self
        list.paths = paths.keeping(positions)
        list.labels = labels.map { labels in positions.map { labels[$0] } }
        if !splits.isEmpty { list.splits = positions.map { splits[$0] } }
        list.groups = groups?.keeping(positions)
        list.maskPaths = maskPaths.map { paths in positions.map { paths[$0] } }
        return list
    }

    /// Whether a name ends in `.png`, in letters of either case.
    package static func isPNG(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count > 4 else { return false }
        let end = name.count - 4
        return name[end] == UInt8(ascii: ".") && name[end + 1] | 0x20 == UInt8(ascii: "p")
            && name[end + 2] | 0x20 == UInt8(ascii: "n") && name[end + 3] | 0x20 == UInt8(ascii: "g")
    }
}
