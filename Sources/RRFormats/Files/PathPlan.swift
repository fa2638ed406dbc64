internal import Glibc

/// What an operation reads and where it writes, by path, as it is known before either.
///
/// Outputs replace what has their name. Two that are one file, or one that is an input, would lose what was there;
/// `check(force:)` finds them under all their spellings: relative and absolute paths, symbolic and hard links, folders
/// within each other.
package struct PathPlan: Sendable {
    /// Something that is read.
    private struct Input: Sendable {
        let place: Place
        /// How whoever named it did; nil for what has no option.
        let option: OptionName?
    }

    /// Something that is written.
    private struct Output: Sendable {
        let place: Place
        let option: OptionName
        let isFolder: Bool
        /// Whether what is there is replaced without being asked for, as the place of a stream is.
        let isAlwaysReplaced: Bool
        /// The option whose input the output may replace.
        let spentInput: OptionName?
    }

    private var inputs: [Input] = []
    private var outputs: [Output] = []

    package init() {}

    /// Adds what is read: a file, or a folder with all that is in it.
    package mutating func read(_ path: String?, _ option: OptionName? = nil) {
        guard let path, path != PipedBytes.standardInput else { return }
        inputs.append(Input(place: Place(path), option: option))
    }

    /// Adds what is written.
    ///
    /// - Parameters:
    ///   - isFolder: whether it is a folder.
    ///   - isAlwaysReplaced: whether it replaces a file of its name without `force`.
    ///   - spentInput: the option whose input it may replace, which is read before and wanted no more.
    package mutating func write(
        _ path: String?, _ option: OptionName, isFolder: Bool = false, isAlwaysReplaced: Bool = false,
        spentInput: OptionName? = nil
    ) {
        guard let path, !path.isEmpty else { return }
        outputs.append(
            Output(
                place: Place(path), option: option, isFolder: isFolder, isAlwaysReplaced: isAlwaysReplaced,
                spentInput: spentInput))
    }

    /// Checks that nothing which is read or written would be lost.
    ///
    /// - Parameters:
    ///   - force: whether outputs replace what is there.
    ///   - standardOutput: the file that results are printed to; nil where it is none.
    /// - Throws: `FormatError` with the code `conflictingPaths`, or `cannotWrite` for an output that is a pipe, a socket or
    ///   a device, or lies in another one.
    package func check(force: Bool, standardOutput: FileTree.Identity? = nil) throws(FormatError) {
        for output in outputs {
            guard let kind = output.place.kind else { continue }
            try Self.checkReplaceable(kind, at: output.place.path)
        }
        for (position, output) in outputs.enumerated() {
            for other in outputs[..<position] { try Self.check(output, other) }
            guard force || output.isAlwaysReplaced else { continue }
            for input in inputs where input.option == nil || input.option != output.spentInput {
                try Self.check(output, input)
            }
        }
        guard let standardOutput else { return }
        for place in inputs.map(\.place) + outputs.map(\.place) where place.identity == standardOutput {
            throw FormatError(
                .conflictingPaths, path: place.path,
                "standard output is this file too: what is printed would go into it")
        }
    }

    /// Whether two paths, of things that are there or not, lead to the same file or folder.
    package static func areSame(_ path: String, _ other: String) -> Bool {
        Place(path).isSame(as: Place(other))
    }

    /// Refuses to put a file or a folder in the place of what is neither: a pipe that others wait at, or a device.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func checkReplaceable(_ kind: FileTree.Kind, at path: String) throws(FormatError) {
        guard kind != .file, kind != .folder else { return }
        throw FormatError(
            .cannotWrite, path: path,
            "this is \(kind.name), which no output replaces or is written to; name a file")
    }

    private static func check(_ output: Output, _ other: Output) throws(FormatError) {
        guard !output.place.isSame(as: other.place) else {
            throw FormatError(
                .conflictingPaths, path: output.place.path,
                "\(option: other.option) and \(option: output.option) name the same file: one of them would be lost"
            )
        }
        for (inner, outer) in [(output, other), (other, output)]
        where outer.isFolder && inner.place.isInside(outer.place) {
            throw FormatError(
                .cannotWrite, path: inner.place.path,
                "\(option: inner.option) lies in the folder of \(option: outer.option), which appears as a whole: name a "
                    + "place outside of it")
        }
    }

    private static func check(_ output: Output, _ input: Input) throws(FormatError) {
        let (place, source) = (output.place, input.place)
        // A file that would replace a folder, or a folder a file, is refused where it is to be written.
        guard place.kind == nil || (place.kind == .folder) == output.isFolder else { return }
        let isLost = place.isSame(as: source) || output.isFolder && source.isInside(place)
        guard isLost || replacesPart(of: source, place) else { return }
        let words: Message =
            input.option.map { "\(source.path) of \(option: $0)" } ?? "\(source.path), which is read"
        throw FormatError(
            .conflictingPaths, path: place.path,
            "\(option: output.option) would replace \(words): name another output")
    }

    /// Whether an output stands in an input's folder and replaces what may be a part of it: anything but an HDF5 file,
    /// since datasets and masks are often kept beside the images that they were made of.
    private static func replacesPart(of source: Place, _ output: Place) -> Bool {
        guard source.kind == .folder, output.kind != nil, output.isInside(source) else { return false }
        return output.kind != .file || (try? FileSignature.of(output.path)) != .hdf5
    }
}

