internal import RRDatasets
internal import RRFormats

/// The places of files that are named by the ids of samples: `train/coat/00018.png` for the id `train/coat/00018`.
struct ExportedPaths {
    /// The longest name that Linux file systems take, in bytes.
    private static let longestName = 255

    /// The path of each sample's file, relative to the folder.
    let files: [String]
    /// The folders to make, each after the one that it lies in.
    let folders: [String]

    /// - Parameter reserved: names in the folder that no sample may take.
    /// - Throws: `DatasetError` with the code `unsafeId`, which names the id: empty or of too long components, `.` and
    ///   `..`, hidden ones, or one that needs a folder where another needs a file.
    init(ids: [String], datasetPath: String, reserved: [String]) throws(DatasetError) {
        // By bytes: to Swift, two strings that differ only in their Unicode normalisation are equal.
        var folderIDs: [[UInt8]: Int] = [:]
        for (index, id) in ids.enumerated() {
            if let fault = Self.fault(of: id) {
                throw Self.unsafe(id, index: index, datasetPath: datasetPath, fault)
            }
            let bytes = Array(id.utf8)
            for end in bytes.indices where bytes[end] == UInt8(ascii: "/") {
                folderIDs[Array(bytes[..<end]), default: index] = min(
                    index, folderIDs[Array(bytes[..<end])] ?? index)
            }
        }
        for (index, id) in ids.enumerated() {
            if let other = folderIDs[Array((id + ".png").utf8)] {
                throw Self.unsafe(
                    id, index: index, datasetPath: datasetPath,
                    "its file \(id).png would stand where sample \(other) (“\(ids[other])”) needs a folder")
            }
        }
        for name in reserved {
            if let index = folderIDs[Array(name.utf8)] {
                throw Self.unsafe(
                    ids[index], index: index, datasetPath: datasetPath,
                    "the name \(name) is needed for a file")
            }
        }
        files = ids.map { $0 + ".png" }
        folders = folderIDs.keys.sorted { $0.lexicographicallyPrecedes($1) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Why an id cannot be a file's name; nil where it can.
    static func fault(of id: String) -> String? {
        let components = id.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if id.utf8.first == UInt8(ascii: "/") { return "it would leave the folder: it begins with /" }
        for (number, component) in components.enumerated() {
            let isLast = number == components.count - 1
            if component.isEmpty { return id.isEmpty ? "it is empty" : "a part of it is empty" }
            if component.elementsEqual("..".utf8) { return "it would leave the folder" }
            if component.elementsEqual(".".utf8) { return "a part of it is “.”" }
            if component.first == UInt8(ascii: ".") {
                return "a part of it begins with a point: such files are hidden, and no import reads them"
            }
            if component.contains(0) { return "it holds a zero byte" }
            if component.count + (isLast ? 4 : 0) > longestName {
                return "a part of it has more than \(longestName - (isLast ? 4 : 0)) bytes"
            }
        }
        return nil
    }

    static func unsafe(
        _ id: String, index: Int, datasetPath: String, _ fault: String
    ) -> DatasetError {
        DatasetError(
            .unsafeId, path: datasetPath,
            "the id of sample \(index), “\(id)”, cannot name a file: \(fault). "
                + ExportSource.exportsOfAnything + " take any id")
    }

    /// Makes the folders.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`; `DatasetError` with the code `unsafeId` where the file
    ///   system takes two names for one.
    func makeFolders(in folder: String, datasetPath: String) throws {
        for name in folders where try !FileTree.makeFolder(folder + "/" + name) {
            throw DatasetError(
                .unsafeId, path: datasetPath,
                "the file system takes the folder “\(name)” for another of the same dataset: it does not tell "
                    + "apart all that ids do")
        }
    }

    /// Writes the file of a sample.
    ///
    /// - Throws: as `makeFolders(in:datasetPath:)`.
    func write(_ bytes: [UInt8], at index: Int, in folder: String, datasetPath: String) throws {
        guard try FileBytes.create(bytes, at: folder + "/" + files[index]) else {
            throw DatasetError(
                .unsafeId, path: datasetPath,
                "the file “\(files[index])” of sample \(index) is there already: the ids are not unique, or the file "
                    + "system does not tell apart all that ids do")
        }
    }
}
