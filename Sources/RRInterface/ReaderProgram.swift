// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

internal import CFileSystem
public import CRRData
internal import Glibc
internal import RRDatasets
internal import RRFormats
internal import Synchronization

/// The program that is started to read HDF5 files.
enum ReaderProgram {
    /// From the folder of the library: a program for it alone, or the command.
    private static let places = [
        "rrdata-hdf5-reader", "../libexec/rrdata-hdf5-reader", "rrdata", "../bin/rrdata",
    ]
    private static let isChosen = Mutex(false)

    /// Sees to it that HDF5 files are read by a process of their own. To be called before any is opened.
    static func prepare() {
        isChosen.withLock { isChosen in
            guard !isChosen else { return }
            isChosen = true
            let folder = folder
            let places = Self.places.map { folder + $0 }
            // Where there is none, opening a file says which is missing.
            HDF5ReaderProcess.prepare(program: places.first { access($0, X_OK) == 0 } ?? places[0])
        }
    }

    static func choose(_ path: String) throws {
        guard access(path, X_OK) == 0 else {
            throw FormatError(
                errno == ENOENT ? .notFound : .cannotRead, path: path,
                "the program that is to read HDF5 files cannot be run: \(SystemFailure.message(errno))"
                    as Message)
        }
        isChosen.withLock { isChosen in
            isChosen = true
            HDF5ReaderProcess.prepare(program: path)
        }
    }

    /// The folder of this library, with a slash at its end.
    private static var folder: String {
        var place = rr_code_place()
        guard rr_find_code(#dsohandle, &place) != 0, let file = place.dli_fname,
            let real = realpath(file, nil)
        else { return "./" }
        defer { free(real) }
        let path = String(cString: real)
        return String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}

@c @implementation
public func rr_reader_set(
    _ path: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        guard let path else { throw ArgumentError.missing("path") }
        try ReaderProgram.choose(String(cString: path))
        return RR_OK
    }
}

@c @implementation
public func rr_reader_expect(
    _ paths: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        ReaderProgram.prepare()
        HDF5ReaderProcess.expect(try texts(paths, count: count, "path"))
        return RR_OK
    }
}
