extension MalformedInput {
    private static let parts = ["config.json", "model.json", "weights.safetensors", "metrics.jsonl"]

    /// A run of the workshop with one file changed, or left out.
    private static func run(_ name: String, _ part: String, _ change: (SourceBytes) -> SourceBytes?)
        -> [String: SourceBytes]
    {
        var files: [String: SourceBytes] = [:]
        for file in parts { files["run/" + file] = .workshop("plain/" + file) }
        files["run/" + part] = change(.workshop("plain/" + part))
        return files
    }

    private static func read(
        _ name: String, _ part: String, exit: Int32 = 65, _ code: String, finding: String,
        _ change: (SourceBytes) -> SourceBytes?
    ) -> [MalformedInput] {
        let files = run(name, part, change)
        return [
            MalformedInput(name, "evaluate run @decoy.h5", files, exit, code),
            MalformedInput(name, "validate run", files, 1, finding),
        ]
    }

    private static func cursor(
        _ name: String, _ bytes: SourceBytes, _ exit: Int32 = 65, _ code: String = "malformed"
    ) -> [MalformedInput] {
        [
            MalformedInput(
                name, "stream @decoy.h5 --batch-size 8 --format null --cursor x.json", "x.json", bytes, exit,
                code)
        ]
    }

    /// Runs, and cursors of streams.
    static let runs: [MalformedInput] = Array(
        [
            read("run without a configuration", "config.json", exit: 66, "not-found", finding: "missing-file")
            { _ in nil },
            read("run without weights", "weights.safetensors", exit: 66, "not-found", finding: "missing-file")
            { _ in nil },
            read("run without a model", "model.json", exit: 66, "not-found", finding: "missing-file") { _ in
                nil
            },
            read("run of a configuration that is cut", "config.json", "malformed", finding: "unreadable-file")
            { $0.cut(to: 40) },
            read("run of an empty configuration", "config.json", "malformed", finding: "wrong-format") { _ in
                .text("{}")
            },
            read("run of a configuration of brackets", "config.json", "malformed", finding: "unreadable-file")
            { _ in .text(String(repeating: "[", count: 100_000)) },
            read(
                "run of a configuration of version 2", "config.json", "unsupported",
                finding: "unsupported-version"
            ) { $0.replacing("\"1.0\"", with: "\"2.0\"") },
            read("run of a model that is cut", "model.json", "malformed", finding: "unreadable-file") {
                $0.cut(to: -20)
            },
            read("run of another model", "model.json", "malformed", finding: "wrong-weights") {
                $0.replacing("50", with: "51")
            },
            read("run of weights that are cut", "weights.safetensors", "malformed", finding: "wrong-weights")
            { $0.cut(to: -4) },
            read(
                "run of weights that state a vast header", "weights.safetensors", "malformed",
                finding: "wrong-weights"
            ) { $0.with([0xFF], at: 6) },
            read("run of weights that are text", "weights.safetensors", "malformed", finding: "wrong-weights")
            { _ in .text("weights") },
            [
                MalformedInput(
                    "run of metrics that are no JSON", "validate run",
                    run("", "metrics.jsonl") { $0 + .text("{\n") }, 1, "schema"),
                MalformedInput(
                    "run of metrics of brackets", "validate run",
                    run("", "metrics.jsonl") { _ in .text(String(repeating: "[", count: 100_000)) }, 1,
                    "schema"),
                MalformedInput(
                    "folder that is no run", "evaluate run @decoy.h5", "run/x.txt", .text("no"), 66,
                    "not-found"),
                MalformedInput(
                    "file in the place of a run", "evaluate run @decoy.h5", "run", .text("no"), 66,
                    "not-found"),
                MalformedInput(
                    "folder that is no run", "make-masks @decoy.h5 --run run --top-k 3 -o out.h5",
                    "run/x.txt", .text("no"), 66, "not-found"),
                MalformedInput(
                    "run of weights that are cut", "make-masks @decoy.h5 --run run --top-k 3 -o out.h5",
                    run("", "weights.safetensors") { $0.cut(to: -4) }, 65, "malformed"),
                MalformedInput(
                    "run of a model that is cut", "info run", run("", "model.json") { $0.cut(to: -20) }, 65,
                    "malformed"),
            ],
            cursor("empty cursor", .text("")),
            cursor("cursor that is cut", .text(#"{"format":"rrdata.cursor","format_ver"#)),
            cursor("cursor of another format", .text("{}")),
            cursor(
                "cursor of version 2", .text(#"{"format":"rrdata.cursor","format_version":"2.0"}"#), 65,
                "unsupported"),
            cursor(
                "cursor of another order",
                .text(#"{"format":"rrdata.cursor","format_version":"1.0","order_version":99}"#), 65,
                "unsupported"),
            cursor(
                "cursor of another dataset",
                .text(
                    #"{"format":"rrdata.cursor","format_version":"1.0","order_version":1,"dataset_fingerprint":"x"}"#
                ), 65, "other-dataset"),
            cursor("cursor of brackets", .text(String(repeating: "[", count: 100_000))),
            cursor("cursor of 2 MB", .text(String(repeating: " ", count: 2_000_000)), 65, "unsupported"),
        ].joined())
}
