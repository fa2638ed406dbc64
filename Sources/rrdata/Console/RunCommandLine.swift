import RRReports
import RRSchemas

/// The command that makes a run, or the folder of a sweep or a search, such as one that is there, from what its `config.json`,
/// `sweep.json` or `find-another.json` records.
struct RunCommandLine {
    /// The folder.
    let path: String
    /// What it says of itself.
    let description: JSONValue
    /// The dataset and masks as they are called here; nil for placeholders.
    let dataset: String?
    let masks: String?

    /// Options by their names in `config.json`, with the flag and the value that stands for none being given.
    private static let options: [(key: String, flag: String, standard: JSONValue)] = [
        ("lambda1_warmup", "lambda1-warmup", 0), ("guidance", "guidance", "rrr"),
        ("augment_fill", "augment-fill", .null), ("augment_place", "augment-place", .null),
        ("augment_share", "augment-share", .null), ("consistency", "consistency", .null),
        ("pgd_steps", "pgd-steps", .null), ("pgd_radius", "pgd-radius", .null),
        ("pgd_step_size", "pgd-step-size", .null), ("penalty_target", "penalty-target", "sum-log-prob"),
        ("penalty_reduction", "penalty-reduction", "mean"), ("optimizer", "optimizer", "adam"),
        ("learning_rate", "learning-rate", 0.001), ("momentum", "momentum", 0),
        ("weight_decay", "weight-decay", 0), ("schedule", "schedule", "constant"),
        ("schedule_epochs", "schedule-epochs", .null), ("warmup_steps", "warmup-steps", 0),
        ("clip_norm", "clip-norm", .null), ("label_smoothing", "label-smoothing", 0),
        ("unfreeze_after", "unfreeze-after", .null), ("head_learning_rate", "head-learning-rate", .null),
        ("head", "head", .null), ("precision", "precision", "float"), ("normalize", "normalize", "none"),
        ("batch_size", "batch-size", 128), ("epochs", "epochs", 10), ("seed", "seed", "0"),
        ("annotated_fraction", "annotated-fraction", .null), ("balance", "balance", .null),
        ("augment", "augment", .null), ("resize_crop", "resize-crop", .null),
        ("best_metric", "best-metric", "accuracy"), ("patience", "patience", .null), ("init", "init", .null),
    ]

    /// Options without a value, and what `config.json` has where they are given.
    private static let flags: [(key: String, flag: String, given: JSONValue)] = [
        ("nesterov", "nesterov", true), ("shuffle", "no-shuffle", false), ("drop_last", "drop-last", true),
    ]

    private var options: JSONValue { description["options"] ?? .null }

    private var hasMasks: Bool { description["masks"].map { $0 != .null } ?? false }

    var text: String {
        let start =
            switch description["format"]?.stringValue {
            case "rrdata.sweep": sweep
            case "rrdata.find-another": search
            default: training
            }
        var words = ["rrdata", start.command, dataset.map(Self.quoted) ?? "DATASET.h5"]
        if hasMasks { words += ["--masks", masks.map(Self.quoted) ?? "MASKS.h5"] }
        words += start.words + ["--model", Self.quoted(start.run + "model.json")]
        for (key, flag, standard) in Self.options {
            guard let value = options[key], value != .null, !Self.isEqual(value, standard) else { continue }
            words += ["--" + flag, Self.quoted(Self.text(value))]
        }
        if options["schedule"] == "step", let factor = options["schedule_factor"] {
            words += ["--schedule-factor", Self.text(factor)]
        }
        if options["class_weights_automatic"] == true {
            words += ["--class-weights", "auto"]
        } else if let weights = options["class_weights"]?.arrayValue {
            words += ["--class-weights", weights.map(Self.text).joined(separator: ",")]
        }
        if let layers = options["freeze"]?.arrayValue?.compactMap(\.stringValue), !layers.isEmpty {
            words += ["--freeze", Self.quoted(layers.joined(separator: ","))]
        }
        if let file = options["validation_file"]?.stringValue ?? options["validation"]?.stringValue {
            words += ["--validation", Self.quoted(file)]
        }
        if let split = options["split"]?.stringValue, split != "train" {
            words += ["--split", Self.quoted(split)]
        }
        for (key, flag, given) in Self.flags where options[key] == given { words.append("--" + flag) }
        return (words + ["-o", Self.quoted(path)]).joined(separator: " ")
    }

    /// What is said of one command alone.
    private typealias Start = (command: String, words: [String], run: String)

    private var training: Start {
        var words: [String] = []
        if options["lambda1_automatic"] == true {
            words = ["--lambda1", "auto"]
        } else if let lambda1 = options["lambda1"]?.doubleValue, hasMasks || lambda1 != 0 {
            words = ["--lambda1", Self.text(.number(lambda1))]
        }
        return ("train", words, path + "/")
    }

    private var sweep: Start {
        func list(_ key: String) -> String {
            (options[key]?.arrayValue ?? []).map(Self.text).joined(separator: ",")
        }
        var words = ["--ways", list("ways"), "--lambda1", list("lambda1"), "--seeds", list("seeds")]
        if let share = options["held_out_share"], !Self.isEqual(share, 0.2) {
            words += ["--held-out-share", Self.text(share)]
        }
        return ("sweep", words, path + "/run-1/run/")
    }

    private var search: Start {
        var words = ["--rounds", Self.text(options["rounds"] ?? 2)]
        if let lambda1 = options["lambda1"], !Self.isEqual(lambda1, 1000) {
            words += ["--lambda1", Self.text(lambda1)]
        }
        if let factor = options["selection"]?.stringValue?.split(separator: " ").last, factor != "0.67" {
            words += ["--threshold", String(factor)]
        }
        if let target = options["mask_target"]?.stringValue, target != "predicted" {
            words += ["--target", target]
        }
        if options["per_pixel"] == true { words.append("--per-pixel") }
        if let split = options["judge"]?.stringValue, split != "test" {
            words += ["--judge", Self.quoted(split)]
        }
        return ("find-another", words, path + "/round-1/run/")
    }

    private static func isEqual(_ value: JSONValue, _ standard: JSONValue) -> Bool {
        if let one = value.doubleValue, let other = standard.doubleValue { return one == other }
        return value == standard
    }

    /// A number without digits that it does not need, and anything else as it is.
    private static func text(_ value: JSONValue) -> String {
        if let text = value.stringValue { return text }
        if let number = value.doubleValue, number == number.rounded(), abs(number) < 1e15 {
            return String(Int(number))
        }
        return value.serialized()
    }

    /// A word as a shell takes it for one.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ","), UInt8(ascii: ":"),
                    UInt8(ascii: "="), UInt8(ascii: "+"), 0x80...:
                    true
                default: false
                }
            }
        return isPlain
            ? word
            : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
                + "'"
    }
}
