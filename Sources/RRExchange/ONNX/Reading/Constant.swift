/// A tensor of which the graph knows every element: a weight, or a number of the arithmetic of shapes.
struct Constant {
    let dimensions: [Int]
    let elements: Elements
    /// What the exporter called it: a parameter's name in PyTorch, where nothing was computed with it.
    var name: String?

    enum Elements {
        case floats([Float])
        case doubles([Double])
        case integers([Int])

        var count: Int {
            switch self {
            case .floats(let values): values.count
            case .doubles(let values): values.count
            case .integers(let values): values.count
            }
        }

        /// Whether none is infinite or not a number.
        var areFinite: Bool {
            switch self {
            case .floats(let values): values.allSatisfy(\.isFinite)
            case .doubles(let values): values.allSatisfy(\.isFinite)
            case .integers: true
            }
        }

        /// The elements that steps along each dimension lead to, from the first on, in the order of an array of these extents.
        func gathered(_ extents: [Int], strides: [Int]) -> Elements {
            switch self {
            case .floats(let values): .floats(Self.gathered(values, extents, strides))
            case .doubles(let values): .doubles(Self.gathered(values, extents, strides))
            case .integers(let values): .integers(Self.gathered(values, extents, strides))
            }
        }

        private static func gathered<Value>(
            _ values: [Value], _ extents: [Int], _ strides: [Int]
        ) -> [Value] {
            guard !extents.contains(0) else { return [] }
            var result: [Value] = []
            result.reserveCapacity(extents.reduce(1, *))
            var place = extents.map { _ in 0 }
            var position = 0
            let (count, stride) = (extents.last ?? 1, strides.last ?? 0)
            while true {
                for step in 0..<count { result.append(values[position + step * stride]) }
                var axis = extents.count - 2
                while axis >= 0 {
                    place[axis] += 1
                    position += strides[axis]
                    if place[axis] < extents[axis] { break }
                    position -= place[axis] * strides[axis]
                    place[axis] = 0
                    axis -= 1
                }
                if axis < 0 { return result }
            }
        }

        /// The elements at positions of these, in that order.
        func gathered(_ positions: [Int]) -> Elements {
            switch self {
            case .floats(let values): .floats(positions.map { values[$0] })
            case .doubles(let values): .doubles(positions.map { values[$0] })
            case .integers(let values): .integers(positions.map { values[$0] })
            }
        }
    }

    init(_ dimensions: [Int], _ elements: Elements, name: String? = nil) {
        self.dimensions = dimensions
        self.elements = elements
        self.name = name
    }

    /// A list of whole numbers.
    init(integers: [Int]) { self.init([integers.count], .integers(integers)) }

    var count: Int { elements.count }

    /// The elements as numbers of double precision.
    var doubles: [Double] {
        switch elements {
        case .floats(let values): values.map { Double($0) }
        case .doubles(let values): values
        case .integers(let values): values.map { Double($0) }
        }
    }

    /// The elements where they are whole numbers; nil for others.
    var integers: [Int]? { if case .integers(let values) = elements { values } else { nil } }

    /// The only element; nil where there are others.
    var scalar: Double? { count == 1 ? doubles[0] : nil }

    /// The same elements in another shape, which has as many.
    func shaped(_ dimensions: [Int]) -> Constant { Constant(dimensions, elements, name: name) }

    /// The elements with their dimensions in another order.
    func transposed(_ order: [Int]) -> Constant {
        let strides = Self.strides(of: dimensions)
        let result = order.map { dimensions[$0] }
        return Constant(
            result, elements.gathered(result, strides: order.map { strides[$0] }), name: name)
    }

    /// Repeats what has an extent of 1, or too few dimensions, to a shape that has as many of everything else.
    ///
    /// - Returns: nil where it does not fit.
    func broadcast(to result: [Int]) -> Constant? {
        guard dimensions.count <= result.count else { return nil }
        let padded = Array(repeating: 1, count: result.count - dimensions.count) + dimensions
        guard zip(padded, result).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
        let strides = zip(padded, Self.strides(of: padded)).map { $0 == 1 ? 0 : $1 }
        return Constant(result, elements.gathered(result, strides: strides))
    }

