extension MalformedInput {
    /// A model for the workshop's images, of layers and the last one.
    private static func model(_ layers: String, classes: Int = 10, last: Bool = true) -> SourceBytes {
        .text(
            #"{"format":"rrdata.model","format_version":"1.0","input":[1,28,28],"classes":\#(classes),"layers":["#
                + layers + (last ? #","flatten",{"linear":{"out":10}}"# : "") + "]}")
    }

    private static func repeated(_ layer: String, _ count: Int) -> String {
        Array(repeating: layer, count: count).joined(separator: ",")
    }

    /// Training, and `validate`, which finds faults and exits with 1.
    private static func read(
        _ name: String, _ bytes: SourceBytes, _ code: String = "malformed", finding: String = "schema"
    ) -> [MalformedInput] {
        [
            MalformedInput(
                name, "train @decoy.h5 --model x.json --epochs 1 -o out", "x.json", bytes, 65, code),
            MalformedInput(name, "validate x.json", "x.json", bytes, 1, finding),
        ]
    }

    /// `model.json`.
    static let models: [MalformedInput] = Array(
        [
            read("empty model", .text(""), finding: "unreadable-file"),
            read("model that is cut", model("\"relu\"").cut(to: -9), finding: "unreadable-file"),
            read("model of zeros", .zeros(100), finding: "unreadable-file"),
            read("model that is a list", .text("[]")),
            read(
                "model of brackets", .text(String(repeating: "[", count: 200_000)), finding: "unreadable-file"
            ),
            read(
                "model of nested objects", .text(String(repeating: "{\"a\":", count: 100_000)),
                finding: "unreadable-file"),
            read(
                "model that is not UTF-8", .bytes([0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x7D]),
                finding: "unreadable-file"),
            read("model of another format", .text(#"{"format":"rrdata.run"}"#)),
            read("model of version 2", model("\"relu\"").replacing("1.0", with: "2.0")),
            read(
                "model with a key twice", model("\"relu\"").replacing("\"classes\"", with: "\"input\""),
                finding: "unreadable-file"),
            read("model without layers", model("", last: false), finding: "malformed-model"),
            read("model of an unknown layer", model("\"attention\""), "unsupported"),
            read("model of 8,193 layers", model(repeated("\"relu\"", 8193)), finding: "malformed-model"),
            read(
                "model of 140,000 layers in a megabyte", model(repeated("\"relu\"", 140_000)),
                finding: "malformed-model"),
            read(
                "model of 9,000 layers in a block",
                model(#"{"residual":{"body":["# + repeated("\"relu\"", 9000) + "]}}"),
                finding: "malformed-model"),
            read(
                "model of blocks 60 deep, 200 layers each", model(nested(60, 200)), finding: "malformed-model"
            ),
            read("model of blocks 300 deep", model(nested(300, 0)), finding: "unreadable-file"),
            read(
                "model of 10⁹ features", model(#""flatten",{"linear":{"out":1000000000}}"#),
                finding: "malformed-model"),
            read(
                "model of maps of a trillion elements in 40 kilobytes",
                model(#"{"conv2d":{"out":4000,"kernel":1}},"# + repeated("\"relu\"", 5000)),
                finding: "malformed-model"),
            [
                MalformedInput(
                    "model of 48 GiB of maps and gradients",
                    "train @decoy.h5 --model x.json --epochs 1 -o out", "x.json",
                    model(#"{"conv2d":{"out":4000,"kernel":1}},"# + repeated("\"relu\"", 338)), 65,
                    "insufficient-memory")
            ],
            read(
                "model of 2²⁴ channels", model(#"{"conv2d":{"out":16777216,"kernel":3}}"#),
                finding: "malformed-model"),
            read(
                "model of a kernel of 10⁶", model(#"{"conv2d":{"out":1,"kernel":1000000}}"#),
                finding: "malformed-model"),
            read(
                "model that pads 10⁷ pixels", model(#"{"conv2d":{"out":1,"kernel":1,"padding":10000000}}"#),
                finding: "malformed-model"),
            read(
                "model of 10⁶ groups", model(#"{"groupnorm":{"groups":1000000}}"#), finding: "malformed-model"
            ),
            read("model of no channels", model(#"{"conv2d":{"out":0,"kernel":3}}"#)),
            read("model of half a channel", model(#"{"conv2d":{"out":0.5,"kernel":3}}"#)),
            read(
                "model of 10⁹⁹⁹ channels", model(#"{"conv2d":{"out":1e999,"kernel":3}}"#),
                finding: "unreadable-file"),
            read(
                "model of three classes in ten logits", model("\"relu\"", classes: 3),
                finding: "malformed-model"),
            read(
                "model of images of 2⁶² pixels",
                model("\"relu\"").replacing("[1,28,28]", with: "[1,2147483648,2147483648]"),
                "too-many-elements"),
            read(
                "model of 200,000 members",
                .text("{" + (0..<100_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}")),
        ].joined())

    private static func nested(_ depth: Int, _ count: Int) -> String {
        let layers = Array(repeating: "\"relu\",", count: count).joined()
        return String(repeating: #"{"residual":{"body":["# + layers, count: depth) + "\"relu\""
            + String(repeating: "]}}", count: depth)
    }
}
