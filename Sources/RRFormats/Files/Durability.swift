internal import CFileSystem
internal import Glibc
internal import Synchronization

/// Whether outputs outlast a power cut.
///
/// A file that a call has written is in the system's memory, and on the disk some seconds later; a cut before that leaves
/// it empty or missing. So every output is brought to the disk before it gets its name, and the name before anything older
/// is deleted.
public enum Durability {
    /// Whether outputs are on the disk when the call that makes them returns, in all of the process. It is so unless somebody
    /// turns it off, who can make the outputs anew and does not want to wait for the disk.
    public static var isEnsured: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }

    private static let flag = Atomic(true)

    /// More files than that are brought to the disk with all else that the file system has to write.
    private static let mostSingleFiles = 64

    /// Brings a file to the disk, or a folder with all that is in it.
    ///
    /// - Parameter shownPath: what errors name; nil for `path`.
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(_ path: String, shownAs shownPath: String? = nil) throws(FormatError) {
        guard isEnsured else { return }
        let shownPath = shownPath ?? path
        guard FileTree.kind(of: path) == .folder else {
            return try sync(path, O_RDONLY, by: { fsync($0) }, shownAs: shownPath)
        }
        guard let paths = FileTree.paths(in: path, atMost: mostSingleFiles) else {
            return try sync(path, O_RDONLY | O_DIRECTORY, by: rr_sync_file_system, shownAs: shownPath)
        }
        for path in paths { try sync(path, O_RDONLY, by: { fsync($0) }, shownAs: shownPath) }
    }

    /// Brings the names in a folder to the disk, not what the files hold.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(namesIn folder: String, shownAs shownPath: String) throws(FormatError) {
        guard isEnsured else { return }
        // The folder around an output may be named by a link, unlike the output itself.
        try sync(folder, O_RDONLY | O_DIRECTORY, by: { fsync($0) }, followsLinks: true, shownAs: shownPath)
    }

    private static func sync(
        _ path: String, _ flags: Int32, by call: (Int32) -> Int32, followsLinks: Bool = false,
        shownAs shownPath: String
    ) throws(FormatError) {
        let descriptor = open(path, flags | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            throw FormatError(writing: shownPath, failure: errno)
        }
        defer { close(descriptor) }
        try sync(descriptor, by: call, shownAs: shownPath)
    }

    /// Has the disk begin with a part of an open file, so that there is less to wait for at its end.
    package static func beginSync(_ descriptor: Int32, offset: Int, count: Int) {
        if isEnsured { rr_begin_sync(descriptor, Int64(offset), Int64(count)) }
    }

    /// Brings an open file to the disk.
    ///
    /// - Throws: `FormatError` with the code `cannotWrite`.
    package static func sync(
        _ descriptor: Int32, by call: (Int32) -> Int32 = { fsync($0) }, shownAs shownPath: String
    ) throws(FormatError) {
        guard isEnsured else { return }
        while call(descriptor) != 0 {
            let failure = errno
            switch failure {
            case EINTR: continue
            // Some file systems know nothing of it.
            case EINVAL, ENOSYS, EOPNOTSUPP, EROFS: return
            default:
                throw FormatError(
                    writing: shownPath, failure: failure, saying: "it could not be brought to the disk: ")
            }
        }
    }
}
