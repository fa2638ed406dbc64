/// One walk over a document beside its schema.
struct SchemaValidation {
    /// A place in the document, grown by one step a level.
    struct Path {
        private(set) var components: [String] = []

        func appending(_ component: String) -> Path {
            var path = self
            path.components.append(component)
            return path
        }

        /// The JSON pointer (RFC 6901).
        var pointer: String {
            components.map { component in
                "/"
                    + component.split(separator: "~", omittingEmptySubsequences: false).joined(
                        separator: "~0"
                    )
                    .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
            }.joined()
        }
    }

    struct Violation {
        let path: Path
        let message: String
        /// The value is of another type altogether; such a branch of `oneOf` is never the closest by choice.
        var isTypeMismatch = false
    }

    private static let maximumViolations = 100

    let definitions: [String: SchemaNode]
    private(set) var violations: [Violation] = []

    init(definitions: [String: SchemaNode]) {
        self.definitions = definitions
    }

    mutating func check(_ value: JSONValue, against node: SchemaNode, at path: Path = Path()) {
        guard violations.count < Self.maximumViolations else { return }
        if let reference = node.reference, let definition = definitions[reference] {
            check(value, against: definition, at: path)
        }
        guard checkType(value, node, path) else { return }
        checkValue(value, node, path)
        switch value {
        case .object(let members): checkMembers(members, node, path)
        case .array(let elements):
            guard let items = node.items else { break }
            for (index, element) in elements.enumerated() {
                check(element, against: items, at: path.appending(String(index)))
            }
        default: break
        }
        if !node.branches.isEmpty { checkBranches(value, node.branches, path) }
    }

    mutating func report(_ violation: Violation) {
        guard violations.count < Self.maximumViolations else { return }
        violations.append(violation)
    }

    mutating func report(_ message: String, _ path: Path, isTypeMismatch: Bool = false) {
        report(Violation(path: path, message: message, isTypeMismatch: isTypeMismatch))
    }

    private mutating func checkType(_ value: JSONValue, _ node: SchemaNode, _ path: Path) -> Bool {
        guard !node.types.isEmpty, !node.types.contains(where: { $0.matches(value) }) else { return true }
        let expected = node.types.map(\.article).joined(separator: " or ")
        report("expected \(expected), found \(value.excerpt)", path, isTypeMismatch: true)
        return false
    }

    private mutating func checkValue(_ value: JSONValue, _ node: SchemaNode, _ path: Path) {
        if !node.allowedValues.isEmpty, !node.allowedValues.contains(where: { $0.isSameJSON(as: value) }) {
            let expected = node.allowedValues.map(\.excerpt).joined(separator: ", ")
            let phrase = node.allowedValues.count == 1 ? expected : "one of \(expected)"
            let otherKind = !node.allowedValues.contains { $0.isContainer == value.isContainer }
            report("expected \(phrase), found \(value.excerpt)", path, isTypeMismatch: otherKind)
        }
        if let number = value.doubleValue {
            if let minimum = node.minimum, number < minimum {
                report("\(value.excerpt) is below the minimum of \(JSONValue.plain(minimum))", path)
            }
            if let maximum = node.maximum, number > maximum {
                report("\(value.excerpt) is above the maximum of \(JSONValue.plain(maximum))", path)
            }
        }
        if let pattern = node.pattern, let text = value.stringValue,
            let regex = try? Regex(pattern).matchingSemantics(.unicodeScalar),
            (try? regex.firstMatch(in: text)) == nil
        {
            report("\(value.excerpt) does not match the pattern \(pattern)", path)
        }
    }

    private mutating func checkMembers(_ members: [String: JSONValue], _ node: SchemaNode, _ path: Path) {
        for name in node.required where members[name] == nil {
            report("the member \"\(name)\" is missing", path)
        }
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            if let property = node.properties[name] {
                check(member, against: property, at: path.appending(name))
                continue
            }
            switch node.additional {
            case .allowed: break
            case .checked(let schema): check(member, against: schema, at: path.appending(name))
            case .forbidden:
                let known = node.properties.keys.sorted().joined(separator: ", ")
                report("the member \"\(name)\" is unknown; known are: \(known)", path)
            }
        }
    }
}
