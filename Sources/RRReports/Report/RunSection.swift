internal import RRFormats
internal import RRSchemas

/// What was run, and how to run it again.
enum RunSection {
    /// What people look for first, by its name in `config.json`.
    private static let mainOptions = [
        ("guidance", "guidance"), ("lambda1", "λ1"), ("lambda1_automatic", "λ1 chosen automatically"),
        ("penalty_target", "gradient of"), ("penalty_reduction", "penalty divided by"), ("epochs", "epochs"),
        ("batch_size", "batch size"), ("optimizer", "optimiser"), ("learning_rate", "learning rate"),
        ("schedule", "schedule"), ("weight_decay", "weight decay"), ("augment", "augmentation"),
        ("split", "split trained on"), ("validation", "validation"), ("seed", "seed"),
        ("precision", "precision"),
    ]

    static func html(_ runs: [ReportedRun]) -> String {
        let header = [""] + runs.map { Markup.name($0.name) }
        func row(_ name: String, _ value: (JSONValue) -> String) -> [String] {
            [Markup.escaped(name)] + runs.map { Markup.escaped(value($0.description).legible) }
        }
        var rows = [
            row("network") { network($0["model"]) },
            row("parameters") { $0["model"]?["parameters"].map(text) ?? "" },
            row("masked samples") { $0["masks"]?["annotated"].map(text) ?? "no masks" },
        ]
        for (key, name) in mainOptions {
            let row = row(name) { $0["options"]?[key].map(text) ?? "" }
            if row.dropFirst().contains(where: { !$0.isEmpty && $0 != "none" }) { rows.append(row) }
        }
        rows.append(row("dataset") { String(($0["dataset_fingerprint"]?.stringValue ?? "").prefix(12)) })
        rows.append(row("made by") { $0["creator"].map(text) ?? "" })
        rows.append(row("matrix kernels") { $0["linear_algebra_kernel"].map(text) ?? "" })
        return PageParts.table(caption: "The runs and their options", header: header, rows: rows)
            + PageParts.details("All options and layers", body: everything(runs))
    }

    private static func everything(_ runs: [ReportedRun]) -> String {
        let keys = Set(runs.flatMap { $0.description["options"]?.objectValue?.keys.map { $0 } ?? [] })
        let rows = keys.sorted().map { key in
            [Markup.escaped(key)]
                + runs.map { Markup.escaped(($0.description["options"]?[key].map(text) ?? "").legible) }
        }
        let options = PageParts.table(
            caption: "All options", header: [""] + runs.map { Markup.name($0.name) }, rows: rows)
        let layers = runs.map { run in
            "<h3>\(Markup.name(run.name))</h3>"
                + PageParts.code(
                    run.description["model"]?["layers"]?.serialized(pretty: true) ?? "",
                    named: "the layers of \(run.name)")
        }
        return options + layers.joined()
    }

    /// The commands, as far as they are known, and what a run can be checked by.
    static func commands(_ runs: [ReportedRun], _ descriptions: [JSONValue]) -> String {
        // Runs of one series have one command.
        let commands = runs.compactMap(\.command).uniqued()
        let text =
            commands.isEmpty
            ? "" : PageParts.code(commands.joined(separator: "\n"), named: "the commands of the runs")
        return text
            + PageParts.paragraph(
                "The same options, dataset and masks give the same weights to the last bit on processors that run the same "
                    + "matrix kernels, whatever the number of threads. A dataset is known by its fingerprint: "
                    + descriptions.compactMap { $0["dataset_fingerprint"]?.stringValue }.uniqued()
                    .joined(separator: ", ") + ".")
    }

    private static func network(_ model: JSONValue?) -> String {
        guard let model else { return "" }
        let input = model["input"]?.arrayValue?.compactMap(\.integerValue).map(String.init) ?? []
        return "\(model["layers"]?.arrayValue?.count ?? 0) layers, \(input.joined(separator: "×")) to "
            + "\(model["classes"].map(text) ?? "") classes"
    }

    /// A value of a document as people write it.
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .null: "none"
        case .bool(let value): value ? "yes" : "no"
        case .number(let value): Figure.text(value)
        case .integer(let value): String(value)
        case .array(let values): values.isEmpty ? "none" : values.map(text).joined(separator: ", ")
        case .object: value.serialized()
        }
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in the order of the first.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
