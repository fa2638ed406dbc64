import RRSchemas
import Testing

/// The schema files against examples, and against each example changed in one place.
@Suite struct SchemaFilesTests {
    static let model: JSONValue = [
        "format": "rrdata.model", "format_version": "1.0", "input": [1, 28, 28], "classes": 10,
        "layers": [
            [
                "conv2d": [
                    "out": 20, "kernel": 5, "stride": 1, "padding": 0, "dilation": 1, "groups": 1,
                    "bias": true,
                ]
            ],
            "relu", ["leakyrelu": ["negative_slope": 0.1]], ["gelu": ["approximate": "tanh"]], "gelu", "silu",
            ["softplus": ["beta": 2]], "tanh", "sigmoid", ["maxpool2d": ["kernel": 2, "ceil_mode": false]],
            ["avgpool2d": ["kernel": 2, "stride": 2, "padding": 1, "count_include_pad": true]],
            ["groupnorm": ["groups": 4, "eps": 1e-5]], "batchnorm2d", ["layernorm": [:]],
            [
                "residual": [
                    "body": [["residual": ["body": ["relu"]]], "relu"],
                    "projection": ["conv2d": ["out": 20, "kernel": 1]],
                ]
            ],
            ["adaptiveavgpool2d": ["size": [3, 2]]], "globalavgpool", "flatten", ["dropout": ["p": 0.5]],
            "prelu", ["elu": ["alpha": 0.5]], ["channelshuffle": ["groups": 2]],
            ["narrow": ["start": 0, "length": 8]], ["linear": ["out": 10, "bias": false]],
        ],
    ]

    static let step: JSONValue = [
        "epoch": 0, "step": 12, "loss": 2.5, "cross_entropy": 2.25, "penalty": .null, "lambda1": 0,
        "learning_rate": 0.001, "seconds": 0.01, "seconds_waiting": 0.002,
    ]

    static let epoch: JSONValue = [
        "kind": "epoch", "epoch": 0, "loss": 2.5, "seconds": 12,
        "validation": ["split": "test", "samples": 500, "accuracy": 0.5, "cross_entropy": 1.25],
    ]

    static func array(_ type: String, _ shape: JSONValue) -> JSONValue {
        [
            "type": .string(type), "shape": shape, "rank": .integer(shape.arrayValue?.count ?? 0),
            "layout": "contiguous", "stored_bytes": 10,
        ]
    }

    static let fingerprint = JSONValue.string(String(repeating: "0f", count: 32))

    static let dataset: JSONValue = [
        "path": "d.h5", "file_bytes": 1000, "format": "rrdata.dataset", "format_version": "1.0",
        "creator": "rrdata 0.1.0", "fingerprint": fingerprint, "provenance": [:], "samples": 4,
        "color": "gray",
        "dimension_labels": "N,C,H,W", "classes": [["label": 0, "name": "coat", "samples": 4]],
        "splits": [["name": "train", "samples": 4]],
        "arrays": [
            "images": array("uint8", [4, 1, 28, 28]), "labels": array("int64", [4]),
            "ids": array("string of 7 bytes", [4]),
            "split": array("uint8", [4]), "checksum": array("uint32", [4]),
        ],
    ]

    static let masks: JSONValue = [
        "path": "m.h5", "file_bytes": 1000, "format": "rrdata.masks", "format_version": "1.7",
        "creator": "rrdata 0.1.0", "dataset_fingerprint": fingerprint, "provenance": [:], "samples": 4,
        "masks": 2,
        "annotated": 2, "arrays": ["A": array("uint8", [3, 1, 28, 28]), "row": array("int64", [4])],
    ]

    @Test(
        "the schema files accept what they describe",
        arguments: [
            (JSONSchema.dataset, dataset), (.masks, masks), (.model, model), (.metrics, step),
            (.metrics, epoch),
        ])
    func good(schema: JSONSchema, document: JSONValue) {
        #expect(schema.validate(document) == [])
    }

    @Test(
        "each member that is demanded is missed",
        arguments: [
            (JSONSchema.dataset, dataset, "classes splits dimension_labels creator"),
            (.masks, masks, "creator provenance"), (.model, model, ""), (.metrics, step, ""),
        ])
    func missing(schema: JSONSchema, document: JSONValue, optional: String) {
        let optional = Set(optional.split(separator: " ").map(String.init))
        for name in (document.objectValue ?? [:]).keys where !optional.contains(name) {
            let violations = schema.validate(document.replacing([name], with: nil))
            #expect(violations.map(\.message) == ["the member \"\(name)\" is missing"])
        }
    }

    /// A change to one place of a document, and what must be said of it.
    struct Mutation: CustomTestStringConvertible {
        let schema: JSONSchema
        let document: JSONValue
        let place: [String]
        let value: JSONValue
        let path: String?
        let message: String

        init(
            _ schema: JSONSchema, _ document: JSONValue, _ place: [String], _ value: JSONValue,
            _ message: String,
            at path: String? = nil
        ) {
            (self.schema, self.document, self.place, self.value) = (schema, document, place, value)
            (self.message, self.path) = (message, path)
        }

