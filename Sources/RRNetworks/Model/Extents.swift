/// A height and a width in pixels of a map, or of steps between them; a whole number is both.
public struct Extents: Hashable, Sendable, ExpressibleByIntegerLiteral {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    public init(_ extent: Int) { self.init(height: extent, width: extent) }
    public init(integerLiteral extent: Int) { self.init(extent) }

    /// Whether both are one number, which then stands for them.
    public var isSquare: Bool { height == width }

    var area: Int { height * width }
}

/// `3`, or `3×5` of height and width.
extension Extents: CustomStringConvertible {
    public var description: String { isSquare ? "\(height)" : "\(height)×\(width)" }
}

/// How many rows or columns are added on each side of a map; a whole number is that of every side.
public struct Padding: Hashable, Sendable, ExpressibleByIntegerLiteral {
    public var top: Int
    public var bottom: Int
    public var left: Int
    public var right: Int

    public init(top: Int, bottom: Int, left: Int, right: Int) {
        self.top = top
        self.bottom = bottom
        self.left = left
        self.right = right
    }

    /// The same above as below, and on the left as on the right.
    public init(_ extents: Extents) {
        self.init(top: extents.height, bottom: extents.height, left: extents.width, right: extents.width)
    }

    public init(integerLiteral padding: Int) { self.init(Extents(padding)) }

    /// The height and the width of padding that is the same on opposite sides; nil for any other.
    public var symmetric: Extents? {
        top == bottom && left == right ? Extents(height: top, width: left) : nil
    }
}

/// `1`, `1×2` of height and width, or `[[0, 1], [2, 1]]` as in a `model.json`.
extension Padding: CustomStringConvertible {
    public var description: String {
        symmetric.map(\.description) ?? "[[\(top), \(bottom)], [\(left), \(right)]]"
    }
}

/// In a `model.json`: a whole number, or `[height, width]`.
extension Extents: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if isSquare { try container.encode(height) } else { try container.encode([height, width]) }
    }
}

/// In a `model.json`: a whole number, `[height, width]` or `[[top, bottom], [left, right]]`.
extension Padding: Encodable {
    public func encode(to encoder: any Encoder) throws {
        if let symmetric { return try symmetric.encode(to: encoder) }
        var container = encoder.singleValueContainer()
        try container.encode([[top, bottom], [left, right]])
    }
}
