internal import FoundationEssentials
internal import SwiftProtobuf

/// How many messages, texts and whole numbers of lists a message of ONNX has, all inside it included.
///
/// Each takes more memory than its bytes, an empty node of two bytes some hundred. The library's decoder has no bound for that, so
/// it counts them first, while nothing of them is kept.
struct MessageCount: Message {
    /// ResNet-152 as PyTorch writes it, with where each node comes from, has 50,000.
    static let largest = 1 << 19
    static let protoMessageName = "onnx.MessageCount"

    private(set) var count = 0
    private var kind = Kind.model
    /// Stays empty: the decoder is told to leave out what is unknown to it.
    var unknownFields = UnknownStorage()

    /// What a message is, as far as its parts are counted.
    private enum Kind {
        case model, graph, node, attribute, tensor, value, type, tensorType, shape
        /// What has texts and numbers alone.
        case other
    }

    mutating func decodeMessage<D: Decoder>(decoder: inout D) throws {
        count += 1
        while let field = try decoder.nextFieldNumber() {
            switch (kind, field) {
            case (.model, 7): try countMessage(.graph, &decoder)
            case (.graph, 1): try countMessage(.node, &decoder)
            case (.node, 5): try countMessage(.attribute, &decoder)
            case (.graph, 5), (.attribute, 5): try countMessage(.tensor, &decoder)
            case (.graph, 11), (.graph, 12): try countMessage(.value, &decoder)
            case (.value, 2): try countMessage(.type, &decoder)
            case (.type, 1): try countMessage(.tensorType, &decoder)
            case (.tensorType, 2): try countMessage(.shape, &decoder)
            case (.model, 8), (.model, 25), (.node, 9), (.tensor, 13), (.shape, 1):
                try countMessage(.other, &decoder)
            case (.attribute, 8), (.tensor, 1), (.tensor, 5), (.tensor, 7): try countNumbers(&decoder)
            case (.node, 1), (.node, 2), (.node, 3), (.node, 4), (.node, 7), (.other, _): count += 1
            default: break
            }
        }
    }

    private mutating func countMessage<D: Decoder>(_ kind: Kind, _ decoder: inout D) throws {
        var inner = MessageCount()
        inner.kind = kind
        // The decoder goes on with a message that is there already.
        var merged: MessageCount? = inner
        // What there is before a fault counts too.
        defer { count += merged?.count ?? 0 }
        try decoder.decodeSingularMessageField(value: &merged)
    }

    /// A list has one number a field, or all in one, where each ends with a byte below 128.
    private mutating func countNumbers<D: Decoder>(_ decoder: inout D) throws {
        var packed = Data()
        try decoder.decodeSingularBytesField(value: &packed)
        count += packed.isEmpty ? 1 : packed.count { $0 < 0x80 }
    }

    func traverse<V: Visitor>(visitor: inout V) {}

    func isEqualTo(message: any Message) -> Bool { (message as? Self)?.count == count }
}