        var testDescription: String { "/\(place.joined(separator: "/")) = \(value.serialized())" }
    }

    @Test(
        "a document that was changed in one place is refused there",
        arguments: [
            Mutation(.dataset, dataset, ["format"], "rrdata.masks", "expected \"rrdata.dataset\""),
            Mutation(.dataset, dataset, ["format_version"], "2.0", "does not match"),
            Mutation(.dataset, dataset, ["fingerprint"], "0F", "does not match"),
            Mutation(.dataset, dataset, ["color"], "grey", "expected one of"),
            Mutation(.dataset, dataset, ["samples"], 0, "below the minimum of 1"),
            Mutation(.dataset, dataset, ["unknown"], 0, "is unknown", at: ""),
            Mutation(.dataset, dataset, ["arrays", "images", "type"], "float64", "expected one of"),
            Mutation(.dataset, dataset, ["arrays", "images", "rank"], 3, "expected 4"),
            Mutation(.dataset, dataset, ["arrays", "images", "shape", "2"], 0, "below the minimum of 1"),
            Mutation(.dataset, dataset, ["arrays", "labels", "type"], "int32", "expected \"int64\""),
            Mutation(.dataset, dataset, ["arrays", "labels", "rank"], 2, "expected 1"),
            Mutation(
                .dataset, dataset, ["arrays", "ids", "type"], "string of variable length", "does not match"),
            Mutation(.dataset, dataset, ["arrays", "checksum", "layout"], "virtual", "expected one of"),
            Mutation(.dataset, dataset, ["classes", "0", "samples"], -1, "below the minimum of 0"),
            Mutation(.dataset, dataset, ["splits", "0", "name"], "", "does not match"),
            Mutation(.masks, masks, ["dataset_fingerprint"], 5, "expected a string"),
            Mutation(.masks, masks, ["arrays", "A", "type"], "bool", "expected \"uint8\""),
            Mutation(.masks, masks, ["arrays", "A", "rank"], 3, "expected 4"),
            Mutation(.masks, masks, ["arrays", "row", "type"], "uint8", "expected \"int64\""),
            Mutation(.masks, masks, ["annotated"], 1.5, "expected an integer"),
            Mutation(.model, model, ["layers", "0", "conv2d", "out"], 0, "below the minimum of 1"),
            Mutation(
                .model, model, ["layers", "0", "conv2d", "kernal"], 3, "unknown", at: "/layers/0/conv2d"),
            Mutation(.model, model, ["layers", "1"], "rleu", "expected one of \"relu\""),
            Mutation(.model, model, ["layers", "1"], ["conv3d": [:]], "{\"conv2d\": …}"),
            Mutation(
                .model, model, ["layers", "1"], ["linear": [:]], "\"out\" is missing", at: "/layers/1/linear"),
            Mutation(.model, model, ["layers", "3", "gelu", "approximate"], "erf", "expected one of"),
            Mutation(
                .model, model, ["layers", "14", "residual", "body", "0", "residual", "body", "0"], 3,
                "expected one of"),
            Mutation(
                .model, model, ["layers", "14", "residual", "projection", "conv2d", "out"], 1.5, "an integer"),
            Mutation(
                .model, model, ["layers", "15", "adaptiveavgpool2d", "size", "0"], 0, "below the minimum of 1"
            ),
            Mutation(.model, model, ["layers", "18", "dropout", "p"], 1.5, "above the maximum of 1"),
            Mutation(.model, model, ["input", "0"], -1, "below the minimum"),
            Mutation(.metrics, step, ["penalty"], "none", "expected a number or null"),
            Mutation(.metrics, step, ["seconds"], -1, "below the minimum"),
            Mutation(.metrics, step, ["kind"], "batch", "expected \"step\""),
            Mutation(.metrics, epoch, ["epoch"], -1, "below the minimum"),
            Mutation(.metrics, epoch, ["validation", "accuracy"], 1.01, "above the maximum of 1"),
            Mutation(.metrics, epoch, ["accuracy"], 1, "unknown", at: ""),
        ])
    func refused(mutation: Mutation) {
        let changed = mutation.document.replacing(mutation.place, with: mutation.value)
        #expect(changed != mutation.document)
        let violations = mutation.schema.validate(changed)
        #expect(violations.count == 1)
        #expect(violations.first?.path == mutation.path ?? "/" + mutation.place.joined(separator: "/"))
        #expect(violations.first?.message.contains(mutation.message) == true, "\(violations)")
    }
}

extension JSONValue {
    /// The value with one place inside it changed, or a member removed.
    func replacing(_ place: [String], with value: JSONValue?) -> JSONValue {
        guard let first = place.first else { return value ?? .null }
        switch self {
        case .object(var members):
            let isRemoval = place.count == 1 && value == nil
            members[first] =
                isRemoval ? nil : (members[first] ?? .null).replacing(Array(place.dropFirst()), with: value)
            return .object(members)
        case .array(var elements):
            guard let index = Int(first), elements.indices.contains(index) else { return self }
            elements[index] = elements[index].replacing(Array(place.dropFirst()), with: value)
            return .array(elements)
        default: return self
        }
    }
}
