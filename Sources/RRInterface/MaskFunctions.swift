// Functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CRRData
internal import RRDatasets
internal import RRFormats
internal import RRSchemas
internal import RRTensor

@c @implementation
public func rr_masks_open(
    _ dataset: OpaquePointer?, _ paths: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ masks: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        ReaderProgram.prepare()
        let dataset = try Handle<Dataset>.value(of: dataset, "dataset")
        guard let opened = try MaskSet.joining(texts(paths, count: count, "path"), for: dataset) else {
            throw ArgumentError.wrong("there is no mask set: give the path of one at least")
        }
        try Handle.give(opened, to: masks)
        return RR_OK
    }
}

@c @implementation
public func rr_masks_close(_ masks: OpaquePointer?) { Handle<MaskSet>.close(masks) }

@c @implementation
public func rr_masks_describe(
    _ masks: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> rr_status {
    answer(error) {
        let masks = try Handle<MaskSet>.value(of: masks, "mask set")
        let facts: JSONValue = [
            "samples": .integer(masks.sampleCount), "annotated": .integer(masks.annotatedCount),
            "channels": .integer(masks.maskShape.channels), "height": .integer(masks.maskShape.height),
            "width": .integer(masks.maskShape.width), "mean_coverage": .number(masks.meanCoverage),
            "dataset_fingerprint": .string(masks.datasetFingerprint),
        ]
        try give(facts.serialized(), to: json)
        return RR_OK
    }
}
