extension MalformedInput {
    private static let tensors = SourceBytes.fixture("formats/safetensors/f32.safetensors")

    /// `info`, and training that begins with the weights.
    private static func read(
        _ name: String, as kind: String, _ bytes: SourceBytes, _ code: String = "malformed"
    ) -> [MalformedInput] {
        [
            MalformedInput(name, "info x.\(kind)", "x.\(kind)", bytes, 65, code),
            began(name, as: kind, bytes, code),
        ]
    }

    private static func began(
        _ name: String, as kind: String, _ bytes: SourceBytes, _ code: String = "malformed"
    ) -> MalformedInput {
        MalformedInput(
            name, "train @decoy.h5 --model mlp --init x.\(kind) --epochs 1 -o out", "x.\(kind)", bytes, 65,
            code)
    }

    private static func header(_ name: String, _ header: String, data: [UInt8] = []) -> [MalformedInput] {
        read(name, as: "safetensors", ArchiveBuilder.safeTensors(header, data: data))
    }

    private static func torch(_ name: String, _ fixture: String, _ code: String = "malformed")
        -> [MalformedInput]
    {
        read(name, as: "pt", .fixture("formats/weights/\(fixture).pt"), code)
    }

    /// Weights: safetensors, and what `torch.save` and `numpy.savez` write.
    static let weights: [MalformedInput] = Array(
        [
            read("empty safetensors", as: "safetensors", .bytes([])),
            read("safetensors of its length alone", as: "safetensors", tensors.cut(to: 8)),
            read("safetensors cut inside its header", as: "safetensors", tensors.cut(to: 50)),
            read("safetensors cut inside its elements", as: "safetensors", tensors.cut(to: -1)),
            read("safetensors with a byte too many", as: "safetensors", tensors + .zeros(1)),
            read(
                "safetensors that states a header of 2⁶³ bytes", as: "safetensors",
                tensors.with([0x80], at: 7)),
            read(
                "safetensors that states a header of 100 MB", as: "safetensors",
                tensors.with([0, 0xE1, 0xF5, 0x05], at: 0)),
            header("safetensors of a header of brackets", "{\"a\":" + String(repeating: "[", count: 100_000)),
            header("safetensors of a header of braces", String(repeating: "{\"a\":", count: 100_000)),
            header(
                "safetensors of a header of numbers",
                "{\"a\":{\"shape\":[" + String(repeating: "1,", count: 100_000) + "1]}}"),
            header("safetensors without a dtype", #"{"a":{"shape":[1],"data_offsets":[0,1]}}"#, data: [1]),
            header(
                "safetensors of tensors that share elements",
                #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
                data: [1, 2, 3]),
            header(
                "safetensors of a name twice",
                #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
                data: [1]),
            header(
                "safetensors of a shape that overflows",
                #"{"a":{"dtype":"U8","shape":[9000000000000000000,9],"data_offsets":[0,1]}}"#, data: [1]),
            header("safetensors that is a list", "[]"),
            header(
                "safetensors with a lone surrogate",
                #"{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [1]),
            read(
                "safetensors of an unknown type", as: "safetensors",
                .fixture("formats/safetensors/hostile-unknown-type.safetensors"), "unsupported"),
            [
                began("safetensors without the weights", as: "safetensors", tensors),
                began(
                    "safetensors of another model", as: "safetensors",
                    .fixture("formats/weights/plain.safetensors")),
                began("HDF5 as weights", as: "h5", smallDataset, "unsupported"),
                began("NPY as weights", as: "npy", .fixture("formats/npy/u1.npy"), "unsupported"),
                began("NPZ of no weights", as: "npz", .fixture("formats/npz/named.npz"), "malformed"),
                began("NPZ that is cut", as: "npz", .fixture("formats/npz/named.npz").cut(to: -30)),
                began("PNG as weights", as: "png", .fixture("formats/png/gray-8.png")),
                began("text as weights", as: "txt", .text("weights, 8 of them")),
            ],
            torch("pickle that calls os.system", "hostile-system", "unsupported"),
            torch("pickle that calls os.system, protocol 4", "hostile-system-4", "unsupported"),
            torch("pickle that builds an object", "hostile-build", "unsupported"),
            [
                began("pickle that holds itself", as: "pt", .fixture("formats/weights/hostile-circle.pt")),
                began("pickle of 10¹² elements", as: "pt", .fixture("formats/weights/hostile-vast.pt")),
                began("bare pickle", as: "pt", .fixture("formats/weights/refused-pickle.pt"), "unsupported"),
            ],
            torch("pickle that nests a hundred thousand deep", "hostile-deep", "unsupported"),
            torch("pickle of too many values", "hostile-many", "unsupported"),
            torch("pickle that is cut", "hostile-cut"),
            torch("pickle whose archive is cut", "hostile-cut-archive"),
            torch("pickle of a negative extent", "hostile-negative"),
            torch("pickle of strides that overflow", "hostile-overflow"),
            torch("pickle of a tensor beyond its storage", "hostile-beyond"),
            torch("pickle that takes from an empty stack", "hostile-empty"),
            torch("pickle of two types for one storage", "hostile-two-types"),
            torch("pickle of a storage that is missing", "hostile-missing"),
            torch("pickle of a storage of another size", "hostile-storage-size"),
            torch("program of TorchScript", "refused-script", "unsupported"),
            read(
                "PyTorch file with a damaged byte", as: "pt",
                .fixture("formats/weights/state-dict.pt").flipped(at: 300)),
        ].joined())
}