/// Where a path leads.
private struct Place: Sendable {
    let path: String
    let kind: FileTree.Kind?
    let identity: FileTree.Identity?
    /// The name in its folder, and what it leads to; none where the folder is not there.
    private let ends: [String]
    /// The identities of the folders around both.
    private let folders: Set<FileTree.Identity>

    init(_ path: String) {
        self.path = path
        kind = FileTree.kind(of: path)
        identity = FileTree.identity(of: path)
        ends = [FileTree.entry(of: path), FileTree.destination(of: path)].compactMap(\.self)
        var folders: Set<FileTree.Identity> = []
        for end in ends {
            var folder = end
            while folder != "/" {
                folder = FileTree.folder(of: folder)
                if let identity = FileTree.identity(of: folder) { folders.insert(identity) }
            }
        }
        self.folders = folders
    }

    func isSame(as other: Place) -> Bool {
        if let identity, identity == other.identity { return true }
        return path == other.path || ends.contains(where: other.ends.contains)
    }

    /// Whether the path leads to something in a folder, at whatever depth.
    func isInside(_ folder: Place) -> Bool {
        if let identity = folder.identity { return folders.contains(identity) }
        return false
    }
}

extension AtomicOutput {
    /// Checks that an output could be put at a path, before any work is done for it.
    ///
    /// - Throws: `FormatError` with the code `outputExists`, or `cannotWrite` where the folder around it is missing, a
    ///   file would replace a folder or a folder a file.
    package static func checkTarget(
        _ path: String, force: Bool, isDirectory: Bool = false
    ) throws(FormatError) {
        guard let kind = FileTree.kind(of: path) else {
            guard FileTree.kind(of: FileTree.folder(of: path)) != nil else {
                throw failure(ENOENT, path: path)
            }
            return
        }
        try PathPlan.checkReplaceable(kind, at: path)
        guard force else {
            throw FormatError(.outputExists, path: path, "the output exists; \(option: .force) replaces it")
        }
        if kind == .folder && !isDirectory {
            throw FormatError(.cannotWrite, path: path, "this is a folder; a file does not replace it")
        }
        if kind == .file && isDirectory {
            throw FormatError(.cannotWrite, path: path, "this is a file; a folder does not replace it")
        }
    }

    /// The error for the system's reason why an output cannot be made.
    static func failure(_ number: Int32, path: String) -> FormatError {
        guard number == ENOENT else { return FormatError(writing: path, failure: number) }
        return FormatError(.cannotWrite, path: path, "the folder \(FileTree.folder(of: path)) does not exist")
    }
}
