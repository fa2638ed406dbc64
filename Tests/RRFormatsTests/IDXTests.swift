import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("IDX")
struct IDXTests {
    static func open(_ name: String) throws -> StoredArray {
        try IDXArray.open(Fixtures.path("formats/idx/\(name)"))
    }

    @Test(
        "every type is read, plain and compressed by gzip",
        arguments: ["u1.idx", "i1.idx", "i2.idx", "i4.idx", "f4.idx", "f8.idx", "u1.gz", "members.gz"])
    func types(name: String) throws {
        let array = try Self.open(name)
        #expect(array.shape.dimensions == [2, 3, 4])
        #expect(try NPYTests.numbers(array) == (0..<24).map { Double($0) })
    }

    @Test("a gzip file whose last word claims 4 GB takes no such memory, and is damaged")
    func claim() {
        #expect(NPYTests.failure { _ = try Self.open("damaged-claim.gz") }?.code == .malformed)
    }

    @Test(
        "damage is found",
        arguments: [
            ("short", "do not fill"), ("longer", "do not fill"), ("vast", "more elements"),
            ("type", "not an IDX file"), ("rank", "cut short"), ("cut.gz", "damaged or cut short"),
            ("byte.gz", "damaged or cut short"),
        ])
    func damaged(name: String, words: String) {
        let error = NPYTests.failure { _ = try Self.open("damaged-\(name)") }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
