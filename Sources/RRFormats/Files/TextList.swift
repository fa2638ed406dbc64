/// Many short texts in one piece of memory: their UTF-8 and eight bytes each.
///
/// An array of strings takes 16 to 64 bytes more for each, which counts where there are a million.
package struct TextList: RandomAccessCollection, Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { ends.count }

    /// The text at a position, made anew at each call.
    package subscript(position: Int) -> String {
        withUTF8(at: position) { String(decoding: $0, as: UTF8.self) }
    }

    /// Calls a body with the bytes of a text.
    package func withUTF8<Result>(at position: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result
    {
        let range = (position == 0 ? 0 : ends[position - 1])..<ends[position]
        return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Adds a text, given by its bytes.
    package mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Adds the text of a folder and of a name in it.
    package mutating func append(folder: String, name: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: folder.utf8)
        bytes.append(contentsOf: name)
        ends.append(bytes.count)
    }

    /// The texts at some positions, in their order.
    package func keeping(_ positions: [Int]) -> TextList {
        var list = TextList()
        list.ends.reserveCapacity(positions.count)
        for position in positions { withUTF8(at: position) { list.append($0) } }
        return list
    }
}
