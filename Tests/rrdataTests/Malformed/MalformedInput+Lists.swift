extension MalformedInput {
    private static let gray = SourceBytes.fixture("formats/png/gray-8.png")

    private static func list(
        _ name: String, _ bytes: SourceBytes, _ code: String = "bad-metadata", as kind: String = "csv"
    ) -> MalformedInput {
        MalformedInput(
            name, "import pngs in -o out.h5", ["in/a.png": gray, "in/metadata.\(kind)": bytes], 65, code)
    }

    private static func lines(_ name: String, _ bytes: SourceBytes, _ code: String = "bad-metadata")
        -> MalformedInput
    {
        list(name, bytes, code, as: "jsonl")
    }

    private static func ids(_ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String)
        -> MalformedInput
    {
        MalformedInput(
            name, "stream @decoy.h5 --batch-size 8 --format null --ids x.txt", "x.txt", bytes, exit, code)
    }

    /// Lists of images, and of ids.
    static let lists: [MalformedInput] = [
        list("empty list", .text("")),
        list("list of a header alone", .text("file_name,label\n"), "empty"),
        list("list without a column of files", .text("name,label\na.png,x\n")),
        list("list with a column twice", .text("file_name,file_name\na.png,a.png\n")),
        list("list of a file that is not there", .text("file_name,label\nz.png,x\n")),
        list("list of a file outside of the folder", .text("file_name,label\n../a.png,x\n"), "unsafe-id"),
        list("list of a file by its absolute path", .text("file_name,label\n/etc/passwd,x\n"), "unsafe-id"),
        list("list of a name with a zero byte", .text("file_name,label\na\0.png,x\n"), "unsafe-id"),
        list("list of one file twice", .text("file_name,label\na.png,x\na.png,y\n"), "duplicate-id"),
        list("list of a line with too few values", .text("file_name,label\na.png\n")),
        list("list with a quote that is not closed", .text("file_name,label\n\"a.png,x\n")),
        list("list with text after a quote", .text("file_name,label\n\"a.png\"b,x\n")),
        list(
            "list of a record of 5 MB",
            .text("file_name,label\na.png,\"" + String(repeating: "x", count: 5 << 20))),
        list("list that is not UTF-8", .bytes(Array("file_name,label\na.png,".utf8) + [0xFF, 0xC0])),
        list("list of a file that is no PNG", .text("file_name,label\na.txt,x\n")),
        list("list of half of UTF-16", .bytes([0xFF, 0xFE, 0x66])),
        lines("lines that are no JSON", .text("file_name\n")),
        lines("lines that are lists", .text("[]\n")),
        lines("lines without a file", .text("{\"label\":1}\n")),
        lines("line of brackets", .text("{\"file_name\":" + String(repeating: "[", count: 200_000))),
        lines(
            "line of 5 MB",
            .text("{\"file_name\":\"a.png\",\"label\":\"" + String(repeating: "x", count: 5 << 20) + "\"}")),
        lines("line with a key twice", .text("{\"file_name\":\"a.png\",\"file_name\":\"a.png\"}\n")),
        lines("line of a file outside of the folder", .text("{\"file_name\":\"../a.png\"}\n"), "unsafe-id"),
        lines("line of a label that is a list", .text("{\"file_name\":\"a.png\",\"label\":[1]}\n")),
        MalformedInput(
            "two lists", "import pngs in -o out.h5",
            [
                "in/a.png": gray, "in/metadata.csv": .text("file_name\na.png\n"),
                "in/metadata.jsonl": .text("{}"),
            ], 65, "bad-metadata"),

        ids("empty list of ids", .text(""), 65, "malformed"),
        ids("list of ids that is not UTF-8", .bytes([0xFF, 0xFE, 0x0A]), 65, "malformed"),
        ids("list of unknown ids", .text("nobody\n"), 65, "bad-metadata"),
        ids(
            "list of one id of a megabyte", .text(String(repeating: "x", count: 1_000_000)), 65,
            "bad-metadata"),
        ids(
            "list of a million empty lines", .text(String(repeating: "\n", count: 1_000_000)), 65, "malformed"
        ),
    ]
}
