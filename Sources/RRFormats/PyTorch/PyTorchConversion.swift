/// The two lines of Python by which those who trust a file make a state dict of it that is read.
struct PyTorchConversion {
    private let path: String
    /// Where the pickle seems to have its state dict.
    private let key: String?

    /// - Parameter pickle: the bytes that name the members of a checkpoint; they may be damaged.
    init(_ path: String, pickle: [UInt8] = []) {
        self.path = path
        key = ["model_state_dict", "state_dict", "model"].first { Self.mentions($0, pickle[...]) }
    }

    /// For a file whose pickle makes objects.
    var ofPickle: Message {
        let member = key.map { "; m = m.get(\"\($0)\", m) if isinstance(m, dict) else m" } ?? ""
        return lines(
            ", and of a pickle nothing but tensors, dictionaries, lists, texts and numbers is read"
                + Self.conversion,
            "import torch; m = torch.load(\(Self.literal(path)), map_location=\"cpu\", weights_only=False)\(member)",
            Self.stateDict)
    }

    /// For a file of the time before 1.6.
    var ofLegacyFile: Message {
        lines(
            Self.conversion,
            "import torch; m = torch.load(\(Self.literal(path)), map_location=\"cpu\", weights_only=False)",
            "m.state_dict() if hasattr(m, \"state_dict\") else m")
    }

    /// For a pickle that `torch.save` has not written.
    var ofBarePickle: Message {
        lines(
            Self.conversion, "import pickle, torch; m = pickle.load(open(\(Self.literal(path)), \"rb\"))",
            Self.stateDict)
    }

    /// For a TorchScript archive.
    var ofScript: Message {
        lines(
            Self.conversion, "import torch; m = torch.jit.load(\(Self.literal(path)), map_location=\"cpu\")",
            "m.state_dict()")
    }

    /// For a file with several dictionaries of tensors, one of which is meant.
    func ofMember(_ names: [String]) -> Message {
        lines(
            ". Two lines of Python write the one that is meant",
            "import torch; m = torch.load(\(Self.literal(path)), map_location=\"cpu\")",
            "m" + names.map { "[\(Self.literal($0))]" }.joined())
    }

    /// Of a module or a dictionary, that of its members which are tensors or arrays.
    private static let stateDict =
        "m.state_dict() if hasattr(m, \"state_dict\") else {k: torch.as_tensor(v) for k, v in m.items() if hasattr(v, \"shape\")}"

    private static let conversion = ". Where you trust the file, two lines of Python make one that is read"

    private func lines(_ reason: String, _ first: String, _ value: String) -> Message {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        return
            "\(reason):\n  \(first)\n  torch.save(\(value), \(Self.literal(stem + "-weights.pt")))"
    }

    /// A text as Python writes it.
    private static func literal(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": literal += "\\\(scalar)"
            case "\0"..<" ":
                literal += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }

    /// Whether a pickle has a text: its length, then its letters.
    private static func mentions(_ key: String, _ pickle: ArraySlice<UInt8>) -> Bool {
        let letters = Array(key.utf8)
        let forms = [
            [0x8C, UInt8(letters.count)] + letters, [0x58, UInt8(letters.count), 0, 0, 0] + letters,
        ]
        return forms.contains { pickle.firstRange(of: $0) != nil }
    }
}
