extension SchemaValidation {
    /// How near a branch came: the value's own type first, then how deep its faults lie, then how few they are.
    private struct Closeness: Comparable {
        let isRightType: Bool
        let depth: Int
        let count: Int

        init(_ violations: [Violation], at path: Path) {
            let start = path.components.count
            let depths = violations.map { $0.path.components.count - start }
            isRightType = !violations.contains { $0.isTypeMismatch && $0.path.components.count == start }
            depth = depths.min() ?? 0
            count = violations.count
        }

        static func < (lhs: Closeness, rhs: Closeness) -> Bool {
            (lhs.isRightType ? 1 : 0, lhs.depth, -lhs.count) < (
                rhs.isRightType ? 1 : 0, rhs.depth, -rhs.count
            )
        }
    }

    /// Checks that a value fits exactly one branch, and otherwise reports what keeps it from the closest.
    mutating func checkBranches(_ value: JSONValue, _ branches: [SchemaNode], _ path: Path) {
        var attempts: [(branch: SchemaNode, violations: [Violation])] = []
        for branch in branches {
            var attempt = SchemaValidation(definitions: definitions)
            attempt.check(value, against: branch, at: path)
            attempts.append((branch, attempt.violations))
        }
        let matches = attempts.count { $0.violations.isEmpty }
        if matches == 1 { return }
        if matches > 1 {
            report("the value fits \(matches) of \(branches.count) forms, where it must fit one", path)
            return
        }
        let ranked = attempts.map { (attempt: $0, closeness: Closeness($0.violations, at: path)) }
        guard let best = ranked.map(\.closeness).max() else { return }
        let closest = ranked.filter { !($0.closeness < best) }.map(\.attempt)
        if closest.count == 1 {
            for violation in closest[0].violations { report(violation) }
        } else {
            let forms = closest.map { summary(of: $0.branch) }.joined(separator: ", ")
            report("\(value.excerpt) fits none of the forms: \(forms)", path)
        }
    }

    /// What a branch wants, in a few words: `{"conv2d": …}`.
    private func summary(of branch: SchemaNode) -> String {
        if let reference = branch.reference, let definition = definitions[reference] {
            return summary(of: definition)
        }
        if !branch.allowedValues.isEmpty {
            return branch.allowedValues.map(\.excerpt).joined(separator: ", ")
        }
        if !branch.required.isEmpty {
            return "{" + branch.required.map { "\"\($0)\": …" }.joined(separator: ", ") + "}"
        }
        return branch.types.map(\.article).joined(separator: " or ")
    }
}
