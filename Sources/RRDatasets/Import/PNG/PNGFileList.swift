internal import RRFormats

/// The image files of an import in the order of the samples to be: by split, class and path, bytewise by path component.
///
/// It takes about the bytes of a path and twenty more for each file.
struct PNGFileList {
    /// The paths relative to the folder.
    var paths = TextList()
    /// A class for each file; nil without labels.
    var labels: [Int32]?
    /// The names of the classes; nil without labels, or where they are bare numbers.
    var classNames: [String]?
    /// A number of `splitNames` for each file; empty where there is one split.
    var splits: [UInt8] = []
    /// The names of the splits, sorted; empty where there is one.
    var splitNames: [String] = []
    /// The group of each file; nil without groups.
    var groups: SampleGroups?
    /// The path of each file's mask relative to the folder, empty where it has none; nil where no file has one.
    var maskPaths: TextList?
    /// The number of files that are no PNG by their names.
    var otherFileCount = 0

    var count: Int { paths.count }

    /// The paths without their extension, which are the ids.
    var ids: some RandomAccessCollection<String> {
        paths.lazy.map { path in String(decoding: path.utf8.dropLast(4), as: UTF8.self) }
    }

    /// The list without some of its files.
    func keeping(_ positions: [Int]) -> PNGFileList {
        var list = self
        list.paths = paths.keeping(positions)
        list.labels = labels.map { labels in positions.map { labels[$0] } }
        if !splits.isEmpty { list.splits = positions.map { splits[$0] } }
        list.groups = groups?.keeping(positions)
        list.maskPaths = maskPaths?.keeping(positions)
        return list
    }

    /// Whether a name ends in `.png`, in letters of either case.
    static func isPNG(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count > 4 else { return false }
        let end = name.count - 4
        return name[end] == UInt8(ascii: ".") && name[end + 1] | 0x20 == UInt8(ascii: "p")
            && name[end + 2] | 0x20 == UInt8(ascii: "n") && name[end + 3] | 0x20 == UInt8(ascii: "g")
    }
}
