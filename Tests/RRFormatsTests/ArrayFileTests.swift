import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("Files of arrays")
struct ArrayFileTests {
    @Test(
        "the kind of a file is told by its first bytes",
        arguments: [
            ("hdf5/types.h5", ArrayFile.Format.hdf5), ("npy/u1.npy", .npy), ("npz/named.npz", .npz),
            ("idx/u1.idx", .idx), ("idx/u1.gz", .idx),
        ])
    func format(name: String, format: ArrayFile.Format) throws {
        #expect(try ArrayFile(path: Fixtures.path("formats/" + name)).format == format)
    }

    @Test("a file that is something else is refused by what it should have been")
    func wrongFormat() {
        let path = Fixtures.path("formats/npy/u1.npy")
        for format in [ArrayFile.Format.hdf5, .npz, .idx] {
            #expect(NPYTests.failure { _ = try ArrayFile(path: path, format: format) }?.code == .malformed)
        }
    }

    @Test("an array without a name is the only one of its file")
    func names() throws {
        #expect(
            try ArrayFile(path: Fixtures.path("formats/npy/u1.npy")).array(nil).shape.dimensions == [2, 3])
        let several = try ArrayFile(path: Fixtures.path("formats/npz/named.npz"))
        let error = NPYTests.failure { _ = try several.array(nil) }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("pixels, classes") == true)
    }

    @Test("arrays are read one after another, and only those that fit are joined")
    func joined() throws {
        let file = try ArrayFile(path: Fixtures.path("formats/npz/medmnist.npz"))
        let parts = try ["train_images", "val_images", "test_images"].map { try file.array($0) }
        let joined = try JoinedArray.join(parts)
        #expect(joined.shape.dimensions == [6, 2, 4, 3])
        #expect(try NPYTests.numbers(joined) == NPZTests.pixels)
        var rows = [UInt8](repeating: 0, count: 48)
        try rows.withUnsafeMutableBytes { try joined.read(rows: 2..<4, into: $0) }
        #expect(rows == (48..<96).map { UInt8($0) })
        let labels = try file.array("train_labels")
        let error = NPYTests.failure { _ = try JoinedArray.join([parts[0], labels]) }
        #expect(error?.code == .unsupported)
    }
}