    /// The shape of which both are a part; nil where they do not fit each other.
    static func commonShape(_ one: [Int], _ other: [Int]) -> [Int]? {
        let rank = max(one.count, other.count)
        let padded = [one, other].map { Array(repeating: 1, count: rank - $0.count) + $0 }
        var shape: [Int] = []
        for (a, b) in zip(padded[0], padded[1]) {
            guard a == b || a == 1 || b == 1 else { return nil }
            shape.append(a == 1 ? b : a)
        }
        return shape
    }

    /// How far the steps along each dimension lead in memory.
    static func strides(of dimensions: [Int]) -> [Int] {
        var strides = dimensions
        var stride = 1
        for index in dimensions.indices.reversed() {
            strides[index] = stride
            stride *= max(dimensions[index], 1)
        }
        return strides
    }

    /// Where the elements of an array lie, in the array's order, by the distances of its steps.
    static func positions(_ dimensions: [Int], _ strides: [Int]) -> [Int] {
        var positions = [0]
        for (extent, stride) in zip(dimensions, strides) {
            var next: [Int] = []
            next.reserveCapacity(positions.count * extent)
            for position in positions { for step in 0..<extent { next.append(position + step * stride) } }
            positions = next
        }
        return positions
    }
}

extension Constant {
    /// The types of elements that are read, by ONNX's numbers.
    enum StoredType: Int {
        case float = 1, uint8, int8, uint16, int16, int32, int64
        case bool = 9, float16, double, uint32, uint64
        case bfloat16 = 16

        var size: Int {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16, .float16, .bfloat16: 2
            case .float, .int32, .uint32: 4
            case .int64, .uint64, .double: 8
            }
        }

        /// - Parameter bytes: whole elements, little-endian.
        func elements(_ bytes: UnsafeRawBufferPointer) -> Elements {
            func load<Value: BitwiseCopyable, Result>(
                _ type: Value.Type, _ convert: (Value) -> Result
            ) -> [Result] {
                stride(from: 0, to: bytes.count, by: size).map {
                    convert(bytes.loadUnaligned(fromByteOffset: $0, as: type))
                }
            }
            /// As they lie there: weights are most of a file.
            func copied<Value: BitwiseCopyable>(_ type: Value.Type) -> [Value] {
                [Value](unsafeUninitializedCapacity: bytes.count / size) { values, count in
                    UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
                    count = values.count
                }
            }
            switch self {
            case .float: return .floats(copied(Float.self))
            case .float16: return .floats(load(Float16.self) { Float($0) })
            case .bfloat16: return .floats(load(UInt16.self) { Float(bitPattern: UInt32($0) << 16) })
            case .double: return .doubles(copied(Double.self))
            case .uint8, .bool: return .integers(load(UInt8.self) { Int($0) })
            case .int8: return .integers(load(Int8.self) { Int($0) })
            case .uint16: return .integers(load(UInt16.self) { Int($0) })
            case .int16: return .integers(load(Int16.self) { Int($0) })
            case .int32: return .integers(load(Int32.self) { Int($0) })
            case .uint32: return .integers(load(UInt32.self) { Int($0) })
            case .int64: return .integers(load(Int64.self) { Int($0) })
            case .uint64: return .integers(load(UInt64.self) { Int(truncatingIfNeeded: $0) })
            }
        }

        /// The elements that a message has as numbers, each in the list that ONNX keeps its type in; nil for a list that
        /// is not read.
        func elements(of tensor: TensorProto) -> Elements? {
            switch self {
            case .float: .floats(tensor.floatData)
            case .double: .doubles(tensor.doubleData)
            case .float16:
                .floats(tensor.integers.map { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) })
            case .bfloat16:
                .floats(tensor.integers.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) })
            case .uint8, .int8, .uint16, .int16, .int32, .int64, .bool: .integers(tensor.integers)
            case .uint32, .uint64: nil
            }
        }
    }
}
