internal import Glibc
internal import RRFormats

/// The arithmetic of known elements.
extension GraphReader {
    func chosen(_ node: GraphNode) throws(FormatError) -> Constant {
        let (condition, one, other) = (try weight(node, 0), try weight(node, 1), try weight(node, 2))
        guard let inner = Constant.commonShape(one.dimensions, other.dimensions),
            let shape = Constant.commonShape(condition.dimensions, inner)
        else { throw node.malformed("chooses among tensors that do not fit each other") }
        _ = try checkedCount(shape, node)
        guard let flags = condition.broadcast(to: shape)?.doubles, let one = one.broadcast(to: shape),
            let other = other.broadcast(to: shape)
        else { throw node.malformed("chooses among tensors that do not fit each other") }
        if let a = one.integers, let b = other.integers {
            return Constant(shape, .integers(flags.indices.map { flags[$0] != 0 ? a[$0] : b[$0] }))
        }
        let (a, b) = (one.doubles, other.doubles)
        return Constant(shape, .doubles(flags.indices.map { flags[$0] != 0 ? a[$0] : b[$0] }))
    }

    func combined(_ node: GraphNode) throws(FormatError) -> Constant {
        var result = try weight(node, 0)
        for position in node.inputs.indices.dropFirst() {
            result = try combined(result, try weight(node, position), node.kind, node)
        }
        return result
    }

    /// Elements within two bounds, either of which may be left out.
    func clipped(_ node: GraphNode) throws(FormatError) -> Constant {
        var result = try weight(node, 0)
        if let low = try known(node, 1) { result = try combined(result, low, "Max", node) }
        if let high = try known(node, 2) { result = try combined(result, high, "Min", node) }
        return result
    }

    private func combined(
        _ one: Constant, _ other: Constant, _ kind: String, _ node: GraphNode
    ) throws(FormatError) -> Constant {
        guard let shape = Constant.commonShape(one.dimensions, other.dimensions) else {
            throw node.malformed("combines \(one.dimensions) and \(other.dimensions)")
        }
        _ = try checkedCount(shape, node)
        guard let one = one.broadcast(to: shape), let other = other.broadcast(to: shape) else {
            throw node.malformed("combines \(one.dimensions) and \(other.dimensions)")
        }
        if let a = one.integers, let b = other.integers {
            guard !["Div", "Mod"].contains(kind) || !b.contains(0) else {
                throw node.malformed("divides by 0")
            }
            return Constant(shape, .integers(zip(a, b).map { Self.combined($0, $1, kind) }))
        }
        let values = zip(one.doubles, other.doubles).map { Self.combined($0, $1, kind) }
        return Constant(
            shape,
            ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"].contains(kind)
                ? .integers(values.map { Int($0) }) : .doubles(values))
    }

    private static func combined(_ a: Int, _ b: Int, _ kind: String) -> Int {
        switch kind {
        case "Add": a &+ b
        case "Sub": a &- b
        case "Mul": a &* b
        case "Div": a.dividedReportingOverflow(by: b).partialValue
        case "Mod": ((a.remainderReportingOverflow(dividingBy: b).partialValue) &+ b) % b
        case "Pow": whole(pow(Double(a), Double(b)))
        case "Min": min(a, b)
        case "Max": max(a, b)
        case "Equal": a == b ? 1 : 0
        case "Greater": a > b ? 1 : 0
        case "Less": a < b ? 1 : 0
        case "GreaterOrEqual": a >= b ? 1 : 0
        case "LessOrEqual": a <= b ? 1 : 0
        case "And": a != 0 && b != 0 ? 1 : 0
        default: a != 0 || b != 0 ? 1 : 0
        }
    }

    private static func combined(_ a: Double, _ b: Double, _ kind: String) -> Double {
        switch kind {
        case "Add": a + b
        case "Sub": a - b
        case "Mul": a * b
        case "Div": a / b
        case "Mod": fmod(a, b)
        case "Pow": pow(a, b)
        case "Min": min(a, b)
        case "Max": max(a, b)
        case "Equal": a == b ? 1 : 0
        case "Greater": a > b ? 1 : 0
        case "GreaterOrEqual": a >= b ? 1 : 0
        case "LessOrEqual": a <= b ? 1 : 0
        default: a < b ? 1 : 0
        }
    }

    func elementwise(_ node: GraphNode) throws(FormatError) -> Constant {
        let constant = try weight(node, 0)
        try checkCount(constant.count, node)
        if let values = constant.integers {
            let results: [Int]
            switch node.kind {
            case "Neg": results = values.map { 0 &- $0 }
            case "Abs": results = values.map { $0 == .min ? $0 : abs($0) }
            case "Not": results = values.map { $0 == 0 ? 1 : 0 }
            case "Floor", "Ceil": results = values
            case "Sign": results = values.map { $0.signum() }
            default: throw node.unsupported("computes with whole numbers what is for others")
            }
            return Constant(constant.dimensions, .integers(results))
        }
        let function: (Double) -> Double =
            switch node.kind {
            case "Neg": { -$0 }
            case "Abs": { $0.magnitude }
            case "Sqrt": { $0.squareRoot() }
            case "Reciprocal": { 1 / $0 }
            case "Exp": { exp($0) }
            case "Log": { log($0) }
            case "Floor": { $0.rounded(.down) }
            case "Ceil": { $0.rounded(.up) }
            case "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
            default: { $0 == 0 ? 1 : 0 }
            }
        return Constant(constant.dimensions, .doubles(constant.doubles.map(function)))
    }
}
