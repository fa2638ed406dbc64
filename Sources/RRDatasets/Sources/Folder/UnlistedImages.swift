internal import Glibc
internal import RRFormats

/// The image files of a folder that its lists do not name.
enum UnlistedImages {
    /// What those should know who import a folder by a list that leaves out some of its images; nil where none is left out.
    ///
    /// Where there are as many files as the list names, the names are not looked at.
    ///
    /// - Parameter lists: the listed paths, relative to the folder.
    static func note(besides lists: [TextList], _ kinds: ImageFolderOptions.Files, in folder: String)
        -> Message?
    {
        let listedCount = lists.reduce(0) { $0 + $1.count }
        guard fileCount(of: folder, kinds) > listedCount else { return nil }
        var names = Set<[UInt8]>(minimumCapacity: listedCount)
        for list in lists {
            for position in list.indices { names.insert(list.withUTF8(at: position) { Array($0) }) }
        }
        var count = 0
        var first: [String] = []
        try? FolderListing(of: folder).visitFiles { file in
            guard file.isImage(kinds), !names.contains(Array(file.path.utf8)) else { return }
            count += 1
            if first.count < 3 { first.append(file.path) }
        }
        guard count > 0 else { return nil }
        return
            "left out, since the list does not name them: \(count) images (\(first.joined(separator: ", "))\(count > 3 ? ", …" : ""))"
    }

    /// The number of image files in and below a folder, as fast as it can be told: links to folders are not followed.
    private static func fileCount(of folder: String, _ kinds: ImageFolderOptions.Files) -> Int {
        guard let stream = opendir(folder) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream) {
            let isFolder = Int(entry.pointee.d_type) == DT_DIR
            let name: String? = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                let bytes = bytes.bindMemory(to: UInt8.self)
                let name = UnsafeBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: 0) ?? bytes.count)])
                guard name.first != UInt8(ascii: ".") else { return nil }
                if isFolder { return String(decoding: name, as: UTF8.self) }
                if ImageNames.stemLength(of: name, kinds) != nil { count += 1 }
                return nil
            }
            if let name { count += fileCount(of: folder + "/" + name, kinds) }
        }
        return count
    }
}
