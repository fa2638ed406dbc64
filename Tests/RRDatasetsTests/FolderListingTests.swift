import Foundation
import RRDatasets
import RRFormats
import TestSupport
import Testing

@Suite("Listing a folder, and the walk through it")
struct FolderListingTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path(name), withDestinationPath: target)
    }

    func paths(followsLinksOut: Bool = false, below relative: String = "") throws -> [String] {
        var paths: [String] = []
        let root = folder.path("in")
        let start = relative.isEmpty ? root : root + "/" + relative
        try FolderListing(of: start, within: followsLinksOut ? nil : root)
            .visitFiles(prefix: relative.isEmpty ? "" : relative + "/") { paths.append($0.path) }
        return paths
    }

    @Test("files are met bytewise by path component, hidden ones not")
    func order() throws {
        for name in ["b.png", "a/2.png", "a.png", "a-/1.png", "a/10.png", "c/.d/1.png", ".e.png", "Z.txt"] {
            try folder.write([1], to: "in/\(name)")
        }
        #expect(try paths() == ["Z.txt", "a/10.png", "a/2.png", "a-/1.png", "a.png", "b.png"])
        #expect(try paths(below: "a") == ["a/10.png", "a/2.png"])
    }

    @Test("each folder is entered before its files, and images are told by the names of files")
    func steps() throws {
        for name in ["1.png", "2.PnG", "3.jpg", ".png", "d.png/4.png"] {
            try folder.write([1], to: "in/\(name)")
        }
        var (entered, images): ([String], [String]) = ([], [])
        let root = folder.path("in")
        try FolderListing(of: root, within: root).visitFiles {
            entered.append($0.path)
        } _: { file in
            if file.isImage(.pngs) { images.append(file.path) }
        }
        #expect(entered == [folder.path("in"), folder.path("in/d.png")])
        #expect(images == ["1.png", "2.PnG", "d.png/4.png"])
    }

    @Test("a link that leads out is refused, or followed where that is asked for")
    func linksOut() throws {
        try folder.write([1], to: "in/a/1.png")
        try folder.write([1], to: "out/2.png")
        try link("in/b", to: "../out")
        let error = #expect(throws: FormatError.self) { try paths() }
        #expect(error?.code == .unsupported && error?.path == folder.path("in/b"))
        #expect(try paths(followsLinksOut: true) == ["a/1.png", "b/2.png"])
    }

    @Test("a link that leads back to a folder above is refused", arguments: [false, true])
    func loop(followsLinksOut: Bool) throws {
        try folder.write([1], to: "in/a/1.png")
        try link("in/a/back", to: "../../in")
        let error = #expect(throws: DatasetError.self) { try paths(followsLinksOut: followsLinksOut) }
        #expect(error?.code == .badFolderStructure && error?.path == folder.path("in/a/back"))
    }

    @Test("names of all kinds are listed, a link to nothing as a file")
    func listing() throws {
        try folder.write([1], to: "in/é/1.png")
        try folder.write([1], to: "in/z")
        try link("in/broken", to: "nothing")
        let path = folder.path("in/pipe")
        try #require(mkfifo(path, 0o600) == 0)
        let listing = try FolderListing(of: folder.path("in"))
        #expect(Array(listing.names) == ["broken", "pipe", "z", "é"])
        #expect(listing.kinds == [.file, .other, .file, .folder])
        #expect(listing.folders == ["é"])
        let error = #expect(throws: FormatError.self) { try FolderListing(of: folder.path("none")) }
        #expect(error?.code == .notFound)
    }
}
