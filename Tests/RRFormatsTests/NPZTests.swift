import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("NPZ")
struct NPZTests {
    static func open(_ name: String) throws -> NPZFile {
        try NPZFile(path: Fixtures.path("formats/npz/\(name).npz"))
    }

    static let pixels = (0..<144).map { Double($0 % 251) }

    @Test("stored and deflated members are read", arguments: ["medmnist", "medmnist-compressed"])
    func members(name: String) throws {
        let file = try Self.open(name)
        #expect(
            file.names == [
                "train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels",
            ])
        let images = try file.array("train_images")
        #expect(images.shape.dimensions == [3, 2, 4, 3])
        #expect(try NPYTests.numbers(images) == Array(Self.pixels[..<72]))
        #expect(try file.array("test_labels.npy").integers() == [0, 2])
    }

    @Test("members in Fortran order, big-endian, and of text are read")
    func otherForms() throws {
        let file = try Self.open("named")
        #expect(try NPYTests.numbers(file.array("pixels")) == Self.pixels)
        #expect(try file.array("classes").texts() == ["b", "a", "b", "c", "a", "a"])
    }

    @Test("ZIP64's wide fields are read")
    func zip64() throws {
        let file = try Self.open("zip64")
        #expect(try file.array("first").integers() == Array(0..<40))
        #expect(try file.array("second").integers() == Array(1...6))
    }

    @Test("a missing array's error lists what is there")
    func missing() throws {
        let error = NPYTests.failure { _ = try Self.open("named").array("labels") }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("pixels, classes") == true)
    }

    @Test("another compression is refused by its number")
    func bzip2() throws {
        let error = NPYTests.failure { _ = try Self.open("refused-bzip2").array("a") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("method 12") == true)
    }

    @Test(
        "damage is found",
        arguments: [
            ("stored", "checksum"), ("deflated", "damaged"), ("vast", "cannot inflate"), ("size", "177"),
            ("region", "100000 bytes"), ("count", "damaged"), ("directory", "damaged"), ("offset", "damaged"),
            ("cut", "no end record"), ("text", "no end record"),
        ])
    func damaged(name: String, words: String) throws {
        let error = NPYTests.failure { _ = try Self.open("damaged-\(name)").array("a") }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
