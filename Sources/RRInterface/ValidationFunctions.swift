// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRRData
internal import RRFormats
internal import RRPreparation
internal import RRSchemas

@c @implementation
public func rr_validate(
    _ dataset: UnsafePointer<CChar>?, _ masks: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ deep: Int32, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        ReaderProgram.prepare()
        guard let dataset else { throw ArgumentError.missing("dataset") }
        let report = try ValidationReport(
            datasetPath: String(cString: dataset), maskPaths: texts(masks, count: count, "path"),
            imageByteLimit: deep == 0 ? ValidationReport.quickImageByteCount : .max)
        let facts: JSONValue = [
            "valid": .bool(report.isSound), "faults": .integer(report.faultCount),
            "warnings": .integer(report.warningCount), "findings": .array(report.findings.map(\.json)),
        ]
        try give(facts.serialized(), to: json)
        return RR_OK
    }
}

extension Finding {
    fileprivate var json: JSONValue {
        [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue),
            "path": .string(place.description), "message": .string(message.interfaceText),
            "repair": repair.map { .string($0.word) } ?? .null,
        ]
    }
}

extension Repair {
    /// `import-masks-anew`: what is to be done, without the values that go with it.
    fileprivate var word: String { "\(self)".prefix { $0 != "(" }.description.hyphenated }
}
