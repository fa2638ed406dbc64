import RRFormats
import TestSupport
import Testing

@Suite("names that somebody may have meant")
struct NearestNamesTests {
    @Test(
        "slips are forgiven, other words are not",
        arguments: [
            ("tran", ["train", "test"], ["train"]), ("Train", ["train", "test"], ["train"]),
            ("tset", ["train", "test"], ["test"]), ("batch_size", ["batch-size", "epochs"], ["batch-size"]),
            ("evalute", ["evaluate", "export"], ["evaluate"]),
            ("boot", ["ankle-boot", "bag"], ["ankle-boot"]),
            ("zebra", ["train", "test"], []), ("", ["train"], []), ("train", ["train"], []),
            ("d", ["a", "b"], []), ("B", ["a", "b"], ["b"]), ("3", ["30", "4"], []),
        ])
    func names(written: String, known: [String], expected: [String]) {
        #expect(NearestNames(to: written, among: known).names == expected)
    }

    @Test("the question lists them, and is empty where there are none")
    func question() {
        #expect(NearestNames(to: "tran", among: ["train"]).question.description == ": did you mean “train”?")
        #expect(NearestNames(to: "x", among: ["train"]).question.description == "")
    }
}
